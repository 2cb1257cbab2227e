"""End-to-end encryption of a team: turned on for good, for a team that holds nothing yet.

The server never has a team key. `domain.key_epochs` keeps it wrapped for each member,
`domain.sealed` keeps what is encrypted with it, and nothing else is taken in such a team.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db import encryption as rows
from db.engine import Connection, Database
from domain.actor import Actor
from domain.errors import Conflict, Invalid
from domain.inputs import Input
from domain.policy import require
from domain.teams import hold, note

ERASED_MAX: Final = 10_000
"""Deleted rows that one transaction can go through well within its time limit."""


class Enabling(Input):
    """How a team is to be encrypted."""

    irrevocable: bool
    searchable: bool = False


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a team is encrypted."""

    team_id: UUID
    enabled_at: datetime
    enabled_by: UUID
    searchable: bool
    """Whether entries may carry search tokens."""
    epoch: int
    """The newest; 0 before the first."""
    rotation_due: bool
    """Whether nothing may be written until there is a new epoch."""


async def enable(db: Database, actor: Actor, team_id: UUID, data: Enabling) -> None:
    """Encrypt a team, for good. What its deleted entries said is erased.

    Raises NotFound and Forbidden, Invalid without the word that it is known to be irrevocable,
    Conflict for a team that is encrypted already or holds what the server can read.
    """
    require(actor, "team.encrypt", team_id)
    if not data.irrevocable:
        raise Invalid.at("irrevocable", "must be true: it cannot be turned off again")
    async with db.begin(actor) as connection:
        held = await hold(connection, actor, team_id, "team.encrypt")
        if await rows.one(connection, team_id) is not None:
            raise Conflict("This team is encrypted already")
        await _empty(connection, team_id)
        values = {"scope_id": team_id, "enabled_at": held.head.at, "enabled_by": actor.account_id}
        await rows.enable(connection, values | {"searchable": data.searchable})
        await note(
            connection, actor, held, "encryption_enabled", team_id, searchable=data.searchable
        )


async def _empty(connection: Connection, team_id: UUID) -> None:
    if await rows.holds_plaintext(connection, team_id):
        raise Conflict(
            "This team holds entries, summaries or shared sessions that the server can read, and "
            "turning encryption on would not encrypt them: move or delete them first"
        )
    if await rows.count_dead(connection, team_id) > ERASED_MAX:
        raise Conflict("Too much was deleted in this team to erase it all: found a new team")
    await rows.erase(connection, team_id)


async def encrypted(connection: Connection, team_id: UUID) -> Encryption:
    """The team's encryption. Raises Invalid for a team without."""
    row = await rows.one(connection, team_id)
    if row is None:
        raise Invalid.at("teamId", "names a team without end-to-end encryption")
    return Encryption(*row)


async def refuse_plaintext(connection: Connection, *scope_ids: UUID) -> None:
    """Raises Invalid when one of the scopes is an encrypted team's.

    For whatever would store words in a team; to be called while the scopes are locked.
    """
    if await rows.any_of(connection, scope_ids):
        raise Invalid.at(
            "teamId", "names a team with end-to-end encryption, which takes sealed entries only"
        )


async def of_teams(db: Database, actor: Actor, ids: Sequence[UUID]) -> list[Encryption]:
    """The encryptions of those of the teams that have it and that the actor may read."""
    async with db.read(actor) as connection:
        return [Encryption(*row) for row in await rows.of_teams(connection, actor.access, ids)]
