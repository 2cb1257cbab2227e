"""Who a credential belonged to a moment ago.

Each request asks; for most of them nothing has changed since the last one. What was found is good
for less than a second, so a key, a token or a membership that another process ends has ended here
within a second, as feeds have it; and only until this process commits anything, so what it ends
itself has ended at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from db.engine import Database
from domain.actor import Actor, Origin

Key: TypeAlias = tuple[bytes, Origin]
"""A credential's digest, and where it comes from."""
GOOD_SECONDS = 0.8
KEPT = 4096


@dataclass(frozen=True, slots=True)
class _Found:
    actor: Actor
    commits: int
    until: float
    """By the monotonic clock."""


class RecentActors:
    """The actors of this process by credential and origin."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._found: OrderedDict[Key, _Found] = OrderedDict()
        self._asking: dict[tuple[Key, int], asyncio.Future[Actor]] = {}

    async def actor(
        self, credential: str, origin: Origin, find: Callable[[], Awaitable[Actor]]
    ) -> Actor:
        """Who it is, asked with `find` unless that is known; what `find` raises is not kept."""
        key = self.key(credential, origin)
        known = self.known(key)
        if known is not None:
            return known
        return await self._asked(key, self._db.commits, time.monotonic(), find)

    def key(self, credential: str, origin: Origin) -> Key:
        """What stands for a credential here, from which it cannot be told."""
        return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).digest(), origin

    def known(self, key: Key) -> Actor | None:
        """Who it is, if that was found a moment ago."""
        found = self._found.get(key)
        if (
            found is None
            or found.commits != self._db.commits
            or time.monotonic() >= found.until
            or not (found.actor.expires_at is None or time.time() < found.actor.expires_at)
        ):
            return None
        return found.actor

    async def _asked(
        self, key: Key, commits: int, now: float, find: Callable[[], Awaitable[Actor]]
    ) -> Actor:
        """Ask, together with whoever asks the same at this moment."""
        together = (key, commits)
        asking = self._asking.get(together)
        if asking is None:
            asking = self._asking[together] = asyncio.ensure_future(find())
            asking.add_done_callback(lambda done: self._done(together, done))
        actor = await asyncio.shield(asking)
        self._found[key] = _Found(actor, commits, now + GOOD_SECONDS)
        self._found.move_to_end(key)
        if len(self._found) > KEPT:
            self._found.popitem(last=False)
        return actor

    def _done(self, together: tuple[Key, int], done: asyncio.Future[Actor]) -> None:
        self._asking.pop(together, None)
        if not done.cancelled():
            done.exception()  # whoever waits gets it; perhaps nobody does any more
