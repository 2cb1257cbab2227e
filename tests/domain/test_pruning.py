"""Pruning: what is old goes, in small steps, and no reader loses anything without being told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from db.engine import Database
from db.pruning import alone
from domain import changes, cursor, knowledge, pruning, summaries, sync
from domain.actor import Actor
from domain.cursor import Position
from domain.entries import Entry, EntryFields, NewEntry, Push
from domain.errors import Invalid, NotFound
from domain.feed import Hub
from domain.pruning import Forgotten, prune
from domain.sync import Tombstone
from tests.domain.test_feed import person, team
from tests.support.postgres import TESTING

KEEP = timedelta(days=90)
AGED = """
UPDATE log SET at = at - interval '100 days' WHERE version <= :version;
UPDATE knowledge SET updated_at = updated_at - interval '100 days' WHERE version <= :version;
UPDATE knowledge SET deleted_at = updated_at WHERE deleted_at IS NOT NULL;
UPDATE summaries SET updated_at = updated_at - interval '100 days' WHERE version <= :version;
UPDATE summaries SET deleted_at = updated_at WHERE deleted_at IS NOT NULL
"""


async def grow_old(db: Database, version: int = 10**9) -> None:
    """Make everything up to a version 100 days older."""
    async with db.begin(TESTING) as connection:
        for statement in AGED.split(";"):
            values = {"version": version} if ":version" in statement else {}
            await connection.execute(text(statement), values)


async def rows(db: Database, query: str) -> list[Any]:
    async with db.read(TESTING) as connection:
        return list((await connection.execute(text(query))).scalars())


async def write(db: Database, actor: Actor, *names: str) -> list[UUID]:
    made = [
        await knowledge.create(db, actor, NewEntry(type="a", timestamp=1, summary=name))
        for name in names
    ]
    return [entry.id for entry in made]


async def pull(
    db: Database, actor: Actor, since: str | None = None, limit: int = 1000
) -> tuple[list[str], str, bool, bool]:
    """What came (a deletion as "-"), the cursor, whether there is more, whether it began again."""
    shown: list[str] = []
    async for chunk in await sync.pull_knowledge(db, actor, since, None, limit):
        shown += [row.summary if isinstance(row, Entry) else "-" for row in chunk.rows]
        last = chunk
    return shown, last.cursor, last.has_more, last.resync


async def test_what_is_old_goes_and_the_newest_of_it_stays(db: Database) -> None:
    actor = await person(db)
    first, second, _third = await write(db, actor, "one", "two", "three")
    await knowledge.delete(db, actor, first)
    await grow_old(db)
    await knowledge.delete(db, actor, second)
    assert await prune(db, KEEP) == Forgotten(3, 1)
    assert await rows(db, "SELECT version FROM log ORDER BY 1") == [4, 5]
    assert await rows(db, "SELECT pruned FROM scopes WHERE kind = 'person'") == [4]
    assert await rows(db, "SELECT summary FROM knowledge ORDER BY 1") == ["three", "two"]
    with pytest.raises(NotFound):
        await knowledge.restore(db, actor, first)
    await knowledge.restore(db, actor, second)
    assert await prune(db, KEEP) == Forgotten()


async def test_what_is_not_old_stays(db: Database) -> None:
    actor = await person(db)
    (entry,) = await write(db, actor, "one")
    await knowledge.delete(db, actor, entry)
    assert await prune(db, KEEP) == Forgotten()
    await knowledge.restore(db, actor, entry)


async def test_a_moved_summarys_tombstone_goes_too(db: Database) -> None:
    team_id, (actor,) = await team(db, await person(db))
    for place in (None, team_id):
        new = summaries.NewSummary(sessionId="s", summary={"a": 1}, teamId=place)
        await summaries.save(db, actor, new)
    assert await rows(db, "SELECT count(*) FROM summaries") == [2]
    await grow_old(db)
    assert (await prune(db, KEEP)).tombstones == 1
    assert await rows(db, "SELECT count(*) FROM summaries WHERE deleted_at IS NULL") == [1]


async def test_many_old_entries_go_in_many_small_batches(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 4)
    monkeypatch.setattr(pruning, "SCOPES_AT_ONCE", 2)
    people = [await person(db) for _ in range(5)]
    for actor in people:
        fields = [EntryFields(type="a", timestamp=1, summary=f"Entry {i}") for i in range(12)]
        await knowledge.push(db, actor, Push(entries=tuple(fields)))
        for entry in await rows(
            db, f"SELECT id FROM knowledge WHERE author_id = '{actor.account_id}' LIMIT 3"
        ):
            await knowledge.delete(db, actor, entry)
    await grow_old(db)
    assert await prune(db, KEEP) == Forgotten(5 * 14, 5 * 3)
    assert await rows(db, "SELECT DISTINCT version FROM log") == [15]


async def test_two_servers_do_not_prune_at_once(db: Database) -> None:
    actor = await person(db)
    await write(db, actor, "one", "two")
    await grow_old(db)
    async with db.begin(TESTING) as connection:
        assert await alone(connection)
        assert await prune(db, KEEP) == Forgotten(0, 0, complete=False)
    done = await asyncio.gather(*(prune(db, KEEP) for _ in range(4)))
    assert sum(d.entries for d in done) == 1


async def test_a_server_prunes_by_itself(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "FIRST_AFTER", timedelta(milliseconds=20))
    await write(db, await person(db), "one", "two")
    await grow_old(db)
    pruner = pruning.Pruner(db, KEEP)
    pruner.start()
    for _ in range(100):
        await asyncio.sleep(0.05)
        if (left := await rows(db, "SELECT count(*) FROM log")) == [1]:
            break
    await pruner.stop()
    assert left == [1]


async def test_pruning_beside_writers_of_the_same_rows_stops_nobody(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 1)
    actor = await person(db)
    entries = await write(db, actor, *(f"Entry {i}" for i in range(20)))
    for entry in entries:
        await knowledge.delete(db, actor, entry)
    await grow_old(db)

    async def restore(entry: UUID) -> bool:
        try:
            await knowledge.restore(db, actor, entry)
        except NotFound:
            return False
        return True

    pruning_now = asyncio.create_task(prune(db, KEEP))
    restored = await asyncio.gather(*map(restore, reversed(entries)))
    await pruning_now
    living = await rows(db, "SELECT count(*) FROM knowledge WHERE deleted_at IS NULL")
    assert living == [sum(restored)]
    assert await rows(db, "SELECT count(*) FROM knowledge") == living


async def test_changes_and_feeds_refuse_what_is_too_old_and_begin_with_what_is_kept(
    db: Database,
) -> None:
    team_id, (owner,) = await team(db, await person(db))
    for i in range(5):
        fields = EntryFields(type="a", timestamp=i, summary=f"Entry {i}")
        await knowledge.push(db, owner, Push(entries=(fields,), teamId=team_id))
    page = await changes.page(db, owner, None, None, 2)
    await grow_old(db, version=4)
    await prune(db, KEEP)
    with pytest.raises(Invalid, match="Validation") as refused:
        await changes.page(db, owner, page.cursor, None, 2)
    assert "start without a cursor" in refused.value.problems[0].message
    hub = Hub(db)
    with pytest.raises(Invalid) as refused:
        await hub.follow(owner, team_id, page.cursor)
    assert "start again without a cursor" in refused.value.problems[0].message
    kept = await changes.page(db, owner, None, [team_id], 100)
    assert [c.version for c in kept.changes] == [4, 5, 6]
    at_the_edge = cursor.encode({team_id: Position(3, everything=True)})
    again = await changes.page(db, owner, at_the_edge, [team_id], 100)
    assert again == kept
    follower = await hub.follow(owner, team_id, at_the_edge)
    assert [event.version for event in await anext(follower)] == [4, 5, 6]


async def test_an_old_cursor_pulls_everything_again_and_says_so(db: Database) -> None:
    actor = await person(db)
    first, *_others = await write(db, actor, *(f"Entry {i}" for i in range(6)))
    _shown, old, _more, _resync = await pull(db, actor)
    await knowledge.delete(db, actor, first)
    await write(db, actor, "newer")
    await grow_old(db)
    await write(db, actor, "newest")
    await prune(db, KEEP)
    expected = [*(f"Entry {i}" for i in range(1, 6)), "newer", "newest"]
    shown, now, more, resync = await pull(db, actor, old)
    assert (shown, more, resync) == (expected, False, True)
    assert await pull(db, actor, now) == ([], now, False, False)


@pytest.mark.parametrize("began", ["never", "old", "0", "epoch"])
async def test_a_pull_in_small_pages_comes_to_an_end_below_what_is_pruned(
    db: Database, began: str
) -> None:
    actor = await person(db)
    entries = await write(db, actor, *(f"Entry {i}" for i in range(6)))
    _shown, old, _more, _resync = await pull(db, actor, limit=2)
    for entry in entries[:2]:
        await knowledge.delete(db, actor, entry)
    await grow_old(db)
    await prune(db, KEEP)
    since = {"never": None, "old": old, "0": "0", "epoch": "1000000000"}[began]
    shown: list[str] = []
    flags = []
    for _page in range(4):
        found, since, more, resync = await pull(db, actor, since, limit=1)
        shown += found
        flags.append(resync)
    assert shown == [f"Entry {i}" for i in range(2, 6)]
    assert (more, flags) == (False, [began == "old", False, False, False])
    await knowledge.delete(db, actor, entries[3])
    assert (await pull(db, actor, since))[0] == ["-"]


async def test_a_reader_half_way_through_that_stops_for_long_begins_again(db: Database) -> None:
    actor = await person(db)
    entries = await write(db, actor, *(f"Entry {i}" for i in range(4)))
    await knowledge.delete(db, actor, entries[0])
    await grow_old(db)
    await prune(db, KEEP)
    shown, half_way, _more, _resync = await pull(db, actor, limit=1)
    assert shown == ["Entry 1"]
    await knowledge.delete(db, actor, entries[1])
    await grow_old(db)
    await write(db, actor, "new")
    await prune(db, KEEP)
    shown, _now, _more, resync = await pull(db, actor, half_way)
    assert (shown, resync) == (["Entry 2", "Entry 3", "new"], True)


async def test_pruning_in_the_middle_of_a_pull_hides_no_deletion(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "CHUNK", 2)
    actor = await person(db)
    entries = await write(db, actor, *(f"Entry {i}" for i in range(6)))
    held: set[UUID] = set()
    chunks = await sync.pull_knowledge(db, actor, cursor.encode({}), None)
    held |= {row.id for row in (await anext(chunks)).rows}
    assert held == set(entries[:2])
    await knowledge.delete(db, actor, entries[0])
    await grow_old(db)
    await prune(db, KEEP)
    resync = False
    async for chunk in chunks:
        if chunk.resync and not resync:
            held, resync = set(), True
        for row in chunk.rows:
            held = held - {row.id} if isinstance(row, Tombstone) else held | {row.id}
    assert held == set(entries[1:])


async def test_a_pull_by_time_of_a_quiet_scope_brings_nothing_again(db: Database) -> None:
    actor = await person(db)
    await write(db, actor, *(f"Entry {i}" for i in range(6)))
    await grow_old(db)
    assert (await prune(db, KEEP)).entries == 5
    since = str(int((datetime.now(UTC) - timedelta(days=1)).timestamp() * 1000))
    assert (await pull(db, actor, since))[0] == []


async def test_a_cursor_from_a_database_that_was_put_back_pulls_everything_again(
    db: Database,
) -> None:
    actor = await person(db)
    await write(db, actor, "one")
    ahead = cursor.encode({actor.account_id: Position(50, everything=True)})
    shown, _cursor, _more, resync = await pull(db, actor, ahead)
    assert (shown, resync) == (["one"], True)
