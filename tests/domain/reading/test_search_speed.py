"""A phrase among many messages is found by the index, in a time that a person does not notice."""

from __future__ import annotations

from uuid import uuid4

from db import accounts
from db.messages import Only
from domain.reading.conversation import Part, narrowed, page
from domain.reading.search import search
from tests.support.dial import dial
from tests.support.library import Library
from tests.support.postgres import TESTING, execute
from tests.support.shelves import explained, indexes_of, shelve, talk

NEEDLE = "the purple kettle whistles"


async def test_a_phrase_in_10_000_messages_is_found_by_the_index(library: Library) -> None:
    stranger = uuid4()
    async with library.db.begin(TESTING) as connection:
        await accounts.create(connection, stranger, "eve", {"username": "eve"})
    for seed in range(10):
        data = talk(seed, 1000, NEEDLE if seed == 4 else None)
        await shelve(library.db, library.readings, library.actor.account_id, data)
    for seed in range(dial(2, 20)):
        await shelve(library.db, library.readings, stranger, talk(seed, 1000, NEEDLE))
    await execute(library.db.dsn, "ANALYZE")
    only = narrowed(library.actor, Only(), f'"{NEEDLE}"')
    plans = [await explained(library.db, library.actor.access, only) for _ in range(5)]
    assert "messages_search_idx" in indexes_of(plans[0])
    assert min(plan["Execution Time"] + plan["Planning Time"] for plan in plans) < 50
    beginning = narrowed(library.actor, Only(), "whistl*")
    plan = await explained(library.db, library.actor.access, beginning)
    assert "messages_search_idx" in indexes_of(plan)
    found = await search(library.db, library.actor, f'"{NEEDLE}"', Only(), limit=10)
    assert [hit.message.line for hit in found] == [501]
    assert [part.text for part in found[0].snippet if part.hit] == NEEDLE.split()


async def test_any_line_of_a_long_conversation_is_reached_by_the_key(library: Library) -> None:
    count = dial(5_000, 100_000)
    session = await shelve(library.db, library.readings, library.actor.account_id, talk(1, count))
    for line in (1, count // 2, count - 3):
        rows = await page(library.db, library.actor, session, Part(3, after=line - 1))
        assert [row.line for row in rows] == [line, line + 1, line + 2]
    plan = await library.rows(
        "EXPLAIN SELECT * FROM messages WHERE scope_id = $1 AND session = $2 AND file = '' "
        "AND line > 2000 ORDER BY line LIMIT 20",
        library.actor.account_id,
        session,
    )
    assert any("messages_pkey" in row[0] for row in plan)
