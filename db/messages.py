"""Rows of messages, as they are listed and found. All of them the caller's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    column,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from db.conversations import COLUMNS as VERSION_COLUMNS
from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.scope import Access, scoped
from db.tables import conversation_versions as versions
from db.tables import messages, readings, sessions

COLUMNS = tuple(column for column in messages.c if column.name not in {"scope_id", "search"})
_PROJECT_FIELDS = tuple(
    sessions.c[name] for name in ("git_remote", "project_name", "cwd", "working_directory")
)


class Spot(NamedTuple):
    """A place in the order newest first."""

    at: datetime
    session: UUID
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Only:
    """Which messages are wanted; what is None or empty does not narrow."""

    roles: Sequence[str] = ()
    kinds: Sequence[str] = ()
    sidechains: bool | None = None
    words: str | None = None
    """A tsquery, with the scope's tag on its terms."""
    session: UUID | None = None
    project: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    nothing: bool = field(default=False)
    """That no message is wanted, because nothing can match."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """As conditions on a message and, for `project`, on its session."""
        m = messages.c
        found: list[ColumnElement[bool]] = []
        if self.nothing:
            found.append(literal(False))
        if self.roles:
            found.append(m.role == any_(_texts(self.roles)))
        if self.kinds:
            found.append(m.kind == any_(_texts(self.kinds)))
        if self.sidechains is not None:
            found.append(m.sidechain.is_(self.sidechains))
        if self.words is not None:
            found.append(m.search.op("@@")(cast(self.words, TSQUERY)))
        if self.session is not None:
            found.append(m.session == self.session)
        if self.project is not None:
            found.append(or_(*(column == self.project for column in _PROJECT_FIELDS)))
        if self.since is not None:
            found.append(and_(m.timed, m.at >= self.since))
        if self.until is not None:
            found.append(and_(m.timed, m.at < self.until))
        return found


def _texts(values: Sequence[str]) -> ColumnElement[Any]:
    return bindparam(None, list(values), type_=ARRAY(Text), unique=True)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file's messages: up to `limit` between two lines, or the last ones of those."""

    limit: int
    file: str = ""
    only: Only = field(default_factory=Only)
    after: int | None = None
    before: int | None = None
    backward: bool = False
    from_line: int | None = None
    """As `after`, but with that line itself."""


def _own(access: Access, *columns: ColumnElement[Any]) -> AnySelect:
    """Of sessions that are not deleted."""
    living = and_(
        sessions.c.scope_id == messages.c.scope_id,
        sessions.c.id == messages.c.session,
        sessions.c.deleted_at.is_(None),
    )
    return scoped(messages, access, *columns, within=access.account_id).join(sessions, living)


def part_of(
    access: Access, session: UUID | ColumnElement[UUID], part: Part, *more: ColumnElement[Any]
) -> AnySelect:
    """Select a part of a session's messages, and `more` columns of them, in line order.

    A part that is `backward` turns the order round.
    """
    m = messages.c
    query = _own(access, *COLUMNS, *more).where(
        m.session == session, m.file == part.file, *part.only.conditions()
    )
    if part.after is not None:
        query = query.where(m.line > part.after)
    if part.before is not None:
        query = query.where(m.line < part.before)
    if part.from_line is not None:
        query = query.where(m.line >= part.from_line)
    return query.order_by(m.line.desc() if part.backward else m.line).limit(part.limit)


