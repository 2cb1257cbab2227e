"""What the mutations about teams take and give."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import ID

from graph.schema.team import Team


@strawberry.input(description="A team to be.")
class CreateTeamInput:
    """Its name."""

    name: str = strawberry.field(description="What to call it; 1 to 255 characters.")


@strawberry.type(description="The new team.")
class CreateTeamPayload:
    """What `createTeam` answers."""

    team: Team = strawberry.field(description="The team; you are its owner.")


@strawberry.input(description="Whom to let into which team.")
class InviteToTeamInput:
    """A person's address."""

    team_id: ID = strawberry.field(description="The team; you must be its owner.")
    email: str = strawberry.field(description="The person's e-mail address.")


@strawberry.type(
    description="A registered person is in at once; for anybody else there is a link to hand on."
)
class InviteToTeamPayload:
    """What `inviteToTeam` answers."""

    member_id: ID | None = strawberry.field(
        description="The new member's id as a User; null when the address is not registered."
    )
    invitation_token: str | None = strawberry.field(
        description="For an address that is not registered: what the person hands to "
        "`acceptInvitation` once it has an account. It works once."
    )
    expires_at: datetime | None = strawberry.field(description="When that token ends.")


@strawberry.input(description="An invitation to take up.")
class AcceptInvitationInput:
    """The token of the invitation."""

    token: str = strawberry.field(description="The token that the team's owner was given.")


@strawberry.type(description="You are in.")
class AcceptInvitationPayload:
    """What `acceptInvitation` answers."""

    team_id: ID = strawberry.field(
        description="The team that you joined; ask for it in your next request."
    )


@strawberry.input(description="Whom to remove from which team.")
class RemoveMemberInput:
    """A membership to end."""

    team_id: ID = strawberry.field(description="The team; you must be its owner.")
    user_id: ID = strawberry.field(description="The member to remove.")


@strawberry.type(description="That person is out, with open subscriptions ended.")
class RemoveMemberPayload:
    """What `removeMember` answers."""

    removed_id: ID = strawberry.field(description="The id of the person who was removed.")


@strawberry.input(description="Which team to leave.")
class LeaveTeamInput:
    """The caller's own membership to end."""

    team_id: ID = strawberry.field(description="The team; its owner cannot leave it.")


@strawberry.type(description="You are out.")
class LeaveTeamPayload:
    """What `leaveTeam` answers."""

    left_id: ID = strawberry.field(description="The id of the team that you left.")
