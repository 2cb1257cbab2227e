"""A large push is indexed after it was answered, and found at once all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from db.engine import Database
from domain import finding, indexing, knowledge
from domain.actor import Actor
from domain.entries import EntryChange, EntryFields, Push
from domain.indexing import BACKLOG_MAX, BATCH, LARGE, Indexer
from domain.knowledge import Filter
from tests.domain.test_feed import person, team
from tests.graph.test_search import WORDS
from tests.support.dial import dial
from tests.support.postgres import TESTING

Matches = list[tuple[UUID, float]]


def entries(count: int, more: str = "") -> tuple[EntryFields, ...]:
    """Entries of which each tenth is about walruses, some in other words and fields."""
    said = ("a walrus", "walruses and getWalrusName", "海象 walrus", "nothing")
    return tuple(
        EntryFields(
            type="decision",
            timestamp=number + 1,
            summary=f"Entry {number}{more} of {said[number % 4] if number % 10 == 0 else 'many'}",
            details="about the walrus, v1.2.3" if number % 30 == 0 else None,
            tags=("walrus-tag",) if number % 20 == 0 else None,
            related_files=("src/walrus/name.py",) if number % 50 == 0 else None,
        )
        for number in range(count)
    )


@pytest.fixture
async def indexer(db: Database) -> AsyncIterator[Indexer]:
    indexer = Indexer(db)
    indexer.start()
    yield indexer
    await indexer.stop()


@pytest.fixture
async def idle(db: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Indexer]:
    """One that takes work and does none, as where a process dies."""

    async def nothing(_db: Database, _scope_id: UUID) -> int:
        return 0

    with monkeypatch.context() as patched:
        patched.setattr(indexing, "index", nothing)
        indexer = Indexer(db)
        indexer.start()
        yield indexer
        await indexer.stop()


async def waiting(db: Database) -> int:
    async with db.read(TESTING) as connection:
        query = text("SELECT count(*) FROM knowledge WHERE NOT indexed OR search IS NULL")
        return int((await connection.execute(query)).scalar_one())


async def answers(db: Database, actor: Actor, team_id: UUID | None = None) -> list[Matches]:
    found = []
    for words in (
        "walrus",
        '"walrus name"',
        "海象",
        "src/walrus",
        "entry -many",
        "wolrus",
        "1.2.3",
    ):
        page = await finding.search(db, actor, words, Filter(team_id=team_id), limit=100)
        count = await finding.count(db, actor, words, Filter(team_id=team_id), page.kind)
        assert count == len(page.matches) > 0, words
        found.append([(entry.id, rank) for entry, rank in page.matches])
    return found


async def test_what_waits_is_found_as_what_is_indexed_and_a_sweep_indexes_it(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, mate = await person(db), await person(db)
    team_id, (owner, mate) = await team(db, owner, mate)
    await knowledge.push(db, owner, Push(entries=entries(20, " before"), teamId=team_id))
    left = Indexer(db)
    monkeypatch.setattr(left, "takes", lambda _count: True)  # never started: it died
    await knowledge.push(db, owner, Push(entries=entries(200), teamId=team_id), left)
    assert await waiting(db) == 200
    outsider = await person(db)
    page = await finding.search(db, outsider, "walrus", Filter(every_team=True), limit=100)
    assert page.matches == []

    before = [await answers(db, actor, team_id) for actor in (owner, mate)]
    assert await indexing.sweep(db) == 200
    assert await waiting(db) == 0
    assert [await answers(db, actor, team_id) for actor in (owner, mate)] == before


async def test_the_task_indexes_within_a_second(db: Database, indexer: Indexer) -> None:
    ada = await person(db)
    await knowledge.push(db, ada, Push(entries=entries(500)), indexer)
    await knowledge.push(db, ada, Push(entries=entries(LARGE, " again")), indexer)
    async with asyncio.timeout(dial(20, 1)):
        while await waiting(db) or not indexer.takes(BACKLOG_MAX):  # noqa: ASYNC110 - polls
            await asyncio.sleep(0.01)


async def test_few_entries_and_too_many_are_indexed_at_once(db: Database, idle: Indexer) -> None:
    ada = await person(db)
    await knowledge.push(db, ada, Push(entries=entries(LARGE - 1)), idle)
    assert await waiting(db) == 0
    assert not idle.takes(BACKLOG_MAX + 1)


async def test_what_waits_may_be_changed_pushed_again_and_deleted(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, left = await person(db), Indexer(db)
    monkeypatch.setattr(left, "takes", lambda _count: True)
    await knowledge.push(db, ada, Push(entries=entries(BATCH * 2)), left)
    first, second, third = await knowledge.page(db, ada, Filter(), limit=3)
    await knowledge.update(db, ada, first.id, EntryChange(summary="now of penguins"))
    newer = entries(BATCH * 2)[-2].model_copy(update={"timestamp": 999, "details": "of puffins"})
    await knowledge.push(db, ada, Push(entries=(newer,)))
    await knowledge.delete(db, ada, third.id)

    async def seen() -> list[list[UUID]]:
        return [
            [e.id for e, _rank in (await finding.exact_page(db, ada, words, Filter(), limit=9))[0]]
            for words in ("penguin", "puffin", f'"{third.summary}"')
        ]  # fmt: skip

    assert await seen() == [[first.id], [second.id], []]
    assert await indexing.sweep(db) == BATCH * 2 - 1
    assert await seen() == [[first.id], [second.id], []]


_PIECES = (
    *(said for said, _asked in WORDS.values()),
    *"aZ9_-./:\\@#'\"+*?&%$ \t\n\u00a0\u0301é中\U00020000😀\x01\x7f\x80ªµºßİıſǅﬁ",
    "getHTTPServerName2", "v1.2", "V8x", "-12.5e-3", "https://a.example/b?c=d&e", "<b>bold</b>",
    "a@b.example", "&amp;", "../up/down.tar.gz", "user's", "re-use", "C:\\dir", "v2v3", "xV10",
)  # fmt: skip


async def test_the_short_cut_for_ascii_finds_the_same_words(database_url: str) -> None:
    chance = Random(22)
    ascii_only = [piece for piece in _PIECES if piece.isascii()]
    texts = [""]
    for number in range(dial(3_000, 100_000)):
        pieces = ascii_only if number % 2 else _PIECES
        texts.append("".join(chance.choices(pieces, k=chance.randrange(1, 25))))
    connection = await asyncpg.connect(database_url)
    try:
        differ = await connection.fetch(
            "SELECT t FROM unnest($1::text[]) AS t "
            "WHERE teamlore_vector(t)::text <> teamlore_vector_of_any(t)::text",
            texts,
        )
    finally:
        await connection.close()
    assert not differ
