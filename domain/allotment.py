"""How much one account may keep, and how many uploads it may send at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from db import conversations as rows
from db.engine import Connection, Database
from domain.actor import Actor
from domain.errors import QuotaExceeded, RateLimited
from domain.versions import Plan, Stored
from settings import Settings

RETRY_SECONDS = 1.0
NO_QUOTA = 2**62
"""More bytes than anybody keeps."""


class Allotment:
    """Counts uploads in this process, and bytes in the database."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._size_max, self._quota = settings.conversation_max, settings.conversation_quota
        self._at_once = settings.conversation_uploads
        self._running: Counter[UUID] = Counter()

    @property
    def size_max(self) -> int:
        """The most bytes that a file may have."""
        return self._size_max

    @property
    def is_busy(self) -> bool:
        """Whether anybody is uploading to this process."""
        return bool(self._running)

    @contextmanager
    def upload(self, actor: Actor) -> Iterator[None]:
        """One upload, from its beginning to its end. Raises RateLimited when there are too many."""
        account = actor.account_id
        if self._running[account] >= self._at_once:
            message = f"At most {self._at_once} uploads of one account run at once: try again"
            raise RateLimited(RETRY_SECONDS, message)
        self._running[account] += 1
        try:
            yield
        finally:
            self._running[account] -= 1
            if not self._running[account]:
                del self._running[account]

    async def limit(self, actor: Actor, stored: Stored) -> int:
        """The most bytes that an upload of this file can have and still be kept."""
        if self._quota is None:
            return self._size_max
        longest = stored.head.content.size if stored.head else 0
        async with self._db.read(actor) as connection:
            room = await self.room(connection, actor)
        return min(self._size_max, longest + max(0, room))

    async def room(self, connection: Connection, actor: Actor) -> int:
        """How many bytes more the account may keep; below 0 where it keeps too many already.

        Only while the scope's lock is held is that certain to stay so.
        """
        if self._quota is None:
            return NO_QUOTA
        return self._quota - await rows.bytes_kept(connection, actor.access)

    async def check(self, connection: Connection, actor: Actor, wanted: Plan) -> None:
        """Raises QuotaExceeded when the plan would take more than is left.

        The scope's lock must be held, so that concurrent uploads cannot exceed it together.
        """
        if wanted.growth > await self.room(connection, actor):
            raise self.exceeded()

    def exceeded(self) -> QuotaExceeded:
        """The fault, in words."""
        return QuotaExceeded(
            f"The account may keep {self._quota} bytes of conversations, all versions together: "
            "nothing was stored"
        )
