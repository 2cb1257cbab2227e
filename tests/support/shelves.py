"""Many messages, written as the reader writes them but without uploads: for plans and benches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert

from db.engine import Database
from db.messages import Only, found
from db.reading_store import Due, Progress, ReadingStore
from db.scope import Access
from db.tables import sessions
from domain.reading.batch import Batch
from domain.reading.lines import Cutter
from domain.reading.records import NO_TIME
from tests.support.library import answered, said, transcript
from tests.support.postgres import TESTING
from tests.support.transcripts import WORDS

_VOCABULARY = [
    f"{word}{number}" for word in ("module", "file", "value", "case") for number in range(2000)
]


def talk(seed: int, count: int, needle: str | None = None) -> bytes:
    """A conversation of `count` messages; one of them says `needle`."""
    return transcript(*_talk(random.Random(seed), seed, count, needle))


def _talk(chance: random.Random, seed: int, count: int, needle: str | None) -> Iterator[Any]:
    for number in range(count):
        day = f"2026-{1 + seed % 12:02}-{1 + number % 28:02}"
        text = " ".join(chance.choices(WORDS, k=40) + chance.choices(_VOCABULARY, k=20))
        if number % 2:
            record = answered(f"m{seed}-{number}", "r", (3, 40, 5, 0, 600), day=day)
            record["message"]["content"] = [{"type": "text", "text": text}]
            yield record
        else:
            said_so = f"{text} {needle} {text}" if needle and number == count // 2 else text
            yield said(said_so, f"u{seed}-{number}", timestamp=f"{day}T{number % 24:02}:00:00Z")


async def shelve(
    db: Database, store: ReadingStore, scope_id: UUID, data: bytes, name: str | None = None
) -> UUID:
    """A session whose conversation was read; nothing of it is in the block store."""
    session = uuid4()
    row = {"scope_id": scope_id, "id": session, "session_id": name or str(session), "version": 1}
    async with db.begin(TESTING) as connection:
        moment = {"created_at": func.now(), "updated_at": func.now()}
        await connection.execute(insert(sessions).values(**row, **moment))
    progress, known = Progress(1, NO_TIME), None
    batch, due = Batch(scope_id, progress), Due(scope_id, session, "")
    lines = Cutter(0, 2**22).feed(data)
    more = True
    while more:
        more = batch.take(lines)
        messages, usage = batch.messages, list(batch.usage.values())
        after = batch.flushed()
        await store.write(due, known, after, messages, usage)
        known = after
    return session


async def explained(db: Database, access: Access, only: Only) -> dict[str, Any]:
    """The plan of a search with its times, as PostgreSQL tells them in JSON."""
    compiled = found(access, only, limit=21).compile(dialect=db.engine.dialect)
    values = tuple(compiled.params[name] for name in compiled.positiontup or ())
    async with db.read(access) as connection:
        statement = f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled.string}"
        rows = await connection.exec_driver_sql(statement, values)
        plan: dict[str, Any] = rows.scalar_one()[0]
    return plan


def indexes_of(plan: dict[str, Any]) -> set[str]:
    """The names of the indexes that a plan uses."""
    node = plan.get("Plan", plan)
    names = {node["Index Name"]} if "Index Name" in node else set()
    return names.union(*(indexes_of(child) for child in node.get("Plans", ())))
