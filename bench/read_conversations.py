"""What reading a conversation costs for each MB of it, beside keeping its bytes.

    python -m bench.read_conversations --megabytes 20

uploads a conversation, reads it, then does the same in rounds that append 10 kB, and once with a
version that differs from the middle on, which is read from its beginning.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

from db import accounts
from db.blobs import open_store
from db.claims import System
from db.embedded import EmbeddedPostgres
from db.engine import Database
from db.migrate import upgrade
from db.reading_store import Progress, ReadingStore
from domain.actor import Actor
from domain.conversations import Custody
from domain.reading.batch import Batch
from domain.reading.lines import Cutter
from domain.reading.reader import Reader
from domain.reading.records import NO_TIME
from domain.sessions import About
from settings import Settings
from tests.support.transcripts import transcript


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65536):
        yield data[start : start + 65536]


def _spent(begun: float, cpu: float) -> str:
    seconds, busy = time.perf_counter() - begun, time.process_time() - cpu
    return f"{seconds * 1000:.0f} ms ({busy * 1000:.0f} ms of this process)"


async def run(settings: Settings, megabytes: int) -> None:
    """Upload and read."""
    db = Database(settings.database_url or "")
    custody = Custody(db, open_store(str(settings.data_dir / "blobs")), settings)
    reader = Reader(ReadingStore(db.dsn), custody, settings.reading_line_max)
    person = uuid4()
    actor = Actor(person, {person: "owner"})
    async with db.begin(System("a benchmark")) as connection:
        await accounts.create(connection, person, "al", {"username": "al"})
    data = transcript(1, megabytes * 1_000_000)
    kept, read, used = [], [], []
    begun = time.perf_counter()
    batch = Batch(person, Progress(1, NO_TIME))
    lines = Cutter(0, 2**22).feed(data)
    while batch.take(lines):
        batch.flushed()
    parsing = time.perf_counter() - begun
    for size in (len(data) - 200_000, *range(len(data) - 190_000, len(data) + 1, 10_000)):
        begun = time.perf_counter()
        await custody.upload(actor, "s", _pieces(data[:size]), About())
        kept.append(time.perf_counter() - begun)
        begun, cpu = time.perf_counter(), time.process_time()
        await reader.read_all()
        read.append(time.perf_counter() - begun)
        used.append(time.process_time() - cpu)
    print(f"{megabytes} MB in one upload, to a block store on disk:")
    print(f"  keeping {kept[0] / megabytes * 1000:.1f} ms/MB", end=", ")
    print(f"reading it afterwards {read[0] / megabytes * 1000:.1f} ms/MB", end=" ")
    print(f"({used[0] / megabytes * 1000:.1f} ms/MB of it in this process,", end=" ")
    print(f"{parsing / megabytes * 1000:.1f} ms/MB parsing)")
    rounds = len(kept) - 1
    print(
        f"{rounds} rounds of 10 kB more: keeping {sum(kept[1:]) / rounds * 1000:.1f} ms,", end=" "
    )
    print(f"reading {sum(read[1:]) / rounds * 1000:.1f} ms a round")
    half = len(data) // 2
    other = data[:half] + b"{}\n" + data[half:]
    begun, cpu = time.perf_counter(), time.process_time()
    await custody.upload(actor, "s", _pieces(other), About())
    print(f"a version that differs from the middle on: keeping {_spent(begun, cpu)}", end=", ")
    begun, cpu = time.perf_counter(), time.process_time()
    await reader.read_all()
    print(f"reading all of it anew {_spent(begun, cpu)}")
    await reader.stop()
    await custody.close()
    await db.close()


def main() -> None:
    """Run it in a scratch PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            dsn = server.start()
            asyncio.run(upgrade(dsn))
            settings = Settings(
                environment="test",
                data_dir=Path(folder) / "data",
                database_url=dsn,
                jwt_secret="a secret for benches",
            )
            asyncio.run(run(settings, given.megabytes))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
