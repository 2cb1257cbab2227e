"""Teams: found, list, rename, delete. A team is a scope with several members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import StringConstraints

from db import accounts as account_rows
from db import log
from db import teams as rows
from db.engine import Connection, Database
from db.log import Head
from domain import audit, journal
from domain.actor import Actor, Role
from domain.errors import Fault, NotFound, Unauthenticated
from domain.inputs import Input, NonBlank
from domain.policy import Permission, require, require_key

BURIED_AT_ONCE = 10_000
"""What a transaction can turn into tombstones well within its time limit (0.15 ms a row)."""


class NewTeam(Input):
    """A team to be, or a team's new name."""

    name: Annotated[NonBlank, StringConstraints(max_length=255)]


@dataclass(frozen=True, slots=True)
class Team:
    """A team as one of its members sees it."""

    id: UUID
    name: str
    owner_id: UUID
    created_at: datetime
    role: Role
    """The role of who asked."""


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a team."""

    team_id: UUID
    account_id: UUID
    email: str | None
    username: str | None
    role: Role
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A team whose scope the transaction has locked, with the role that the actor has in it."""

    team_id: UUID
    head: Head
    role: Role


async def create(db: Database, actor: Actor, data: NewTeam) -> Team:
    """Found a team; the actor is its owner. Raises Forbidden for a key that may not."""
    require_key(actor, "admin")
    team_id = uuid4()
    async with db.begin(actor) as connection:
        if not await account_rows.hold(connection, actor.account_id):
            raise Unauthenticated
        created_at = await rows.create(connection, team_id, data.name, actor.account_id)
        held = await hold(connection, actor, team_id, "team.rename")
        await note(connection, actor, held, "team_created", team_id, name=data.name)
    return Team(team_id, data.name, actor.account_id, created_at, "owner")


async def mine(db: Database, actor: Actor) -> list[Team]:
    """The teams that the actor belongs to, oldest first."""
    async with db.read(actor) as connection:
        return [Team(*row) for row in await rows.of(connection, actor.access)]


async def members(
    db: Database, actor: Actor, team_id: UUID, *, outsider: type[Fault] = NotFound
) -> list[Member]:
    """The team's members, first come first. Raises `outsider` when the actor is not one."""
    require(actor, "team.read", team_id, outsider=outsider)
    return await members_of(db, actor, [team_id])


async def members_of(db: Database, actor: Actor, team_ids: Sequence[UUID]) -> list[Member]:
    """The members of several teams at once; teams that the actor is not in have none."""
    async with db.read(actor) as connection:
        return [Member(*row) for row in await rows.members(connection, actor.access, team_ids)]


async def rename(db: Database, actor: Actor, team_id: UUID, data: NewTeam) -> Team:
    """Give a team another name. Raises NotFound and Forbidden."""
    require(actor, "team.rename", team_id)
    async with db.begin(actor) as connection:
        held = await hold(connection, actor, team_id, "team.rename")
        former = await rows.rename(connection, team_id, data.name)
        if former != data.name:
            names = {"name": data.name, "former": former}
            await note(connection, actor, held, "team_renamed", team_id, **names)
        return await team_of(connection, actor, team_id)


async def delete(db: Database, actor: Actor, team_id: UUID) -> None:
    """End a team: everybody's access ends at once, and what it held becomes tombstones.

    A feed of the team ends with its last event, `team_deleted`; a pull that goes on from a cursor
    tells its members which entries are gone. Raises NotFound and Forbidden.
    """
    require(actor, "team.delete", team_id)
    async with db.begin(actor) as connection:
        held = await hold(connection, actor, team_id, "team.delete")
        name = (await team_of(connection, actor, team_id)).name
        await note(connection, actor, held, "team_deleted", team_id, name=name)
        await rows.delete_team(connection, team_id)
        more = await rows.bury_contents(connection, team_id, BURIED_AT_ONCE)
    while more:  # nobody can see any of it by now, so a transaction each is soon enough
        async with db.begin(actor) as connection:
            more = await rows.bury_contents(connection, team_id, BURIED_AT_ONCE)


async def team_of(connection: Connection, actor: Actor, team_id: UUID) -> Team:
    """The team as the actor sees it at this moment. Raises NotFound."""
    row = await rows.one(connection, actor.access, team_id)
    if row is None:
        raise NotFound
    return Team(*row)


async def hold(
    connection: Connection,
    actor: Actor,
    team_id: UUID,
    permission: Permission,
    *,
    outsider: type[Fault] = NotFound,
) -> Hold:
    """Lock a team's scope for one entry of the log, and look at the actor's right again.

    Raises `outsider` and Forbidden as `policy.require` does.
    """
    heads = await journal.take_heads(
        connection, actor, {team_id: 1}, permission=permission, outsider=outsider
    )
    roles = await log.roles(connection, actor.account_id, [team_id])
    return Hold(team_id, heads[team_id], roles[team_id])


async def note(
    connection: Connection,
    actor: Actor,
    held: Hold,
    kind: audit.Kind,
    subject_id: UUID,
    **detail: Any,
) -> None:
    """Write what was done to a team into its log and into the audit log."""
    entry = journal.entry(held.head, kind, subject_id, actor.account_id, **detail)
    await journal.append(connection, [entry])
    concerned = None if subject_id == held.team_id else subject_id
    await audit.record(
        connection, actor, kind, account_id=concerned, team_id=held.team_id, **detail
    )
