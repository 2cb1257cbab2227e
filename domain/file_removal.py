"""Deleting one further file of a session, with all its versions."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from db import conversations as versions
from db import sessions as rows
from db.engine import Database
from domain import journal, sessions
from domain.actor import Actor
from domain.errors import Conflict, NotFound
from domain.paths import check_path
from domain.sessions import Stale

_TRIES: Final = 8


async def remove(db: Database, actor: Actor, either_id: str, path: str) -> None:
    """Delete a further file of one of the actor's sessions. There is no way back.

    Raises Invalid for a bad path, NotFound, or Conflict when others keep changing the session.
    """
    check_path(path)
    for _ in range(_TRIES):
        with suppress(Stale):
            return await _remove(db, actor, either_id, path)
    raise Conflict("Others keep changing this session: try again")


async def _remove(db: Database, actor: Actor, either_id: str, path: str) -> None:
    session = await sessions.get(db, actor, either_id)
    scope = actor.account_id
    async with db.begin(actor) as connection:
        head = (await journal.take_heads(connection, actor, {scope: 1}))[scope]
        entry = journal.entry(head, "session_updated", session.id, scope)
        stamp = {"version": entry.version, "updated_at": head.at}
        # An upload of the same file that is on its way sees that the session has changed.
        if not await rows.change(connection, actor.access, session.id, session.version, stamp):
            raise Stale
        if not await versions.forget_file(connection, actor.access, session.id, path):
            raise NotFound("No such file")
        await journal.append(connection, [entry])
