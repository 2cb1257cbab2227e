"""Following the log: each new event of a scope, in order, exactly once, while one may see it.

A process reads new rows once a scope, however many follow it. A NOTIFY only says where to look, and
a look at every followed scope each half second makes a lost one cost no more than that. The same
look asks whether each follower still may see what it follows (member, key, token); whoever may not
is ended before anything later is delivered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID
from weakref import WeakSet

from db import feed as rows
from db.claims import System
from db.engine import Database
from db.feed import LOG_COLUMNS, Standing
from db.notify import Listener
from db.tables import COMMUNITY
from domain import cursor
from domain.actor import Actor
from domain.entries import Entry
from domain.errors import (
    DatabaseFullError,
    DatabaseUnavailableError,
    Forbidden,
    Invalid,
    NotFound,
)
from domain.policy import require
from domain.tail import FeedEvent, Tail

__all__ = ["FeedEvent", "Follower", "Hub", "Revoked", "event_of"]

LOOK_SECONDS = 0.5
PAGE = 200
CATCHING_UP_AT_ONCE = 4
_ENDS_A_MEMBERSHIP = frozenset({"member_left", "member_removed"})
_ENDS_A_SCOPE = "team_deleted"
_TAIL = System("tail of the log")
"""It reads on behalf of many at once; each event goes to those whose rights were looked at."""

_logger = logging.getLogger(__name__)


class Revoked(Forbidden):
    """Your access has ended"""


class Follower:
    """One reader of one scope's log: an iterator of batches of events, oldest first.

    Raises Revoked once its actor may no longer read the scope, and ends after the scope's last
    event. Nothing is queued for it: whoever reads slowly has an older `position`, and that is all.
    """

    def __init__(self, hub: Hub, tail: Tail, standing: Standing, position: int) -> None:
        self.standing = standing
        self.position = position
        self.revoked = False
        self._ended = False
        self.on_revoked: Callable[[], None] | None = None
        """Called when it is revoked, for whoever may not be reading from it at that moment."""
        self._hub = hub
        self._tail = tail

    def __aiter__(self) -> Follower:
        return self

    async def __anext__(self) -> Sequence[FeedEvent]:
        while not self._ended:
            grown = self._tail.grown
            batch = await self._next_batch()
            self.check()
            if batch:
                self.position = batch[-1].version
                self._ended = batch[-1].kind == _ENDS_A_SCOPE
                return batch
            await grown.wait()
        raise StopAsyncIteration

    async def _next_batch(self) -> Sequence[FeedEvent]:
        self.check()
        base = self._tail.base
        batch = self._tail.after(self.position, PAGE)
        if batch is None:
            batch = await self._hub.page(self.standing, self.position)
            if not batch:
                self.position = base
                batch = self._tail.after(self.position, PAGE) or []
        return batch

    def check(self) -> None:
        """Raises Revoked when the actor may no longer see what it follows."""
        if self.revoked:
            raise Revoked

    def revoke(self) -> None:
        """End it, now if it waits."""
        if not self.revoked:
            self.revoked = True
            self._tail.wake()
            if self.on_revoked is not None:
                self.on_revoked()

    async def aclose(self) -> None:
        """Stop following."""
        self.on_revoked = None
        self._hub.forget(self)


class Hub:
    """All followers of this process, and the one task that reads the log for them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._tails: dict[UUID, Tail] = {}
        self._followers: WeakSet[Follower] = WeakSet()
        self._grown: set[UUID] = set()
        self._look = asyncio.Event()
        self._catching_up = asyncio.Semaphore(CATCHING_UP_AT_ONCE)
        self._listener = Listener(db.dsn, self.wake)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to read on behalf of followers."""
        self._listener.start()
        self._task = asyncio.create_task(self._run(), name="log tail")

    async def stop(self) -> None:
        """Stop reading. Followers that still wait get nothing more."""
        await self._listener.stop()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def follow(self, actor: Actor, scope_id: UUID, after: str | None = None) -> Follower:
        """Follow a scope from now on, or from just behind the cursor `after`.

        Raises NotFound for a scope that the actor does not belong to, and Invalid for a cursor
        that is not one of this scope, or too old or too new for its log.
        """
        require(actor, "team.read", scope_id)
        return await self._follow(actor, scope_id, after)

    async def follow_community(self, actor: Actor, after: str | None = None) -> Follower:
        """Follow what the community publishes, which everybody may who has an account."""
        return await self._follow(actor, COMMUNITY, after)

    async def _follow(self, actor: Actor, scope_id: UUID, after: str | None) -> Follower:
        standing = Standing(actor.account_id, scope_id, actor.key_id, actor.token_epoch)
        async with self._db.read(actor) as connection:
            bounds = (await rows.bounds(connection, [scope_id])).get(scope_id)
            if (
                bounds is None
                or bounds.deleted
                or not await rows.still_standing(connection, {standing})
            ):
                raise NotFound
        position = bounds.head if after is None else _position(after, scope_id, bounds)
        tail = self._tails.setdefault(scope_id, Tail(scope_id, bounds.head))
        follower = Follower(self, tail, standing, position)
        self._followers.add(follower)
        self.wake(scope_id)
        return follower

    def forget(self, follower: Follower) -> None:
        """Have nothing more to do with a follower."""
        self._followers.discard(follower)

    def wake(self, scope_id: UUID | None) -> None:
        """Something was logged in this scope or, with None, perhaps in any."""
        self._grown.update(self._tails if scope_id is None else {scope_id} & self._tails.keys())
        self._look.set()

    async def page(self, standing: Standing, after: int) -> list[FeedEvent]:
        """Events straight from the database, for one who has fallen behind. Raises Revoked.

        The right is asked for after the reading: had it ended before one of these events, it
        would be seen to have ended.
        """
        wanted = {standing.scope_id: after}
        async with self._catching_up, self._db.read(_TAIL) as connection:
            found = await rows.page(connection, wanted, PAGE)
            if not await rows.still_standing(connection, {standing}):
                raise Revoked
        return [event_of(row) for row in found]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        next_look = loop.time()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), max(0.0, next_look - loop.time()))
            self._look.clear()
            try:
                if loop.time() >= next_look:
                    next_look = loop.time() + LOOK_SECONDS
                    await self._look_around()
                await self._read_on()
            except (DatabaseUnavailableError, DatabaseFullError):
                await asyncio.sleep(LOOK_SECONDS)
            except Exception:
                _logger.exception("The tail of the log failed, going on")
                await asyncio.sleep(LOOK_SECONDS)

    async def _look_around(self) -> None:
        """What a NOTIFY does not tell: rights that ended, events whose notification was lost."""
        self._drop_unfollowed()
        if self._tails:
            await self._recheck(self._followers)
            async with self._db.read(_TAIL) as connection:
                found = await rows.bounds(connection, self._tails)
            self._grown.update(i for i, bound in found.items() if bound.head > self._tails[i].read)

    def _drop_unfollowed(self) -> None:
        followed = {follower.standing.scope_id for follower in self._followers}
        for scope_id in self._tails.keys() - followed:
            del self._tails[scope_id]

    async def _read_on(self) -> None:
        """Read the next page of every scope that has grown, in one statement."""
        wanted = {i: self._tails[i].read for i in self._grown if i in self._tails}
        self._grown.clear()
        if not wanted:
            return
        async with self._db.read(_TAIL) as connection:
            found = [event_of(row) for row in await rows.page(connection, wanted, PAGE)]
        await self._take_in(found)

    async def _take_in(self, found: Sequence[FeedEvent]) -> None:
        """Hand events to their tails, after ending those whom the events shut out."""
        gone = {(e.scope_id, e.subject_id) for e in found if e.kind in _ENDS_A_MEMBERSHIP}
        if gone:
            await self._recheck(
                f for f in self._followers if (f.standing.scope_id, f.standing.account_id) in gone
            )
        by_scope: dict[UUID, list[FeedEvent]] = {}
        for event in found:
            by_scope.setdefault(event.scope_id, []).append(event)
        for scope_id, events in by_scope.items():
            if tail := self._tails.get(scope_id):
                tail.extend([event for event in events if event.version > tail.read])
            if len(events) == PAGE:
                self.wake(scope_id)

    async def _recheck(self, followers: Iterable[Follower]) -> None:
        asked = list(followers)
        if not asked:
            return
        async with self._db.read(_TAIL) as connection:
            standing = await rows.still_standing(connection, {f.standing for f in asked})
        for follower in asked:
            if follower.standing not in standing:
                follower.revoke()


def _position(after: str, scope_id: UUID, bounds: rows.Bounds) -> int:
    positions = cursor.decode(after)
    if scope_id not in positions:
        raise Invalid.at("after", "is a cursor of another feed")
    version = positions[scope_id].version
    if version < bounds.pruned:
        raise Invalid.at("after", "is too old: start again without a cursor")
    if version > bounds.head:
        raise Invalid.at("after", "is ahead of the log: start again without a cursor")
    return version


def event_of(row: Any) -> FeedEvent:
    """The event that a row of `db.feed.page` tells of."""
    subject = row[LOG_COLUMNS:]
    return FeedEvent(
        scope_id=row.scope_id,
        version=row.version,
        at=row.at,
        kind=row.kind,
        subject_id=row.subject_id,
        actor_id=row.actor_id,
        detail=row.detail,
        entry=Entry(*subject) if subject[0] is not None else None,
    )
