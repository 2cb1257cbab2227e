"""Following the log: in order, exactly once, from any cursor, and only while one may."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from db import accounts as account_rows
from db import feed as feed_rows
from db import keys as key_rows
from db import teams as team_rows
from db.engine import Connection, Database
from db.notify import Listener
from domain import cursor, knowledge, memberships, teams
from domain.actor import Actor, Role
from domain.cursor import Position
from domain.entries import EntryFields, NewEntry, Push
from domain.errors import Invalid, NotFound
from domain.feed import FeedEvent, Follower, Hub, Revoked
from domain.teams import NewTeam
from tests.support.dial import dial
from tests.support.postgres import TESTING


@pytest.fixture
async def hub(db: Database) -> AsyncIterator[Hub]:
    hub = Hub(db)
    await hub.start()
    yield hub
    await hub.stop()


async def person(db: Database) -> Actor:
    account_id = uuid4()
    async with db.begin(TESTING) as connection:
        await account_rows.create(connection, account_id, "someone", {"username": str(account_id)})
    return Actor(account_id, {account_id: "owner"})


async def team(db: Database, owner: Actor, *members: Actor) -> tuple[UUID, list[Actor]]:
    """A team's id, and everybody as they are once they belong to it."""
    team_id = (await teams.create(db, owner, NewTeam(name="Readers"))).id
    async with db.begin(TESTING) as connection:
        for member in members:
            await team_rows.add_member(connection, team_id, member.account_id, "member")
    role: Role = "member"
    joined = [replace(actor, roles={**actor.roles, team_id: role}) for actor in members]
    return team_id, [replace(owner, roles={**owner.roles, team_id: "owner"}), *joined]


async def push(db: Database, actor: Actor, team_id: UUID, first: int, count: int) -> None:
    entries = tuple(
        EntryFields(type="decision", timestamp=i, summary=f"Entry {i}")
        for i in range(first, first + count)
    )
    await knowledge.push(db, actor, Push(entries=entries, teamId=team_id))


async def take(follower: Follower, count: int, seconds: float = 10) -> list[FeedEvent]:
    """The next `count` events, and no more of what their last batch held."""
    events: list[FeedEvent] = []
    async with asyncio.timeout(seconds):
        while len(events) < count:
            events += await anext(follower)
    return events


def summaries(events: Sequence[FeedEvent]) -> list[str | None]:
    return [event.entry.summary if event.entry else None for event in events]


async def test_each_event_comes_once_and_in_order(db: Database, hub: Hub) -> None:
    team_id, (owner, member) = await team(db, await person(db), await person(db))
    follower = await hub.follow(member, team_id)
    await push(db, owner, team_id, 0, 500)
    events = await take(follower, 500)
    assert summaries(events) == [f"Entry {i}" for i in range(500)]
    assert [e.version for e in events] == sorted({e.version for e in events})


