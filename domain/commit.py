"""Carrying out what was planned for an upload: one short transaction, or nothing at all."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from db import conversations as version_rows
from db import sessions as session_rows
from db import sweeps
from db.engine import Connection, Database
from domain import journal, machines, sessions
from domain.actor import Actor
from domain.allotment import Allotment
from domain.content import Relation
from domain.errors import Invalid
from domain.paths import FILES_MAX
from domain.sessions import Session, Stale
from domain.versions import Plan


async def carry_out(
    db: Database, allotment: Allotment, actor: Actor, session_id: str, wanted: Plan
) -> Session:
    """Write what is planned; the session as it is then.

    Raises Stale or DuplicateError when others were faster.
    """
    if not wanted.is_needed and wanted.stored.session is not None:
        return wanted.stored.session
    scope = actor.account_id
    kind = "session_backed_up" if wanted.writes_conversation else "session_updated"
    async with db.begin(actor) as connection:
        heads = await journal.take_heads(connection, actor, {scope: 1}, permission="team.push")
        head = heads[scope]
        if wanted.writes_content:
            await _check(connection, allotment, actor, wanted)
        version = head.take()
        session = await _write_session(connection, actor, session_id, wanted, version, head.at)
        if wanted.writes_content:
            await _write_version(connection, actor, session.id, wanted, head.at)
        entry = journal.stamped(head, version, kind, session.id, actor.account_id)
        await journal.append(connection, [entry])
    return session


async def _check(connection: Connection, allotment: Allotment, actor: Actor, wanted: Plan) -> None:
    """What can be known for certain only under the scope's lock."""
    if await sweeps.number(connection, actor.account_id) != wanted.stored.sweep:
        raise Stale  # blocks were deleted meanwhile, perhaps some that this upload counts on
    await allotment.check(connection, actor, wanted)
    session = wanted.stored.session
    if wanted.is_new_file and session is not None:
        number = await version_rows.count_files(connection, actor.access, session.id)
        if number >= FILES_MAX:
            raise Invalid.at("path", f"a session has at most {FILES_MAX} further files")


async def _write_session(
    connection: Connection,
    actor: Actor,
    session_id: str,
    wanted: Plan,
    version: int,
    at: datetime,
) -> Session:
    session = wanted.stored.session
    if session is None:
        id = uuid4()
        values = sessions.new_row(actor, session_id, id, wanted.fields, version, at)
        await session_rows.add(connection, [values])
        (row,) = await session_rows.by_ids(connection, actor.access, [id])
        return Session(*row)
    values = {**wanted.fields, "version": version, "updated_at": at, **machines.mark(actor)}
    found = await session_rows.change(connection, actor.access, session.id, session.version, values)
    if found is None:
        raise Stale
    return Session(*found)


async def _write_version(
    connection: Connection, actor: Actor, session: UUID, wanted: Plan, at: datetime
) -> None:
    content, path = wanted.content, wanted.stored.path
    values = {
        "size": content.size,
        "lines": content.lines,
        "digest": content.digest,
        "block_size": content.block_size,
        "blocks": content.blocks,
        "updated_at": at,
    }
    if wanted.relation is Relation.EXTENDS:
        place = (session, path, wanted.target)
        await version_rows.grow(connection, actor.access, place, values)
    else:
        values |= {"session": session, "path": path, "number": wanted.target, "created_at": at}
        await version_rows.add(connection, actor.access, values)
