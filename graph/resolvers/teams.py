"""Teams: looking at them, founding them, letting people in and out."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from domain import invitations, memberships, teams
from domain.errors import NotFound
from domain.invitations import InviteAs
from domain.memberships import NewRole
from domain.teams import NewTeam
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.mapping import Many, One, mapped
from graph.schema import ids
from graph.schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    InvalidInput,
    NotFoundProblem,
    mutation,
    parse_input,
)
from graph.schema.role import Role
from graph.schema.team import Team
from graph.schema.team_inputs import (
    AcceptInvitationInput,
    AcceptInvitationPayload,
    ChangeMemberRoleInput,
    ChangeMemberRolePayload,
    CreateTeamInput,
    CreateTeamPayload,
    DeleteTeamInput,
    DeleteTeamPayload,
    InviteToTeamInput,
    InviteToTeamPayload,
    LeaveTeamInput,
    LeaveTeamPayload,
    RemoveMemberInput,
    RemoveMemberPayload,
    RenameTeamInput,
    RenameTeamPayload,
    RevokeInvitationInput,
    RevokeInvitationPayload,
    TransferOwnershipInput,
    TransferOwnershipPayload,
)
from graph.schema.user import User
from graph.schema.viewer import my_teams


@mapped(teams=Many("my teams"), team=One("named team"), user=One("named person"))
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

    @computed("Somebody who shares a team with you; an error NOT_FOUND for anybody else.")
    @signed_in
    async def user(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="The person's id.")]
    ) -> User | None:
        """A team-mate, or the caller."""
        found = await info.context.loaders.people.load(ids.decode("User", id, "id"))
        if found is None:
            raise NotFound
        return User.of(found)

    @computed("The teams that you belong to, oldest first.")
    @signed_in
    async def teams(self, info: Info) -> list[Team]:
        """The caller's teams."""
        return await my_teams(info)


@strawberry.type
class TeamMutations:
    """Root mutations about teams."""

    @mutation(
        CreateTeamPayload, [InvalidInput, ForbiddenProblem], "Found a team; you become its owner."
    )
    @signed_in
    async def create_team(self, info: Info, input: CreateTeamInput) -> CreateTeamPayload:
        """Found a team."""
        data = parse_input(NewTeam, input)
        made = await teams.create(info.context.services.db, info.context.actor, data)
        info.context.gained(made.id, "owner")
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
        data = parse_input(InviteAs, input, role=input.role.value)
        made = await invitations.invite(info.context.services.db, info.context.actor, team_id, data)
        member = None if made.account_id is None else ids.encode("User", made.account_id)
        return InviteToTeamPayload(
            member_id=member, invitation_token=made.token, expires_at=made.expires_at
        )

    @mutation(
        AcceptInvitationPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem, ConflictProblem],
        "Join the team that you were invited to.",
    )
    @signed_in
    async def accept_invitation(
        self, info: Info, input: AcceptInvitationInput
    ) -> AcceptInvitationPayload:
        """Use up an invitation."""
        db, actor = info.context.services.db, info.context.actor
        team_id = await invitations.accept(db, actor, input.token)
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
        await memberships.remove(info.context.services.db, info.context.actor, team_id, user_id)
        return RemoveMemberPayload(removed_id=ids.encode("User", user_id))

    @mutation(
        LeaveTeamPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "End your own membership of a team.",
    )
    @signed_in
    async def leave_team(self, info: Info, input: LeaveTeamInput) -> LeaveTeamPayload:
        """Leave a team."""
        team_id, actor = ids.decode("Team", input.team_id, "input", "teamId"), info.context.actor
        await memberships.remove(info.context.services.db, actor, team_id, actor.account_id)
        return LeaveTeamPayload(left_id=ids.encode("Team", team_id))

    @mutation(
        RenameTeamPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Call a team something else.",
    )
    @signed_in
    async def rename_team(self, info: Info, input: RenameTeamInput) -> RenameTeamPayload:
        """Rename a team."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        data = parse_input(NewTeam, input)
        team = await teams.rename(info.context.services.db, info.context.actor, team_id, data)
        return RenameTeamPayload(team=Team.of(team))

    @mutation(
        DeleteTeamPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Delete a team and what it shared, for everybody and for good. Access ends at once; its "
        "feeds end with a TeamDeleted event.",
    )
    @signed_in
    async def delete_team(self, info: Info, input: DeleteTeamInput) -> DeleteTeamPayload:
        """Delete a team."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        await teams.delete(info.context.services.db, info.context.actor, team_id)
        return DeleteTeamPayload(deleted_id=ids.encode("Team", team_id))

    @mutation(
        ChangeMemberRolePayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Give a member of a team another role.",
    )
    @signed_in
    async def change_member_role(
        self, info: Info, input: ChangeMemberRoleInput
    ) -> ChangeMemberRolePayload:
        """Change a role."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        user_id = ids.decode("User", input.user_id, "input", "userId")
        data = parse_input(NewRole, input, role=input.role.value)
        db, actor = info.context.services.db, info.context.actor
        role = await memberships.change_role(db, actor, team_id, user_id, data)
        return ChangeMemberRolePayload(user_id=ids.encode("User", user_id), role=Role(role))

    @mutation(
        TransferOwnershipPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Make a member the owner of a team of yours; you stay in it as an admin.",
    )
    @signed_in
    async def transfer_ownership(
        self, info: Info, input: TransferOwnershipInput
    ) -> TransferOwnershipPayload:
        """Hand a team over."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        user_id = ids.decode("User", input.user_id, "input", "userId")
        db, actor = info.context.services.db, info.context.actor
        team = await memberships.transfer(db, actor, team_id, user_id)
        return TransferOwnershipPayload(owner_id=ids.encode("User", user_id), team=Team.of(team))

    @mutation(
        RevokeInvitationPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Take back an invitation that was not taken up yet.",
    )
    @signed_in
    async def revoke_invitation(
        self, info: Info, input: RevokeInvitationInput
    ) -> RevokeInvitationPayload:
        """End an invitation."""
        invitation_id = ids.decode("Invitation", input.id, "input", "id")
        await invitations.revoke(info.context.services.db, info.context.actor, invitation_id)
        return RevokeInvitationPayload(revoked_id=ids.encode("Invitation", invitation_id))