@pytest.mark.parametrize("kept", [500, 3])
async def test_a_follower_goes_on_behind_its_cursor(
    db: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr("domain.tail.KEPT_EVENTS", kept)
    team_id, (owner,) = await team(db, await person(db))
    beginning = cursor.encode({team_id: Position(0)})
    seen = await take(await hub.follow(owner, team_id, beginning), 1)
    assert [event.kind for event in seen] == ["team_created"]
    for chunk in range(4):
        await push(db, owner, team_id, chunk * 100, 100)
        follower = await hub.follow(owner, team_id, seen[-1].cursor)
        seen += (await take(follower, 70))[:70]
    seen += await take(await hub.follow(owner, team_id, seen[-1].cursor), 120)
    assert summaries(seen[1:]) == [f"Entry {i}" for i in range(400)]


async def test_many_slow_followers_share_one_reading(db: Database, hub: Hub) -> None:
    team_id, (owner,) = await team(db, await person(db))
    followers = [await hub.follow(owner, team_id) for _ in range(50)]
    for chunk in range(10):
        await push(db, owner, team_id, chunk * 100, 100)
    taken = await asyncio.gather(*(take(f, 1000, seconds=60) for f in followers))
    assert all(summaries(events) == [f"Entry {i}" for i in range(1000)] for events in taken)


async def test_a_lost_notification_costs_at_most_a_second(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listener, "start", lambda _self: None)
    hub = Hub(db)
    await hub.start()
    team_id, (owner,) = await team(db, await person(db))
    follower = await hub.follow(owner, team_id)
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await push(db, owner, team_id, 0, 1)
    await take(follower, 1)
    assert time.monotonic() - began < dial(8.0, 1.0)
    await hub.stop()


async def test_what_is_longer_than_a_page_is_read_on_at_once(
    db: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    team_id, (owner,) = await team(db, await person(db))
    follower = await hub.follow(owner, team_id)
    monkeypatch.setattr("domain.feed.LOOK_SECONDS", 3600)
    await asyncio.sleep(0.6)
    await push(db, owner, team_id, 0, 500)
    assert len(await take(follower, 500, seconds=dial(16, 2))) == 500


async def test_a_tail_that_was_made_anew_during_a_read_takes_nothing_twice(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.feed.PAGE", 2)
    team_id, (owner,) = await team(db, await person(db))
    hub = Hub(db)  # not started: the test takes its steps
    await hub.follow(owner, team_id)
    await push(db, owner, team_id, 0, 3)
    read = feed_rows.page
    newcomers: list[Follower] = []

    async def reread(connection: Connection, positions: Mapping[UUID, int], limit: int) -> Any:
        found = await read(connection, positions, limit)
        if not newcomers:
            del hub._tails[team_id]  # as when nobody followed any more
            newcomers.append(await hub.follow(owner, team_id))
        return found

    monkeypatch.setattr(feed_rows, "page", reread)
    await hub._read_on()
    assert hub._tails[team_id].read == newcomers[0].position, "it went back to what was read before"
    await push(db, owner, team_id, 3, 1)
    hub.wake(team_id)
    await hub._read_on()
    assert summaries(await take(newcomers[0], 1)) == ["Entry 3"]


async def test_the_listener_comes_back_after_its_connection_was_cut(
    db: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    team_id, (owner,) = await team(db, await person(db))
    follower = await hub.follow(owner, team_id)
    await push(db, owner, team_id, 0, 1)
    await take(follower, 1)
    async with db.begin(TESTING) as connection:
        await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        )
    await asyncio.sleep(0.5)
    monkeypatch.setattr("domain.feed.LOOK_SECONDS", 3600)
    await asyncio.sleep(0.6)
    await push(db, owner, team_id, 1, 1)
    assert summaries(await take(follower, 1, seconds=dial(8, 1))) == ["Entry 1"]


async def test_whoever_is_removed_gets_nothing_later(db: Database, hub: Hub) -> None:
    team_id, (owner, member) = await team(db, await person(db), await person(db))
    waiting, behind = await hub.follow(member, team_id), await hub.follow(member, team_id)
    await push(db, owner, team_id, 0, 1)
    await take(waiting, 1)
    began = time.monotonic()
    next_batch = asyncio.ensure_future(anext(waiting))
    await memberships.remove(db, owner, team_id, member.account_id)
    await push(db, owner, team_id, 1, 1)
    with pytest.raises(Revoked):
        await next_batch
    assert time.monotonic() - began < dial(8.0, 1.0)
    with pytest.raises(Revoked):
        await anext(behind)


async def test_whoever_has_fallen_behind_is_checked_with_every_page(db: Database) -> None:
    team_id, (owner, member) = await team(db, await person(db), await person(db))
    await push(db, owner, team_id, 0, 500)
    hub = Hub(db)  # not started: nothing but the page itself can tell
    follower = await hub.follow(member, team_id, cursor.encode({team_id: Position(0)}))
    assert len(await anext(follower)) == 200
    await memberships.remove(db, owner, team_id, member.account_id)
    with pytest.raises(Revoked):
        await anext(follower)


async def test_whoever_left_and_came_back_can_read_over_it(db: Database, hub: Hub) -> None:
    team_id, (_owner, member) = await team(db, await person(db), await person(db))
    await memberships.remove(db, member, team_id, member.account_id)
    async with db.begin(TESTING) as connection:
        await team_rows.add_member(connection, team_id, member.account_id, "member")
    follower = await hub.follow(member, team_id, cursor.encode({team_id: Position(0)}))
    assert [e.kind for e in await take(follower, 2)] == ["team_created", "member_left"]


async def test_a_revoked_key_ends_what_it_opened(db: Database, hub: Hub) -> None:
    actor = await person(db)
    key_id = uuid4()
    async with db.begin(TESTING) as connection:
        await key_rows.add(
            connection,
            key_id=key_id,
            account_id=actor.account_id,
            digest=b"digest",
            prefix="prefix",
            label="",
            scopes=["read"],
            expires_at=None,
        )
    by_key = await hub.follow(replace(actor, key_id=key_id), actor.account_id)
    by_token = await hub.follow(replace(actor, token_epoch=0), actor.account_id)
    both = [asyncio.ensure_future(anext(follower)) for follower in (by_key, by_token)]
    async with db.begin(TESTING) as connection:
        await key_rows.revoke(connection, actor.account_id, key_id)
        await account_rows.advance_epoch(connection, actor.account_id)
    for ended in both:
        with pytest.raises(Revoked):
            await asyncio.wait_for(ended, 1)


async def test_wrong_cursors_and_scopes_are_refused(db: Database, hub: Hub) -> None:
    team_id, (owner,) = await team(db, await person(db))
    stranger = await person(db)
    with pytest.raises(NotFound):
        await hub.follow(stranger, team_id)
    for after in ("?", cursor.encode({}), cursor.encode({team_id: Position(99)})):
        with pytest.raises(Invalid):
            await hub.follow(owner, team_id, after)


async def test_an_event_of_a_deleted_entry_has_no_entry(db: Database, hub: Hub) -> None:
    actor = await person(db)
    entry = await knowledge.create(db, actor, NewEntry(type="a", timestamp=1, summary="Gone"))
    await knowledge.delete(db, actor, entry.id)
    follower = await hub.follow(
        actor, actor.account_id, cursor.encode({actor.account_id: Position(0)})
    )
    events = await take(follower, 2)
    assert [(e.kind, e.entry) for e in events] == [
        ("knowledge_created", None),
        ("knowledge_deleted", None),
    ]


@pytest.mark.parametrize("behind", [False, True])
async def test_a_deleted_team_ends_its_feed_with_that_event_whenever_rights_are_looked_at(
    db: Database, monkeypatch: pytest.MonkeyPatch, behind: bool
) -> None:
    async def not_yet(*_: object) -> bool:
        return False

    monkeypatch.setattr(team_rows, "bury_contents", not_yet)
    team_id, (owner, member) = await team(db, await person(db), await person(db))
    await push(db, owner, team_id, 0, 2)
    hub = Hub(db)  # never started: everything below happens in this order
    after = cursor.encode({team_id: Position(0)}) if behind else None
    follower = await hub.follow(member, team_id, after)
    await push(db, owner, team_id, 2, 1)
    await teams.delete(db, owner, team_id)
    await hub._look_around()
    await hub._read_on()
    events = await take(follower, 5 if behind else 2)
    assert events[-1].kind == "team_deleted"
    assert summaries(events) == [None] * len(events)
    with pytest.raises(StopAsyncIteration):
        await anext(follower)


async def test_tails_that_nobody_follows_are_dropped(db: Database, hub: Hub) -> None:
    actor = await person(db)
    follower = await hub.follow(actor, actor.account_id)
    assert len(hub._tails) == 1
    await follower.aclose()
    await asyncio.sleep(0.7)
    assert not hub._tails
