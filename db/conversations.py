"""Rows of conversation versions: the block lists of what was uploaded for a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update

from db.engine import Connection
from db.rows import AnyRow
from db.scope import Access, scoped
from db.tables import conversation_versions as versions

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


async def of(connection: Connection, access: Access, session: UUID) -> Sequence[AnyRow]:
    """The versions of one of the caller's sessions, oldest first."""
    query = (
        scoped(versions, access, *COLUMNS)
        .where(versions.c.scope_id == access.account_id, versions.c.session == session)
        .order_by(versions.c.number)
    )
    return (await connection.execute(query)).all()


async def add(
    connection: Connection, access: Access, session: UUID, number: int, values: Mapping[str, Any]
) -> None:
    """Record a new version."""
    query = insert(versions).values(
        scope_id=access.account_id, session=session, number=number, **values
    )
    await connection.execute(query)


async def grow(
    connection: Connection, access: Access, session: UUID, number: int, values: Mapping[str, Any]
) -> None:
    """Let a version become a longer one that begins with the same bytes."""
    query = (
        update(versions)
        .where(
            versions.c.scope_id == access.account_id,
            versions.c.session == session,
            versions.c.number == number,
        )
        .values(**values)
    )
    await connection.execute(query)


async def forget(connection: Connection, access: Access, session: UUID) -> None:
    """Delete the versions of a session; their blocks wait for the collector."""
    query = delete(versions).where(
        versions.c.scope_id == access.account_id, versions.c.session == session
    )
    await connection.execute(query)
