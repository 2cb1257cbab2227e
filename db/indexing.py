"""Entries whose search columns are still empty: which scopes have some, and filling them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update

from db.engine import Connection
from db.tables import knowledge

SCOPES_MAX = 100


async def scopes(connection: Connection) -> Sequence[UUID]:
    """Some of the scopes with such entries."""
    query = select(knowledge.c.scope_id).where(~knowledge.c.indexed).distinct().limit(SCOPES_MAX)
    return (await connection.execute(query)).scalars().all()


async def index(connection: Connection, scope_id: UUID, limit: int) -> int:
    """Fill the search columns of up to `limit` of a scope's entries; how many those were.

    Whoever changes an entry at this moment is not waited for, so that nobody waits in a circle.
    """
    waiting = (
        select(knowledge.c.id)
        .where(knowledge.c.scope_id == scope_id, ~knowledge.c.indexed)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("waiting")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    query = (
        update(knowledge)
        .where(knowledge.c.scope_id == scope_id, knowledge.c.id == waiting.c.id)
        .values(indexed=True)
    )
    return (await connection.execute(query)).rowcount
