"""Who is in a team, and as what: roles change, the team changes hands, members go."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from db import invitations, log
from db import teams as rows
from db.engine import Connection, Database
from domain import share_ends
from domain.actor import Actor, Role
from domain.errors import Fault, Invalid, NotFound
from domain.inputs import Input
from domain.policy import PERMISSIONS, require, require_managed
from domain.teams import Hold, Team, hold, note, team_of


class NewRole(Input):
    """The role that somebody shall have; a team's owner is made by transferring it."""

    role: Literal["admin", "member", "viewer"]


async def change_role(
    db: Database, actor: Actor, team_id: UUID, account_id: UUID, data: NewRole
) -> Role:
    """Give a member another role: the owner any, an admin member and viewer among each other.

    Raises NotFound for somebody who is not in the team, Forbidden beyond the actor's reach, the
    owner's own role included.
    """
    require(actor, "team.change_role", team_id)
    async with db.begin(actor) as connection:
        held = await hold(connection, actor, team_id, "team.change_role")
        former = await _role_of(connection, team_id, account_id)
        require_managed(held.role, former, data.role)
        if former != data.role:
            await rows.change_role(connection, team_id, account_id, data.role)
            await _end_invitations(connection, team_id, account_id, data.role)
            roles = {"role": data.role, "former": former}
            await note(connection, actor, held, "member_role_changed", account_id, **roles)
    return data.role


async def transfer(db: Database, actor: Actor, team_id: UUID, account_id: UUID) -> Team:
    """Make a member the owner; the owner so far becomes an admin.

    Raises NotFound for somebody who is not in the team, Invalid for the owner itself.
    """
    require(actor, "team.transfer", team_id)
    async with db.begin(actor) as connection:
        held = await hold(connection, actor, team_id, "team.transfer")
        if account_id == actor.account_id:
            raise Invalid.at("userId", "is the owner already")
        former = await _role_of(connection, team_id, account_id)
        await rows.change_role(connection, team_id, actor.account_id, "admin")
        await rows.change_role(connection, team_id, account_id, "owner")
        await rows.change_owner(connection, team_id, account_id)
        await note(connection, actor, held, "ownership_transferred", account_id, former=former)
        return await team_of(connection, actor, team_id)


async def remove(
    db: Database,
    actor: Actor,
    team_id: UUID,
    account_id: UUID,
    *,
    outsider: type[Fault] = NotFound,
) -> None:
    """End a membership: the owner may end anybody's, everybody their own, nobody the owner's.

    Access ends at once, open subscriptions and invitations by that person included. Raises Invalid
    for the owner, NotFound for somebody who is not in the team.
    """
    leaving = account_id == actor.account_id
    require(actor, "team.leave" if leaving else "team.remove_member", team_id, outsider=outsider)
    async with db.begin(actor) as connection:
        held = await _hold_to_remove(connection, actor, team_id, leaving, outsider)
        if await _role_of(connection, team_id, account_id) == "owner":
            raise Invalid.at("userId", "the owner cannot be removed: transfer the team first")
        await _end_invitations(connection, team_id, account_id, None)
        kind: Literal["member_left", "member_removed"]
        kind = "member_left" if leaving else "member_removed"
        await note(connection, actor, held, kind, account_id)
        await share_ends.end_of_membership(connection, team_id, account_id, actor.account_id)
        # Last, because it ends the right to write to the team, also one's own.
        await rows.remove_member(connection, team_id, account_id)


async def _hold_to_remove(
    connection: Connection, actor: Actor, team_id: UUID, leaving: bool, outsider: type[Fault]
) -> Hold:
    permission: Literal["team.leave", "team.remove_member"]
    permission = "team.leave" if leaving else "team.remove_member"
    return await hold(connection, actor, team_id, permission, outsider=outsider)


async def _role_of(connection: Connection, team_id: UUID, account_id: UUID) -> Role:
    role: Role | None = (await log.roles(connection, account_id, [team_id])).get(team_id)
    if role is None:
        raise NotFound("No such member")
    return role


async def _end_invitations(
    connection: Connection, team_id: UUID, account_id: UUID, role: Role | None
) -> None:
    """Links that somebody has made must not outlive the right to make them."""
    if role not in PERMISSIONS["team.invite"]:
        await invitations.end_those_of(connection, team_id, account_id)
