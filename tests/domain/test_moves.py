"""What moves between scopes is gone here and is there: never lost, whatever order scopes have."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from db import log
from db.engine import Database
from domain import changes, journal, knowledge, sync
from domain.actor import Actor
from domain.entries import Entry, NewEntry
from tests.domain.test_feed import person, team
from tests.support.postgres import TESTING

LEAVE = """
UPDATE knowledge SET deleted_at = :at, updated_at = :at, version = :version
WHERE scope_id = :source AND id = :id
"""
ARRIVE = """
INSERT INTO knowledge (scope_id, id, author_id, type, timestamp, summary, details, tags,
    related_files, sameness, version, created_at, updated_at)
SELECT :target, id, author_id, type, timestamp, summary, details, tags, related_files, sameness,
    :version, created_at, :at
FROM knowledge WHERE scope_id = :source AND id = :id
"""


async def move(db: Database, actor: Actor, entry_id: UUID, source: UUID, target: UUID) -> None:
    """Move an entry, which keeps its id."""
    async with db.begin(TESTING) as connection:
        heads = await log.advance(connection, actor.account_id, {source: 1, target: 1})
        left = journal.entry(heads[source], "knowledge_deleted", entry_id, actor.account_id)
        came = journal.entry(heads[target], "knowledge_created", entry_id, actor.account_id)
        assert left.at == came.at
        about = {"source": source, "id": entry_id, "at": left.at}
        arrival = {**about, "target": target, "version": came.version}
        await connection.execute(text(ARRIVE), arrival)
        await connection.execute(text(LEAVE), {**about, "version": left.version})
        await journal.append(connection, [left, came])


async def pull(
    db: Database, actor: Actor, since: str | None, team_id: UUID | None
) -> tuple[dict[UUID, UUID | None], str]:
    """The scope of each row that came, None for a tombstone; nothing comes twice."""
    came: dict[UUID, UUID | None] = {}
    async for chunk in await sync.pull_knowledge(db, actor, since, team_id):
        for row in chunk.rows:
            assert row.id not in came
            came[row.id] = row.scope_id if isinstance(row, Entry) else None
        last = chunk.cursor
    return came, last


async def written(db: Database, actor: Actor, count: int) -> Sequence[UUID]:
    return [
        (
            await knowledge.create(db, actor, NewEntry(type="a", timestamp=1, summary=f"Entry {i}"))
        ).id
        for i in range(count)
    ]


async def test_who_sees_both_scopes_keeps_what_moved_and_others_lose_it(db: Database) -> None:
    for _order_of_ids in range(6):
        one, (author, mate) = await team(db, await person(db), await person(db))
        first, second = await written(db, author, 2)
        _rows, mine = await pull(db, author, None, None)
        await move(db, author, first, author.account_id, one)
        await move(db, author, second, author.account_id, one)
        came, mine = await pull(db, author, mine, None)
        assert came == {first: one, second: one}
        _rows, theirs = await pull(db, mate, None, one)
        assert _rows.keys() == {first, second}
        two, (author,) = await team(db, author)
        await move(db, author, second, one, two)
        assert (await pull(db, author, mine, None))[0] == {second: two}
        assert (await pull(db, mate, theirs, one))[0] == {second: None}


async def test_a_moved_entry_that_is_deleted_there_is_deleted_once(db: Database) -> None:
    for _order_of_ids in range(6):
        team_id, (author,) = await team(db, await person(db))
        (entry_id,) = await written(db, author, 1)
        _rows, since = await pull(db, author, None, None)
        await move(db, author, entry_id, author.account_id, team_id)
        await pull(db, author, since, None)
        await knowledge.delete(db, author, entry_id)
        assert (await pull(db, author, since, None))[0] == {entry_id: None}


async def test_changes_tell_of_the_leaving_before_the_arriving(db: Database) -> None:
    for _order_of_ids in range(6):
        team_id, (author,) = await team(db, await person(db))
        entries = await written(db, author, 3)
        cursor = (await changes.page(db, author, None, None, 100)).cursor
        for entry_id in entries:
            await move(db, author, entry_id, author.account_id, team_id)
        seen = []
        more = True
        while more:
            page = await changes.page(db, author, cursor, None, 1)
            seen += [(change.kind, change.subject_id) for change in page.changes]
            cursor, more = page.cursor, page.has_more
        assert seen == [
            (kind, entry_id)
            for entry_id in entries
            for kind in ("knowledge_deleted", "knowledge_created")
        ]
