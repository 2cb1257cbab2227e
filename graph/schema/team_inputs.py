"""What the mutations about teams take and give."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import ID

from graph.schema.role import Role
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

    team_id: ID = strawberry.field(description="The team; you own it or are an admin of it.")
    email: str = strawberry.field(description="The person's e-mail address.")
    role: Role = strawberry.field(
        default=Role.MEMBER,
        description="What the person may do there. Admins invite members and viewers, the owner "
        "admins too; nobody is invited as an owner.",
    )


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

    token: str = strawberry.field(description="The token that whoever invited you was given.")


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


@strawberry.input(description="A team, and what to call it from now on.")
class RenameTeamInput:
    """A team's new name."""

    team_id: ID = strawberry.field(description="The team; you own it or are an admin of it.")
    name: str = strawberry.field(description="What to call it; 1 to 255 characters.")


@strawberry.type(description="The team is called so now.")
class RenameTeamPayload:
    """What `renameTeam` answers."""

    team: Team = strawberry.field(description="The team.")


@strawberry.input(description="Which team to delete.")
class DeleteTeamInput:
    """A team to end."""

    team_id: ID = strawberry.field(description="The team; you must be its owner.")


@strawberry.type(description="The team is gone for everybody, with what it shared.")
class DeleteTeamPayload:
    """What `deleteTeam` answers."""

    deleted_id: ID = strawberry.field(description="The id of the team that was deleted.")


@strawberry.input(description="Who shall have which role in which team.")
class ChangeMemberRoleInput:
    """A member's new role."""

    team_id: ID = strawberry.field(description="The team; you own it or are an admin of it.")
    user_id: ID = strawberry.field(description="The member; never the owner.")
    role: Role = strawberry.field(
        description="ADMIN, MEMBER or VIEWER for the owner to give, MEMBER or VIEWER for an admin, "
        "among those who are either. A team's owner is made by `transferOwnership`."
    )


@strawberry.type(description="The member has that role now.")
class ChangeMemberRolePayload:
    """What `changeMemberRole` answers."""

    user_id: ID = strawberry.field(description="The member.")
    role: Role = strawberry.field(description="The member's role.")


@strawberry.input(description="Whose a team shall be.")
class TransferOwnershipInput:
    """A team and its owner to be."""

    team_id: ID = strawberry.field(description="The team; you must be its owner.")
    user_id: ID = strawberry.field(description="A member of it.")


@strawberry.type(description="The team has another owner; you are an admin of it now.")
class TransferOwnershipPayload:
    """What `transferOwnership` answers."""

    owner_id: ID = strawberry.field(description="The new owner's id as a User.")
    team: Team = strawberry.field(description="The team.")


@strawberry.input(description="Which invitation to take back.")
class RevokeInvitationInput:
    """An open invitation."""

    id: ID = strawberry.field(description="Its id, as `team.invitations` lists it.")


@strawberry.type(description="The link of that invitation is useless from now on.")
class RevokeInvitationPayload:
    """What `revokeInvitation` answers."""

    revoked_id: ID = strawberry.field(description="The id of the invitation.")
