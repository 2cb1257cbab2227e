"""Rows of versions: the block lists of what was uploaded for a session.

A session has a conversation, whose path is empty, and further files, each under a path of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.scope import Access, scoped
from db.tables import conversation_versions as versions
from db.tables import readings, sessions

COLUMNS = tuple(
    versions.c[name]
    for name in (
        "number",
        "size",
        "lines",
        "digest",
        "block_size",
        "blocks",
        "created_at",
        "updated_at",
    )
)
CONVERSATION = ""
"""The path of a session's conversation."""


async def of(
    connection: Connection, access: Access, session: UUID, path: str = CONVERSATION
) -> Sequence[AnyRow]:
    """The versions of a file of one of the caller's sessions, oldest first."""
    query = (
        scoped(versions, access, *COLUMNS)
        .where(
            versions.c.scope_id == access.account_id,
            versions.c.session == session,
            versions.c.path == path,
        )
        .order_by(versions.c.number)
    )
    return (await connection.execute(query)).all()


def _files(access: Access, which: ColumnElement[bool]) -> AnySelect:
    names = ("session", "path", "number", "size", "lines", "digest", "updated_at")
    return (
        scoped(versions, access, *(versions.c[name] for name in names))
        .where(versions.c.scope_id == access.account_id, which, versions.c.path != CONVERSATION)
        .ext(distinct_on(versions.c.session, versions.c.path))
        .order_by(
            versions.c.session, versions.c.path, versions.c.size.desc(), versions.c.number.desc()
        )
    )


async def files_of(
    connection: Connection, access: Access, sessions: Sequence[UUID]
) -> Sequence[AnyRow]:
    """`session, path, number, size, lines, digest, updated_at` of the caller's sessions' files.

    Of each further file the current version, in the order of the paths.
    """
    query = _files(access, versions.c.session.in_(list(sessions)))
    return (await connection.execute(query)).all()


def further_files(access: Access, session: UUID) -> AnySelect:
    """Select the same of one session."""
    return _files(access, versions.c.session == session)


async def current(connection: Connection, access: Access, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """`session, path, size, digest, updated_at` of every file of these sessions, as it is now."""
    v = versions.c
    query = (
        scoped(versions, access, v.session, v.path, v.size, v.digest, v.updated_at)
        .where(v.scope_id == access.account_id, v.session.in_(list(ids)))
        .ext(distinct_on(v.session, v.path))
        .order_by(v.session, v.path, v.size.desc(), v.number.desc())
    )
    return (await connection.execute(query)).all()


async def numbers(connection: Connection, access: Access, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """`session, path, number, current` of every version of every file of these sessions."""
    v = versions.c
    place = func.row_number().over(
        partition_by=(v.session, v.path), order_by=(v.size.desc(), v.number.desc())
    )
    query = (
        scoped(versions, access, v.session, v.path, v.number, (place == 1).label("current"))
        .where(v.scope_id == access.account_id, v.session.in_(list(ids)))
        .order_by(v.session, v.path, v.number)
    )
    return (await connection.execute(query)).all()


async def count_files(connection: Connection, access: Access, session: UUID) -> int:
    """How many further files a session has."""
    query = scoped(versions, access, func.count(versions.c.path.distinct())).where(
        versions.c.scope_id == access.account_id,
        versions.c.session == session,
        versions.c.path != CONVERSATION,
    )
    total: int = (await connection.execute(query)).scalar_one()
    return total


async def bytes_kept(connection: Connection, access: Access) -> int:
    """The sizes of all versions of all the caller's files together."""
    query = scoped(versions, access, func.coalesce(func.sum(versions.c.size), 0)).where(
        versions.c.scope_id == access.account_id
    )
    return int((await connection.execute(query)).scalar_one())


async def add(connection: Connection, access: Access, values: Mapping[str, Any]) -> None:
    """Record a new version: `session`, `path`, `number` and what it is."""
    await connection.execute(insert(versions).values(scope_id=access.account_id, **values))


async def grow(
    connection: Connection,
    access: Access,
    place: tuple[UUID, str, int],
    values: Mapping[str, Any],
) -> None:
    """Let the version at (session, path, number) become a longer one that begins like it."""
    query = (
        update(versions)
        .where(
            versions.c.scope_id == access.account_id,
            tuple_(versions.c.session, versions.c.path, versions.c.number) == place,
        )
        .values(**values)
    )
    await connection.execute(query)


async def forget(connection: Connection, access: Access, session: UUID) -> None:
    """Delete all versions of a session; their blocks wait for the collector."""
    query = delete(versions).where(
        versions.c.scope_id == access.account_id, versions.c.session == session
    )
    await connection.execute(query)


async def forget_file(connection: Connection, access: Access, session: UUID, path: str) -> bool:
    """Delete all versions of a further file, and what was read of it; False if there is none."""
    query = delete(versions).where(
        versions.c.scope_id == access.account_id,
        versions.c.session == session,
        versions.c.path == path,
    )
    gone = (await connection.execute(query.returning(versions.c.number))).all()
    reading = delete(readings).where(
        readings.c.scope_id == access.account_id,
        readings.c.session == session,
        readings.c.file == path,
    )
    await connection.execute(reading)
    return bool(gone)


async def every(connection: Connection, scope_id: UUID) -> AsyncIterator[AnyRow]:
    """Every version in a scope with its session's own id, for who checks or collects blocks."""
    place = (versions.c.session, versions.c.path, versions.c.number)
    columns = (sessions.c.session_id, versions.c.session, versions.c.path, *COLUMNS)
    joined = versions.join(
        sessions,
        (sessions.c.scope_id == versions.c.scope_id) & (sessions.c.id == versions.c.session),
    )
    query = select(*columns).select_from(joined).where(versions.c.scope_id == scope_id)
    after: tuple[UUID, str, int] | None = None
    while True:
        page = query if after is None else query.where(tuple_(*place) > after)
        rows = (await connection.execute(page.order_by(*place).limit(100))).all()
        for row in rows:
            yield row
        if not rows:
            return
        after = (rows[-1].session, rows[-1].path, rows[-1].number)


async def version(
    connection: Connection, scope_id: UUID, place: tuple[UUID, str, int]
) -> AnyRow | None:
    """The version at (session, path, number), for who checks blocks."""
    query = select(*COLUMNS).where(
        versions.c.scope_id == scope_id,
        tuple_(versions.c.session, versions.c.path, versions.c.number) == place,
    )
    return (await connection.execute(query)).one_or_none()


async def block_lists(connection: Connection, scope_id: UUID) -> AsyncIterator[bytes]:
    """The block list of every version in a scope."""
    query = select(versions.c.blocks).where(versions.c.scope_id == scope_id)
    async with connection.stream(query) as rows:
        async for row in rows:
            yield row.blocks


async def scopes(connection: Connection) -> set[UUID]:
    """The scopes in which anything is kept."""
    return set((await connection.execute(select(versions.c.scope_id).distinct())).scalars())
