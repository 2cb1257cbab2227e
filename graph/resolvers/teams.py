"""Teams: looking at them, founding them, letting people in and out."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from domain import teams
from domain.errors import NotFound
from domain.teams import Invite, NewTeam
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.schema import ids
from graph.schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    InvalidInput,
    NotFoundProblem,
    mutation,
    parse_input,
)
from graph.schema.team import Team
from graph.schema.team_inputs import (
    AcceptInvitationInput,
    AcceptInvitationPayload,
    CreateTeamInput,
    CreateTeamPayload,
    InviteToTeamInput,
    InviteToTeamPayload,
    LeaveTeamInput,
    LeaveTeamPayload,
    RemoveMemberInput,
    RemoveMemberPayload,
)
from graph.schema.viewer import my_teams


@strawberry.type
class TeamQueries:
    """Root fields about teams."""

    @computed("One of your teams; an error NOT_FOUND for any other.")
    @signed_in
    async def team(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="The team's id.")]
    ) -> Team | None:
        """A team that the caller belongs to."""
        found = await info.context.loaders.teams.load(ids.decode("Team", id, "id"))
        if found is None:
            raise NotFound
        return Team.of(found)

    @computed("The teams that you belong to, oldest first.")
    @signed_in
    async def teams(self, info: Info) -> list[Team]:
        """The caller's teams."""
        return await my_teams(info)


@strawberry.type
class TeamMutations:
    """Root mutations about teams."""

    @mutation(CreateTeamPayload, [InvalidInput], "Found a team; you become its owner.")
    @signed_in
    async def create_team(self, info: Info, input: CreateTeamInput) -> CreateTeamPayload:
        """Found a team."""
        data = parse_input(NewTeam, input)
        made = await teams.create(info.context.services.db, info.context.actor, data)
        return CreateTeamPayload(team=Team.of(made))

    @mutation(
        InviteToTeamPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem, ConflictProblem],
        "Let somebody into a team of yours.",
    )
    @signed_in
    async def invite_to_team(self, info: Info, input: InviteToTeamInput) -> InviteToTeamPayload:
        """Add a registered person, or make a link."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        data = parse_input(Invite, input)
        made = await teams.invite(info.context.services.db, info.context.actor, team_id, data)
        member = None if made.account_id is None else ids.encode("User", made.account_id)
        return InviteToTeamPayload(
            member_id=member, invitation_token=made.token, expires_at=made.expires_at
        )

    @mutation(
        AcceptInvitationPayload,
        [InvalidInput, NotFoundProblem, ConflictProblem],
        "Join the team that you were invited to.",
    )
    @signed_in
    async def accept_invitation(
        self, info: Info, input: AcceptInvitationInput
    ) -> AcceptInvitationPayload:
        """Use up an invitation."""
        db, actor = info.context.services.db, info.context.actor
        team_id = await teams.accept_invitation(db, actor, input.token)
        return AcceptInvitationPayload(team_id=ids.encode("Team", team_id))

    @mutation(
        RemoveMemberPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "End somebody's membership. Access ends at once, open subscriptions included.",
    )
    @signed_in
    async def remove_member(self, info: Info, input: RemoveMemberInput) -> RemoveMemberPayload:
        """Remove a member."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        user_id = ids.decode("User", input.user_id, "input", "userId")
        await teams.remove_member(info.context.services.db, info.context.actor, team_id, user_id)
        return RemoveMemberPayload(removed_id=ids.encode("User", user_id))

    @mutation(
        LeaveTeamPayload, [InvalidInput, NotFoundProblem], "End your own membership of a team."
    )
    @signed_in
    async def leave_team(self, info: Info, input: LeaveTeamInput) -> LeaveTeamPayload:
        """Leave a team."""
        team_id, actor = ids.decode("Team", input.team_id, "input", "teamId"), info.context.actor
        await teams.remove_member(info.context.services.db, actor, team_id, actor.account_id)
        return LeaveTeamPayload(left_id=ids.encode("Team", team_id))
