"""Knowledge where the transports cannot see: races with removal, repeats within one push."""

from __future__ import annotations

import pytest

from db.engine import Database
from domain import knowledge, memberships
from domain.entries import EntryFields, Push
from domain.errors import Forbidden, NotFound
from domain.knowledge import Filter
from tests.domain.test_feed import person, team


def _entry(summary: str, timestamp: int, details: str) -> EntryFields:
    return EntryFields(type="decision", timestamp=timestamp, summary=summary, details=details)


async def test_a_push_that_was_on_its_way_when_its_author_was_removed_is_refused(
    db: Database,
) -> None:
    owner, bob = await person(db), await person(db)
    team_id, (owner, bob) = await team(db, owner, bob)
    mine = (_entry("mine", 1, "x"),)
    await knowledge.push(db, bob, Push(entries=mine, teamId=team_id))
    (entry,) = await knowledge.page(db, bob, Filter(), limit=10)

    await memberships.remove(db, owner, team_id, bob.account_id)
    with pytest.raises(Forbidden):  # the actor was loaded before the removal
        await knowledge.push(db, bob, Push(entries=(_entry("late", 2, "x"),), teamId=team_id))
    with pytest.raises(NotFound):
        await knowledge.delete(db, bob, entry.id)
    seen = await knowledge.page(db, owner, Filter(team_id=team_id), limit=10)
    assert [item.summary for item in seen] == ["mine"]


@pytest.mark.parametrize("order", [(9, 5), (5, 9)])
async def test_of_equal_entries_in_one_push_the_newest_counts(
    db: Database, order: tuple[int, int]
) -> None:
    ada = await person(db)
    entries = tuple(_entry("same", timestamp, f"at {timestamp}") for timestamp in order)
    pushed = await knowledge.push(db, ada, Push(entries=entries))
    (entry,) = await knowledge.page(db, ada, Filter(), limit=10)
    assert (pushed.accepted, pushed.skipped, entry.details) == (1, 1, "at 9")
