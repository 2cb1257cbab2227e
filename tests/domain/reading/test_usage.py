"""Tokens, counted by hand: streamed repeats, resumed sessions and subagents count once."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from db.reading_store import Progress
from domain import sessions
from domain.actor import Actor
from domain.reading import usage
from domain.reading.batch import Batch
from domain.reading.lines import Cutter as Lines
from domain.reading.records import NO_TIME
from domain.reading.usage import ModelDay, Tokens
from domain.sessions import About
from tests.support.library import Library, answered, due, said, transcript

FIRST = [
    said("Begin"),
    answered("m1", "r1", (10, 1, 100, 0, 7)),  # the beginning of a streamed answer
    answered("m1", "r1", (10, 5, 100, 0, 7)),
    answered("m1", "r1", (10, 9, 100, 40, 7)),  # its last line: this counts
    answered("m2", "r2", (20, 30, 0, 0, 0), model="haiku"),
    answered("m2", "r3", (1, 2, 0, 0, 0), model="haiku"),  # another request: another answer
    answered("m3", None, (4, 4, 0, 0, 4), day="2026-05-02"),
    answered("m3", None, (5, 6, 0, 0, 4), day="2026-05-02"),
    answered(None, None, (1, 1, 0, 0, 0), day="2026-05-02", uuid="only"),
    answered("m0", "r0", (0, 0, 0, 0, 0), model="<synthetic>"),
]
RESUMED = [
    *FIRST[:5],  # a resumed session begins with a copy of what it resumes
    answered("m4", "r4", (7, 8, 0, 0, 9), day="2026-05-03"),
]
SUBAGENT = [
    answered("m5", "r5", (50, 60, 0, 0, 0), model="haiku", isSidechain=True, agentId="x"),
    answered("m4", "r4", (7, 8, 0, 0, 9), day="2026-05-03"),  # also in the main file
]
BY_HAND = {
    "day": {
        "2026-05-01": Tokens(4, 10 + 20 + 1 + 50, 9 + 30 + 2 + 60, 100, 40, 7),
        "2026-05-02": Tokens(2, 5 + 1, 6 + 1, 0, 0, 4),
        "2026-05-03": Tokens(1, 7, 8, 0, 0, 9),
    },
    "model": {
        "opus": Tokens(4, 10 + 5 + 1 + 7, 9 + 6 + 1 + 8, 100, 40, 7 + 4 + 9),
        "haiku": Tokens(3, 20 + 1 + 50, 30 + 2 + 60, 0, 0, 0),
    },
}


async def read_file(library: Library, session: UUID, file: str, lines: list[Any]) -> None:
    """Hand lines of a further file to the reader's store, as the reader itself does."""
    data, fresh = transcript(*lines), Progress(1, NO_TIME)
    batch = Batch(library.actor.account_id, fresh)
    batch.take(Lines(0, 2**20).feed(data))
    messages, found = batch.messages, list(batch.usage.values())
    place = due(library, session, file)
    await library.readings.write(place, None, batch.flushed(), messages, found)


async def by(library: Library, kind: usage.By, **days: date) -> dict[str | None, Tokens]:
    groups = await usage.totals(library.db, library.actor, kind, **days)
    return {group.name: group.tokens for group in groups}


async def test_totals_are_those_counted_by_hand(library: Library) -> None:
    first = await library.keep("first", *FIRST)
    resumed = await library.keep("resumed", *RESUMED)
    await read_file(library, resumed, "subagents/agent-x.jsonl", SUBAGENT)
    for kind, expected in BY_HAND.items():
        assert await by(library, kind) == expected  # type: ignore[arg-type]
    of = await usage.of_sessions(library.db, library.actor, [first, resumed])
    assert of[first] == [
        ModelDay("haiku", date(2026, 5, 1), Tokens(2, 21, 32, 0, 0, 0)),
        ModelDay("opus", date(2026, 5, 1), Tokens(1, 10, 9, 100, 40, 7)),
        ModelDay("opus", date(2026, 5, 2), Tokens(2, 6, 7, 0, 0, 4)),
    ]
    assert of[resumed] == [
        ModelDay("haiku", date(2026, 5, 1), Tokens(2, 70, 90, 0, 0, 0)),
        ModelDay("opus", date(2026, 5, 1), Tokens(1, 10, 9, 100, 40, 7)),
        ModelDay("opus", date(2026, 5, 3), Tokens(1, 7, 8, 0, 0, 9)),
    ]


async def test_the_order_of_uploads_changes_nothing(library: Library) -> None:
    resumed = await library.keep("resumed", *RESUMED)
    await read_file(library, resumed, "subagents/agent-x.jsonl", SUBAGENT)
    for count in range(1, len(FIRST) + 1):
        await library.keep("first", *FIRST[:count])
    for kind, expected in BY_HAND.items():
        assert await by(library, kind) == expected  # type: ignore[arg-type]


async def test_what_a_deleted_session_shared_still_counts(library: Library) -> None:
    await library.keep("first", *FIRST)
    await library.keep("resumed", *RESUMED)
    expected = Tokens(4, 10 + 20 + 7, 9 + 30 + 8, 100, 40, 7 + 9)
    for gone in ("first", "resumed"):
        await library.keep("first", *FIRST)
        await library.keep("resumed", *RESUMED)
        await sessions.delete(library.db, library.actor, gone)
        await library.reader.read_all()
        total = sum((await by(library, "model")).values(), Tokens())
        if gone == "first":
            assert total.messages == 3
            assert (total.input, total.output) == (37, 47)
            assert total.cache_read == expected.cache_read
        else:
            assert total.messages == 5


async def test_days_and_projects(library: Library) -> None:
    await library.upload("a", transcript(*FIRST), About(project_name="tea"), chunk=10_000)
    await library.upload("b", transcript(*RESUMED[5:]), About(project_name="pot"), chunk=10_000)
    await library.reader.read_all()
    assert set(await by(library, "project")) == {"tea", "pot"}
    some = await by(library, "day", first=date(2026, 5, 2), last=date(2026, 5, 2))
    assert some == {"2026-05-02": BY_HAND["day"]["2026-05-02"]}


async def test_nobody_elses_tokens_are_counted(library: Library) -> None:
    session = await library.keep("first", *FIRST)
    other = Library.__new__(Library)
    other.db, other.actor = library.db, _stranger()
    assert await by(other, "day") == {}
    assert await usage.of_sessions(library.db, other.actor, [session]) == {session: []}


def _stranger() -> Actor:
    id = UUID(int=7)
    return Actor(id, {id: "owner"})
