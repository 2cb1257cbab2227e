"""What is kept of somebody's sessions, as sizes and digests: for who compares or restores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from db import conversations as rows
from db.engine import Database
from domain import sessions
from domain.actor import Actor
from domain.errors import NotFound
from domain.sessions import Session


@dataclass(frozen=True, slots=True)
class Item:
    """A file of a session, in its current version."""

    session: Session
    path: str
    """Empty for the conversation itself."""
    size: int
    digest: bytes
    """SHA-256 of its bytes."""
    updated_at: datetime


async def every(
    db: Database, actor: Actor, session_id: str | None = None, project: str | None = None
) -> AsyncIterator[Item]:
    """Every file of the actor's sessions, of a project's or of one; none for an unknown one.

    Memory holds one batch of sessions.
    """
    batches = (
        sessions.every(db, actor, project) if session_id is None else _one(db, actor, session_id)
    )
    async for batch in batches:
        by_id = {session.id: session for session in batch}
        async with db.read(actor) as connection:
            found = await rows.current(connection, actor.access, list(by_id))
        for row in found:
            yield Item(by_id[row.session], row.path, row.size, row.digest, row.updated_at)


async def _one(db: Database, actor: Actor, session_id: str) -> AsyncIterator[Sequence[Session]]:
    with suppress(NotFound):
        yield [await sessions.get(db, actor, session_id)]
