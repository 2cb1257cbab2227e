"""Rows of sessions. A session lives in its owner's own scope, whatever else the owner may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, or_, tuple_, update

from db.engine import Connection, translated
from db.rows import AnyRow, AnySelect
from db.scope import Access, scoped
from db.tables import sessions

COLUMNS = tuple(
    sessions.c[name]
    for name in (
        "id",
        "scope_id",
        "session_id",
        "name",
        "project_name",
        "working_directory",
        "cwd",
        "git_branch",
        "title",
        "title_rank",
        "first_at",
        "last_at",
        "conversation_size",
        "conversation_lines",
        "head_number",
        "version",
        "created_at",
        "updated_at",
        "tags",
        "notes",
        "key_id",
        "git_remote",
    )
)
LAST_PART = r"[^/\\]*$"
Order = Literal["updated", "started", "size"]
_ORDERS: dict[Order, ColumnElement[Any]] = {
    "updated": sessions.c.updated_at,
    "started": func.coalesce(sessions.c.first_at, sessions.c.created_at),
    "size": sessions.c.conversation_size,
}


@dataclass(frozen=True, slots=True)
class Keyset:
    """A place in an order: the value that it goes by (bytes for sizes), and the id."""

    value: datetime | int
    id: UUID


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions a list is about; every field narrows it."""

    project: str | None = None
    branch: str | None = None
    text: str | None = None
    """Some letters of the name or the title."""
    since: datetime | None = None
    """Only what went on at this instant or later."""
    until: datetime | None = None
    """Only what had begun before this instant."""
    has_conversation: bool | None = None
    tags: tuple[str, ...] = ()
    key_id: UUID | None = None
    """Only what was last backed up with this API key."""


EVERYTHING = Filter()


def own(access: Access, *columns: ColumnElement[Any]) -> AnySelect:
    """Select `columns` of the caller's living sessions."""
    return scoped(sessions, access, *columns, within=access.account_id)


def place_in(order: Order, session: Any) -> Keyset:
    """Where a session (with the fields of its row) stands in an order."""
    if order == "size":
        return Keyset(session.conversation_size, session.id)
    started = session.first_at or session.created_at
    return Keyset(started if order == "started" else session.updated_at, session.id)


def directory() -> ColumnElement[Any]:
    """The folder that a session ran in: the transcript's word before the client's."""
    return func.coalesce(sessions.c.cwd, sessions.c.working_directory)


def project() -> ColumnElement[Any]:
    """What a session counts to: its repository, else what it was named, else its folder.

    The same as `domain.sessions.Session.project`.
    """
    return func.coalesce(sessions.c.git_remote, sessions.c.project_name, directory())


def _narrowed(query: AnySelect, wanted: Filter) -> AnySelect:
    if wanted.project is not None:
        query = query.where(_about(wanted.project))
    if wanted.branch is not None:
        query = query.where(sessions.c.git_branch == wanted.branch)
    if wanted.text is not None:
        names = (sessions.c.name, sessions.c.title)
        query = query.where(or_(*(n.icontains(wanted.text, autoescape=True) for n in names)))
    if wanted.since is not None:
        latest = func.coalesce(sessions.c.last_at, sessions.c.updated_at)
        query = query.where(latest >= wanted.since)
    if wanted.until is not None:
        query = query.where(_ORDERS["started"] < wanted.until)
    if wanted.has_conversation is not None:
        has = sessions.c.head_number.is_not(None)
        query = query.where(has if wanted.has_conversation else ~has)
    if wanted.key_id is not None:
        query = query.where(sessions.c.key_id == wanted.key_id)
    if wanted.tags:
        query = query.where(sessions.c.tags.contains(list(wanted.tags)))
    return query


def _about(project: str) -> ColumnElement[bool]:
    """That a session belongs to `project`: repository, name or folder, whole or its last part."""
    places = (sessions.c.git_remote, sessions.c.project_name, directory())
    return or_(
        *(place == project for place in places),
        *(func.substring(func.rtrim(place, "/\\"), LAST_PART) == project for place in places),
    )


async def by_session_id(connection: Connection, access: Access, session_id: str) -> AnyRow | None:
    """The caller's living session with this id of Claude Code's."""
    query = own(access, *COLUMNS).where(sessions.c.session_id == session_id)
    return (await connection.execute(query)).one_or_none()


