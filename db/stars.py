"""Stars: entries that somebody wants to find again, in that person's own scope."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from db.engine import Connection
from db.tables import stars


async def put(connection: Connection, account_id: UUID, entry_id: UUID) -> bool:
    """Put a star; whether it is new."""
    query = insert(stars).values(scope_id=account_id, entry_id=entry_id)
    done = await connection.execute(query.on_conflict_do_nothing().returning(stars.c.entry_id))
    return done.one_or_none() is not None


async def take(connection: Connection, account_id: UUID, entry_id: UUID) -> bool:
    """Take a star away; whether there was one."""
    query = delete(stars).where(stars.c.scope_id == account_id, stars.c.entry_id == entry_id)
    done = await connection.execute(query.returning(stars.c.entry_id))
    return done.one_or_none() is not None
