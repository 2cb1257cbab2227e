"""Carrying out what was planned for many files in one short transaction, or nothing at all.

A session that several files belong to is written once, and the log gets one entry for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from db import conversations as version_rows
from db import sweeps
from db import tails as rows
from db.engine import Connection, Database
from db.log import Entry
from domain import journal, machines, sessions
from domain.actor import Actor
from domain.allotment import Allotment
from domain.content import Relation
from domain.errors import Fault, Invalid
from domain.paths import FILES_MAX
from domain.sessions import Session, Stale
from domain.versions import Plan


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written for one file."""

    session_id: str
    plan: Plan


@dataclass(slots=True)
class _Rows:
    """What a transaction writes."""

    new_sessions: list[dict[str, Any]] = field(default_factory=list)
    changed_sessions: list[dict[str, Any]] = field(default_factory=list)
    new_versions: list[dict[str, Any]] = field(default_factory=list)
    grown_versions: list[dict[str, Any]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


async def carry_out_all(
    db: Database,
    allotment: Allotment,
    actor: Actor,
    sweep: int,
    wanted: Mapping[int, Wanted],
) -> dict[int, Fault]:
    """Write what is planned; which files were refused under the lock, and why.

    Raises Stale or DuplicateError when others were faster with one of the sessions, or collected
    blocks: then nothing is written.
    """
    needed = {index: item for index, item in wanted.items() if item.plan.is_needed}
    if not needed:
        return {}
    scope = actor.account_id
    async with db.begin(actor) as connection:
        counts = {scope: len({item.session_id for item in needed.values()})}
        heads = await journal.take_heads(connection, actor, counts, permission="team.push")
        head = heads[scope]
        if await sweeps.number(connection, scope) != sweep:
            raise Stale  # blocks were deleted meanwhile, perhaps some that a file counts on
        refused = await _refused(connection, allotment, actor, needed)
        written = _Rows()
        for session_id, plans in _by_session(needed, refused).items():
            version = head.take()
            session = _add_session(written, actor, session_id, plans, (version, head.at))
            for plan in plans:
                _add_version(written, session, plan, head.at)
            kind = "session_updated"
            if any(plan.writes_conversation for plan in plans):
                kind = "session_backed_up"
            written.entries.append(journal.stamped(head, version, kind, session, actor.account_id))
        await _write(connection, actor, written)
    return refused


async def _refused(
    connection: Connection, allotment: Allotment, actor: Actor, wanted: Mapping[int, Wanted]
) -> dict[int, Fault]:
    """What can be known for certain only under the scope's lock: who has no room any more."""
    room = await allotment.room(connection, actor)
    files: dict[str, int] = {}
    refused: dict[int, Fault] = {}
    for index, item in wanted.items():
        plan, session = item.plan, item.plan.stored.session
        if plan.is_new_file:
            if session is not None and item.session_id not in files:
                number = await version_rows.count_files(connection, actor.access, session.id)
                files[item.session_id] = number
            files[item.session_id] = files.get(item.session_id, 0) + 1
        if plan.writes_content and plan.growth > room:
            refused[index] = allotment.exceeded()
        elif plan.is_new_file and files[item.session_id] > FILES_MAX:
            message = f"a session has at most {FILES_MAX} further files"
            refused[index] = Invalid.at("path", message)
        else:
            room -= plan.growth
    return refused


def _by_session(
    wanted: Mapping[int, Wanted], refused: Mapping[int, Fault]
) -> dict[str, list[Plan]]:
    grouped: dict[str, list[Plan]] = {}
    for index, item in wanted.items():
        if index not in refused:
            grouped.setdefault(item.session_id, []).append(item.plan)
    return grouped


def _add_session(
    written: _Rows,
    actor: Actor,
    session_id: str,
    plans: Sequence[Plan],
    stamp: tuple[int, datetime],
) -> UUID:
    """Note what becomes of a session; its id."""
    version, at = stamp
    fields: dict[str, Any] = {}
    for plan in plans:
        fields |= plan.fields
    session = plans[0].stored.session
    if session is None:
        id = uuid4()
        row = sessions.new_row(actor, session_id, id, fields, version, at)
        sizes = {"conversation_size": 0, "conversation_lines": 0}
        written.new_sessions.append(dict.fromkeys(rows.SAID) | sizes | row)
        return id
    now = _columns(session) | fields | machines.mark(actor)
    key = {"id": session.id, "known": session.version}
    written.changed_sessions.append(now | key | {"version": version, "updated_at": at})
    return session.id


def _columns(session: Session) -> dict[str, Any]:
    columns = {name: getattr(session, name) for name in rows.SAID if name != "working_directory"}
    return columns | {"working_directory": session.given_directory}


def _add_version(written: _Rows, session: UUID, plan: Plan, at: datetime) -> None:
    if not plan.writes_content:
        return
    content = plan.content
    row = {
        "session": session,
        "path": plan.stored.path,
        "number": plan.target,
        "size": content.size,
        "lines": content.lines,
        "digest": content.digest,
        "blocks": content.blocks,
        "updated_at": at,
    }
    if plan.relation is Relation.EXTENDS:
        written.grown_versions.append(row)
    else:
        written.new_versions.append(row | {"block_size": content.block_size, "created_at": at})


async def _write(connection: Connection, actor: Actor, written: _Rows) -> None:
    await rows.add_sessions(connection, written.new_sessions)
    if not await rows.change_sessions(connection, actor.access, written.changed_sessions):
        raise Stale
    await rows.add_versions(connection, actor.access, written.new_versions)
    if not await rows.grow_versions(connection, actor.access, written.grown_versions):
        raise Stale
    await journal.append(connection, written.entries)
