"""What the owner of a session says about it by hand.

What is said by hand is kept like what a client says: one that later sends another name or project
for the session replaces it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import StringConstraints

from db import sessions as rows
from db.engine import Database
from domain import journal, sessions
from domain.actor import Actor
from domain.errors import Conflict, NotFound
from domain.inputs import Input, Storable, Tags
from domain.sessions import Name, Session, Stale

TRIES: Final = 8


class SessionChange(Input):
    """New values for some fields of a session; left out they stay, null or empty they go."""

    name: Name | None = None
    project: Name | None = None
    tags: Tags | None = None
    notes: Annotated[Storable, StringConstraints(max_length=20_000)] | None = None

    def values(self) -> dict[str, Any]:
        """The columns that are given, with what they shall hold."""
        given = {name: getattr(self, name) or None for name in self.model_fields_set}
        if "project" in given:
            given["project_name"] = given.pop("project")
        if "tags" in given:
            given["tags"] = list(dict.fromkeys(given["tags"] or ()))
        return given


async def edit(db: Database, actor: Actor, session_id: UUID, data: SessionChange) -> Session:
    """Change what is said about one of the actor's sessions; what is so already is not written.

    Raises NotFound, or Conflict when others are faster again and again.
    """
    for _ in range(TRIES):
        with suppress(Stale):
            return await _edit(db, actor, session_id, data.values())
    raise Conflict("Others keep changing this session: try again")


async def _edit(db: Database, actor: Actor, session_id: UUID, values: dict[str, Any]) -> Session:
    session = await _mine(db, actor, session_id)
    news = {name: value for name, value in values.items() if _now(session, name) != value}
    if not news:
        return session
    scope = actor.account_id
    async with db.begin(actor) as connection:
        head = (await journal.take_heads(connection, actor, {scope: 1}))[scope]
        entry = journal.entry(head, "session_updated", session_id, scope)
        stamp = {"version": entry.version, "updated_at": head.at}
        if not await rows.change(
            connection, actor.access, session_id, session.version, {**news, **stamp}
        ):
            raise Stale
        await journal.append(connection, [entry])
    return await _mine(db, actor, session_id)


def _now(session: Session, name: str) -> Any:
    value = getattr(session, name)
    return list(value) if name == "tags" else value


async def _mine(db: Database, actor: Actor, session_id: UUID) -> Session:
    found = await sessions.by_ids(db, actor, [session_id])
    if not found:
        raise NotFound("No such session")
    return found[0]