def around(access: Access, session: UUID, part: Part, line: int) -> AnySelect:
    """Select what a page of `part` with a line in its middle is cut from, in line order.

    Up to half of its limit and one from before the line (`leading`), up to its limit from there on.
    """
    lead = replace(part, limit=(part.limit - 1) // 2 + 1, before=line, backward=True)
    rest = replace(part, from_line=line)
    both = union_all(
        select(part_of(access, session, lead, true().label("leading")).subquery()),
        select(part_of(access, session, rest, false().label("leading")).subquery()),
    ).subquery("both")
    return select(both).order_by(both.c.line)


async def pages(
    connection: Connection, access: Access, ids: Sequence[UUID], part: Part
) -> Sequence[AnyRow]:
    """The same part of several sessions' messages, by session and in line order."""
    asked = (
        func.unnest(bindparam("ids", list(ids), type_=ARRAY(Uuid)))
        .table_valued(column("id", Uuid), name="asked")
        .render_derived()
    )
    found = part_of(access, asked.c.id, part).lateral("page")
    every = select(found).select_from(asked.join(found, true()))
    return (await connection.execute(every.order_by(found.c.session, found.c.line))).all()


def counted(access: Access, only: Only, file: str | None = None) -> AnySelect:
    """Select how many messages match; of one file of the session, or of everything."""
    query = _own(access, func.count()).where(*only.conditions())
    return query if file is None else query.where(messages.c.file == file)


async def count(connection: Connection, access: Access, only: Only, file: str | None = None) -> int:
    """How many messages match; of one file of the session, or of everything."""
    total: int = (await connection.execute(counted(access, only, file))).scalar_one()
    return total


async def by_uuids(
    connection: Connection, access: Access, wanted: Sequence[tuple[UUID, str]]
) -> Sequence[AnyRow]:
    """Messages by session and uuid; of several with one uuid the last is the one to show."""
    m = messages.c
    query = _own(access, *COLUMNS).where(tuple_(m.session, m.uuid).in_(list(wanted)))
    return (await connection.execute(query.order_by(m.session, m.file.desc(), m.line))).all()


def found(access: Access, only: Only, *, limit: int, after: Spot | None = None) -> AnySelect:
    """Messages in all conversations, newest first."""
    m = messages.c
    # How many messages have a beginning of a word is only guessed, as too many, and then all would
    # be gone through from the newest on: an expression leaves but the index of the words.
    at = m.at + timedelta() if only.words and ":*" in only.words else m.at
    order = (at, m.session, m.file, m.line)
    query = _own(access, *COLUMNS).where(*only.conditions())
    if after is not None:
        query = query.where(tuple_(*order) < tuple_(*after))
    return query.order_by(*(column.desc() for column in order)).limit(limit)


async def search(
    connection: Connection, access: Access, only: Only, *, limit: int, after: Spot | None = None
) -> Sequence[AnyRow]:
    """The rows of `found`."""
    return (await connection.execute(found(access, only, limit=limit, after=after))).all()


def _readings(access: Access, which: ColumnElement[bool]) -> AnySelect:
    query = scoped(readings, access).where(readings.c.scope_id == access.account_id, which)
    return query.order_by(readings.c.session, readings.c.file)


async def readings_of(
    connection: Connection, access: Access, ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """What was read of these sessions, file by file."""
    query = _readings(access, readings.c.session.in_(list(ids)))
    return (await connection.execute(query)).all()


def read_of(access: Access, session: UUID) -> AnySelect:
    """Select what was read of a session, file by file."""
    return _readings(access, readings.c.session == session)


async def read_versions(
    connection: Connection, access: Access, wanted: Sequence[tuple[UUID, str]]
) -> Sequence[AnyRow]:
    """The versions that the readings of these sessions and files describe."""
    r, v = readings.c, versions.c
    same = (
        r.scope_id == v.scope_id,
        r.session == v.session,
        r.file == v.path,
        r.number == v.number,
    )
    query = (
        select(r.session, r.file, *VERSION_COLUMNS)
        .select_from(readings.join(versions, and_(*same)))
        .where(
            r.scope_id.in_(access.scopes),
            r.scope_id == access.account_id,
            tuple_(r.session, r.file).in_(list(wanted)),
        )
    )
    return (await connection.execute(query)).all()


def _versions(access: Access, which: ColumnElement[bool]) -> AnySelect:
    v = versions.c
    columns = (v.session, v.number, v.size, v.lines, v.digest, v.created_at, v.updated_at)
    query = scoped(versions, access, *columns)
    query = query.where(v.scope_id == access.account_id, which, v.path == "")
    return query.order_by(v.session, v.number)


async def versions_of(
    connection: Connection, access: Access, ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """Session, number, size, lines, digest and dates of the versions, oldest first."""
    query = _versions(access, versions.c.session.in_(list(ids)))
    return (await connection.execute(query)).all()


def kept_versions(access: Access, session: UUID) -> AnySelect:
    """Select the same of one session."""
    return _versions(access, versions.c.session == session)
