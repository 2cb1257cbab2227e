"""What row-level security costs: the same statements with it, and as a superuser without.

    python -m bench.row_level_security

Prints the median time of a read by one person, in microseconds: a statement on its own as a
superuser (one round trip), and `Database.read` (BEGIN with the claim, the statement, COMMIT).
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import create_async_engine

from db import accounts, knowledge_search
from db.claims import System
from db.dsn import to_asyncpg_url
from db.embedded import EmbeddedPostgres
from db.engine import Connection, Database
from db.knowledge_list import Filter
from db.knowledge_search import AnyCompound
from db.migrate import upgrade
from db.rows import AnySelect
from db.scope import Access, scoped
from db.tables import knowledge

Query = AnySelect | AnyCompound
ENTRIES, OTHERS, OF_OTHERS, ROUNDS = 5_000, 200, 500, 300
FILL = """
INSERT INTO knowledge (scope_id, id, author_id, type, timestamp, summary, sameness, version,
                       created_at, updated_at)
SELECT $1, gen_random_uuid(), $1, 'decision', n, 'Entry number ' || n || ' of many',
       decode(md5(n::text), 'hex'), n, now(), now() FROM generate_series(1, $2::int) AS n
"""


async def main(dsn: str) -> None:
    """Fill a database and print the figures."""
    await upgrade(dsn)
    db, person = Database(dsn), uuid4()
    await _fill(db, dsn, [person, *(uuid4() for _ in range(OTHERS))])
    access = Access(person, (person,))
    bare = create_async_engine(to_asyncpg_url(dsn), isolation_level="AUTOCOMMIT")
    async with bare.connect() as connection:
        rows = await connection.execute(select(knowledge.c.id).limit(1))
        one = scoped(knowledge, access).where(knowledge.c.id == rows.scalar_one())
    newest = scoped(knowledge, access).order_by(knowledge.c.timestamp.desc()).limit(50)
    queries: dict[str, Query | None] = {
        "one entry": one,
        "a page of 50": newest,
        "a count of 5,000": scoped(knowledge, access, func.count()),
        "a search": knowledge_search.matching(access, "number 1234", Filter()),
    }

    async def without(query: Query) -> None:
        async with bare.connect() as connection:
            (await connection.execute(query)).all()

    async def within(query: Query) -> None:
        async with db.read(access) as connection:
            (await connection.execute(query)).all()

    for name, query in queries.items():
        if query is not None:
            bare_time, bound_time = await _times((without, within), query)
            print(f"{name:18} {bare_time:7.0f} µs without, {bound_time:7.0f} µs with")
    await bare.dispose()
    await db.close()


async def _fill(db: Database, dsn: str, people: list[UUID]) -> None:
    async with db.begin(System("a benchmark")) as connection:
        for person in people:
            await _person(connection, person)
    raw = await asyncpg.connect(dsn)
    for place, person in enumerate(people):
        await raw.execute(FILL, person, OF_OTHERS if place else ENTRIES)
    await raw.execute("VACUUM ANALYZE")
    await raw.close()


async def _person(connection: Connection, person: UUID) -> None:
    await accounts.create(connection, person, str(person), {"username": str(person)})


async def _times(ways: tuple[Callable[[Query], Awaitable[None]], ...], query: Query) -> list[float]:
    """The median of each way, in turns, so that what else the machine does hits both."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, found in zip(ways, times, strict=True):
            begun = time.perf_counter()
            await way(query)
            found.append(time.perf_counter() - begun)
    return [statistics.median(found) * 1e6 for found in times]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder))
        try:
            asyncio.run(main(server.start()))
        finally:
            server.stop()
