"""Deleting blocks that nothing refers to, beside servers that take in uploads meanwhile.

Three things keep a block that somebody counts on. A grace period: a block that was written or
wanted lately stays, so an upload's own blocks live until it commits. A look at the references under
the scope's lock, which every commit holds. And the number of db.sweeps: an upload that began before
blocks were deleted looks for each of its blocks again before it commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from db import conversations as rows
from db import sweeps
from db.blobs import BlobStore
from db.claims import System
from db.engine import Connection, Database
from domain.content import digests_in

GRACE: Final = timedelta(hours=24)
"""How long a block that nothing refers to is kept; longer than any upload takes."""
_AT_ONCE: Final = 500
_WORK: Final = System("collector of blocks")
"""Blocks that are deleted under one lock, which holds up the scope's writers for that long."""


@dataclass(slots=True)
class Collected:
    """What a collection came to."""

    kept: int = 0
    """Blocks that something refers to, or may soon."""
    removed: int = 0
    drafts: int = 0
    """Unfinished files of uploads that were cut short."""


class Collector:
    """Collects what nothing refers to, scope by scope."""

    def __init__(self, db: Database, blobs: BlobStore, grace: timedelta = GRACE) -> None:
        self._db, self._blobs, self._grace = db, blobs, grace

    async def collect(self) -> Collected:
        """Delete what is older than the grace period. Raises StorageUnavailableError."""
        before, done = datetime.now(UTC) - self._grace, Collected()
        for scope in await self._blobs.scopes():
            await self._collect(scope, before, done)
        done.drafts = await self._blobs.tidy(before)
        return done

    async def _collect(self, scope: UUID, before: datetime, done: Collected) -> None:
        # Listed first: what is uploaded after that is not even a candidate.
        old: set[bytes] = set()
        async for batch in self._blobs.blocks(scope):
            done.kept += len(batch)
            old |= {block.digest for block in batch if block.wanted_at < before}
        if not old:
            return
        async with self._db.begin(_WORK) as connection:  # which a cursor needs
            await _spare(connection, scope, old)
        candidates = sorted(old)
        for start in range(0, len(candidates), _AT_ONCE):
            await self._delete(scope, candidates[start : start + _AT_ONCE], before, done)

    async def _delete(
        self, scope: UUID, part: Sequence[bytes], before: datetime, done: Collected
    ) -> None:
        """Delete those blocks that are still unused, in two steps; see db.sweeps for why."""
        async with self._db.begin(_WORK) as connection:
            if not await sweeps.lock(connection, scope):
                await self._remove(scope, part, before, done)  # an account that is gone for good
                return
            number = await sweeps.advance(connection, scope)
            if number % 2 == 0:  # another collector died here, or is about to go on
                number = await sweeps.advance(connection, scope)
        async with self._db.begin(_WORK) as connection:
            await sweeps.lock(connection, scope)
            if await sweeps.number(connection, scope) != number:
                return  # an upload did not want to wait; the next collection will do
            unused = set(part)
            await _spare(connection, scope, unused)
            await self._remove(scope, sorted(unused), before, done)
            await sweeps.advance(connection, scope)

    async def _remove(
        self, scope: UUID, blocks: Sequence[bytes], before: datetime, done: Collected
    ) -> None:
        if blocks:
            removed = await self._blobs.remove(scope, blocks, before)
            done.removed += removed
            done.kept -= removed


async def _spare(connection: Connection, scope: UUID, blocks: set[bytes]) -> None:
    """Take out of `blocks` what a version refers to."""
    async for listed in rows.block_lists(connection, scope):
        blocks.difference_update(digests_in(listed))
