"""Other people: accounts that share a team with who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db import people as rows
from db.claims import System
from db.engine import Database
from domain.actor import Actor


@dataclass(frozen=True, slots=True)
class Person:
    """An account as its team-mates see it."""

    id: UUID
    email: str | None
    username: str | None


async def by_ids(db: Database, actor: Actor, ids: Sequence[UUID]) -> list[Person]:
    """Those of the accounts that share a team with the actor, itself included, in any order."""
    async with db.read(actor) as connection:
        found = await rows.sharing(connection, actor.access, ids)
    return [Person(row.id, row.email, row.username) for row in found]


async def deleted(db: Database, _actor: Actor, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the authors of what the actor reads whose accounts were deleted."""
    async with db.read(System("authors who are gone")) as connection:
        return set(ids) - await rows.existing(connection, ids)
