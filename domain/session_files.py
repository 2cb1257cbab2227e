"""The further files of sessions (transcripts of subagents, results of tools), as lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import conversations as rows
from db.engine import Database
from domain.actor import Actor


@dataclass(frozen=True, slots=True)
class SessionFile:
    """A further file of a session, as it is now."""

    session: UUID
    path: str
    number: int
    """Which of its versions that is."""
    size: int
    lines: int
    digest: bytes
    updated_at: datetime


async def of_sessions(
    db: Database, actor: Actor, ids: Sequence[UUID]
) -> dict[UUID, list[SessionFile]]:
    """The files of each of these sessions by path; none of a session that is not the actor's."""
    grouped: dict[UUID, list[SessionFile]] = {id: [] for id in ids}
    async with db.read(actor) as connection:
        found = await rows.files_of(connection, actor.access, ids)
    for row in found:
        grouped[row.session].append(SessionFile(*row))
    return grouped
