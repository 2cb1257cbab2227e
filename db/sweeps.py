"""How uploads and the collector of unused blocks keep out of each other's way.

Each scope has a number, odd while blocks of it are being collected. The collector makes it odd,
and then, holding the scope's lock, deletes and makes it even again. An upload notes an even number
before it looks at anything, and commits, under the same lock, only on the same number: then nothing
was deleted meanwhile. Whatever moment either of them dies at, an odd number stays, and the next one
that comes by ends it, after which the collector deletes nothing any more.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, insert, select, update

from db.engine import Connection
from db.tables import scopes, sweeps


async def number(connection: Connection, scope_id: UUID) -> int:
    """The scope's number now."""
    query = select(sweeps.c.number).where(sweeps.c.scope_id == scope_id)
    return (await connection.execute(query)).scalar_one_or_none() or 0


async def lock(connection: Connection, scope_id: UUID) -> bool:
    """Wait for the scope's lock, which writers hold until they commit; False if it is gone."""
    query = select(func.count()).select_from(
        select(scopes.c.id).where(scopes.c.id == scope_id).with_for_update().subquery()
    )
    return bool((await connection.execute(query)).scalar_one())


async def advance(connection: Connection, scope_id: UUID) -> int:
    """Move the number on by one; the new one. The scope's lock must be held."""
    query = (
        update(sweeps)
        .where(sweeps.c.scope_id == scope_id)
        .values(number=sweeps.c.number + 1)
        .returning(sweeps.c.number)
    )
    moved: int | None = (await connection.execute(query)).scalar_one_or_none()
    if moved is None:
        moved = 1
        await connection.execute(insert(sweeps).values(scope_id=scope_id, number=moved))
    return moved
