"""The newest events of one scope's log, as this process has read them: shared by all who follow it.

There is no queue per follower. Each has a position of its own and looks here for what comes after;
one that has fallen behind what is kept reads pages of the log from the database instead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any
from uuid import UUID

from domain import cursor
from domain.cursor import Position
from domain.entries import Entry

KEPT_EVENTS = 512
KEPT_CHARACTERS = 4_000_000


@dataclass(frozen=True)
class FeedEvent:
    """One entry of the log as its followers get it."""

    scope_id: UUID
    version: int
    at: datetime
    kind: str
    subject_id: UUID
    actor_id: UUID
    detail: Mapping[str, Any] | None
    entry: Entry | None
    """For knowledge: the entry as it was when the event was read; None when it is gone."""

    @cached_property
    def cursor(self) -> str:
        """Where a follower goes on that has handled this event."""
        return cursor.encode({self.scope_id: Position(self.version, everything=True)})

    @property
    def weight(self) -> int:
        """Roughly the characters that it holds in memory."""
        return 200 + (len(self.entry.summary) + len(self.entry.details or "") if self.entry else 0)


class Tail:
    """What was read of one scope's log above version `base`, up to and with version `read`."""

    def __init__(self, scope_id: UUID, head: int) -> None:
        self.scope_id = scope_id
        self.base = self.read = head
        self._events: deque[FeedEvent] = deque()
        self._characters = 0
        self._grown = asyncio.Event()

    def extend(self, events: Sequence[FeedEvent]) -> None:
        """Take in the next events of the log and wake the followers."""
        for event in events:
            self._events.append(event)
            self._characters += event.weight
            self.read = event.version
        while len(self._events) > KEPT_EVENTS or self._characters > KEPT_CHARACTERS:
            oldest = self._events.popleft()
            self._characters -= oldest.weight
            self.base = oldest.version
        self.wake()

    def after(self, version: int, limit: int) -> list[FeedEvent] | None:
        """Up to `limit` events above `version`; None when some of those are not kept here."""
        if version < self.base:
            return None
        newer = 0
        for event in reversed(self._events):
            if event.version <= version:
                break
            newer += 1
        first = len(self._events) - newer
        return list(islice(self._events, first, first + limit))

    def wake(self) -> None:
        """Make everybody look again who waits for `grown`."""
        self._grown.set()
        self._grown = asyncio.Event()

    @property
    def grown(self) -> asyncio.Event:
        """Set when something was added after this was asked for."""
        return self._grown