async def by_either_id(
    connection: Connection, access: Access, session_id: str, id: UUID | None
) -> AnyRow | None:
    """The caller's living session by Claude Code's id, else by ours."""
    query = (
        own(access, *COLUMNS)
        .where(or_(sessions.c.session_id == session_id, sessions.c.id == id))
        .order_by((sessions.c.session_id == session_id).desc())
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


async def by_session_ids(
    connection: Connection, access: Access, session_ids: Sequence[str]
) -> Sequence[AnyRow]:
    """Those of the caller's living sessions that have these ids."""
    query = own(access, *COLUMNS).where(sessions.c.session_id.in_(list(session_ids)))
    return (await connection.execute(query)).all()


async def batch(
    connection: Connection, access: Access, project: str | None, after: str, limit: int
) -> Sequence[AnyRow]:
    """The next `limit` sessions whose session_id comes after `after`.

    That order never changes under a reader: one that goes through all batches meets every session
    that is there throughout exactly once, whatever is uploaded meanwhile.
    """
    query = own(access, *COLUMNS).where(sessions.c.session_id > after)
    if project is not None:
        query = query.where(_about(project))
    return (await connection.execute(query.order_by(sessions.c.session_id).limit(limit))).all()


def ordered_by(order: Order) -> ColumnElement[Any]:
    """The value that an order goes by."""
    return _ORDERS[order]


def paged(
    access: Access,
    wanted: Filter,
    *more: ColumnElement[Any],
    limit: int,
    order: Order = "updated",
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> AnySelect:
    """Select the first `limit` sessions of a range, and `more` columns of them.

    Last changed, last begun or largest first; `backward` turns the order round.
    """
    value = _ORDERS[order]
    place = tuple_(value, sessions.c.id)
    query = _narrowed(own(access, *COLUMNS, *more), wanted)
    if after is not None:
        query = query.where(place < tuple_(after.value, after.id))
    if before is not None:
        query = query.where(place > tuple_(before.value, before.id))
    columns = (value, sessions.c.id)
    query = query.order_by(*(columns if backward else (column.desc() for column in columns)))
    return query.limit(limit)


async def page(
    connection: Connection,
    access: Access,
    wanted: Filter,
    *,
    limit: int,
    order: Order = "updated",
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> Sequence[AnyRow]:
    """Sessions, last changed, last begun or largest first.

    `backward` takes the last `limit` of the range instead.
    """
    query = paged(
        access, wanted, limit=limit, order=order, after=after, before=before, backward=backward
    )
    rows = (await connection.execute(query)).all()
    return list(reversed(rows)) if backward else rows


def counted(access: Access, wanted: Filter) -> AnySelect:
    """Select how many sessions the list has in all."""
    return _narrowed(own(access, func.count()), wanted)


async def count(connection: Connection, access: Access, wanted: Filter = EVERYTHING) -> int:
    """How many sessions the list has in all."""
    total: int = (await connection.execute(counted(access, wanted))).scalar_one()
    return total


async def by_ids(connection: Connection, access: Access, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Those of the caller's living sessions that have these ids of ours."""
    query = own(access, *COLUMNS).where(sessions.c.id.in_(list(ids)))
    return (await connection.execute(query)).all()


async def shared_beginnings(connection: Connection, access: Access, length: int) -> set[str]:
    """The first `length` characters, in lower case, that several session ids have in common."""
    beginning = func.lower(func.left(sessions.c.session_id, length))
    query = own(access, beginning).group_by(beginning).having(func.count() > 1)
    return set((await connection.execute(query)).scalars())


async def add(connection: Connection, values: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows. Raises DuplicateError when one of the session ids has come to exist."""
    with translated():
        await connection.execute(insert(sessions), [dict(row) for row in values])


async def change(
    connection: Connection, access: Access, id: UUID, known: int, values: Mapping[str, Any]
) -> AnyRow | None:
    """Update a row if it still has version `known`; the row, None when somebody was faster."""
    query = (
        update(sessions)
        .where(
            sessions.c.scope_id == access.account_id,
            sessions.c.id == id,
            sessions.c.version == known,
            sessions.c.deleted_at.is_(None),
        )
        .values(**values)
        .returning(*COLUMNS)
    )
    return (await connection.execute(query)).one_or_none()


async def bury(
    connection: Connection, access: Access, session_id: str, version: int, at: datetime
) -> UUID | None:
    """Leave a tombstone that says nothing but that something was here; its id, None if gone."""
    blank = {
        column.name: None
        for column in sessions.c
        if column.nullable and column.name != "deleted_at"
    }
    sizes = {"conversation_size": 0, "conversation_lines": 0, "tags": []}
    query = (
        update(sessions)
        .where(
            sessions.c.scope_id == access.account_id,
            sessions.c.session_id == session_id,
            sessions.c.deleted_at.is_(None),
        )
        .values(**blank, **sizes, deleted_at=at, updated_at=at, version=version)
        .returning(sessions.c.id)
    )
    buried: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    return buried
