"""How long a search over one account's conversations takes in the database, with its plan.

    python -m bench.search_conversations --sessions 20 --messages 500 --strangers 3

prints the times of PostgreSQL itself (planning and execution) for some kinds of queries.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text

from db import accounts
from db.claims import System
from db.embedded import EmbeddedPostgres
from db.engine import Database
from db.messages import Only
from db.migrate import upgrade
from db.reading_store import ReadingStore
from domain.actor import Actor
from domain.reading.conversation import narrowed
from tests.support.postgres import execute
from tests.support.shelves import explained, indexes_of, shelve, talk

QUERIES = {
    "a phrase": '"the purple kettle whistles"',
    "a rare word": "kettle",
    "two common words": "migration parser",
    "a common word": "the",
    "a beginning": "kett*",
    "Japanese": "日本語",
    "nothing": "zzzz",
}


async def run(dsn: str, sessions: int, messages: int, strangers: int) -> None:
    """Fill a database and measure."""
    db, store = Database(dsn), ReadingStore(dsn)
    people = [uuid4() for _ in range(1 + strangers)]
    started, size = time.perf_counter(), 0
    for person in people:
        async with db.begin(System("a benchmark")) as connection:
            await accounts.create(connection, person, str(person), {"username": str(person)})
        for seed in range(sessions):
            needle = "the purple kettle whistles" if seed == sessions // 2 else None
            data = talk(seed, messages, needle)
            size += len(data)
            await shelve(db, store, person, data)
    took = time.perf_counter() - started
    print(f"{len(people)} accounts x {sessions} sessions x {messages} messages,", end=" ")
    print(f"{size / 1e6:.0f} MB of lines, made and indexed in {took:.0f} s")
    await execute(dsn, "ANALYZE")
    async with db.begin(System("a benchmark")) as connection:
        for name in ("messages", "messages_search_idx", "token_usage"):
            statement = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
            found = (await connection.execute(statement, {"name": name})).scalar_one()
            print(f"  {name}: {found / 1e6:.0f} MB")
    actor = Actor(people[0], {people[0]: "owner"})
    for name, query in QUERIES.items():
        only = narrowed(actor, Only(), query)
        plans = [await explained(db, actor.access, only) for _ in range(7)]
        times = sorted(plan["Planning Time"] + plan["Execution Time"] for plan in plans)
        used = ", ".join(sorted(indexes_of(plans[-1]) - {"sessions_pkey"}))
        print(f"  {name:18} {statistics.median(times):8.2f} ms (worst {times[-1]:.2f})  {used}")
    await store.close()
    await db.close()


def main() -> None:
    """Run it in a scratch PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--strangers", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder))
        try:
            dsn = server.start()
            asyncio.run(upgrade(dsn))
            asyncio.run(run(dsn, given.sessions, given.messages, given.strangers))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
