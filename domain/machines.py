"""The machines that sessions come from, as far as they can be told: one API key each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from db import machines as rows
from db.engine import Database
from domain.actor import Actor

MACHINES_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Machine:
    """A key with which sessions were backed up, and what came with it."""

    id: UUID
    """Of the key, which may be revoked by now."""
    label: str
    prefix: str
    revoked_at: datetime | None
    sessions: int
    conversation_bytes: int
    last_at: datetime
    """When one of its sessions last changed."""


async def of(db: Database, actor: Actor) -> list[Machine]:
    """The actor's machines, the one that was heard of last first; at most MACHINES_MAX."""
    async with db.read(actor) as connection:
        found = await rows.of(connection, actor.access, MACHINES_MAX)
    return [Machine(*row) for row in found]


def mark(actor: Actor) -> dict[str, Any]:
    """The columns of a session that say which machine backs it up; none without a key."""
    return {} if actor.key_id is None else {"key_id": actor.key_id}
