"""Reads conversations behind their uploads, and only what is new of them.

An upload is acknowledged when its bytes are kept. That it is to be read is a row of `reading_due`,
written by the same transaction; whichever server process takes it reads on from where the last
reading ended. So a crash costs at most one batch, which is read once more, and a transcript that
cannot be read is still kept.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from copy import deepcopy
from typing import Final
from uuid import UUID

from background import Background
from db.errors import (
    BlockDamagedError,
    BlockMissingError,
    DatabaseFullError,
    DatabaseUnavailableError,
    StorageUnavailableError,
)
from db.reading_store import Due, OvertakenError, Progress, ReadingStore
from domain.actor import Actor
from domain.content import Content
from domain.conversations import Custody
from domain.reading.batch import Batch
from domain.reading.lines import Cutter
from domain.reading.records import NO_TIME

LOOK_SECONDS: Final = 0.5
SETTLE_SECONDS: Final = 20.0
YIELD_SECONDS: Final = 20.0
"""For so long uploads go first, unless somebody waits for what is to be read."""
_YIELD_STEP: Final = 0.02
SLICE: Final = 32 * 1024 * 1024
"""Bytes that are read of one file before others have their turn."""
_TRIES: Final = 3
_LOST: Final = "A part of the stored conversation is missing or damaged"
_FAILED: Final = "The server failed to read this conversation; its bytes are kept"

_logger = logging.getLogger(__name__)


class Reader(Background):
    """The reader of one process."""

    name = "reader of conversations"

    def __init__(self, store: ReadingStore, custody: Custody, line_max: int) -> None:
        self._store, self._custody, self._line_max = store, custody, line_max
        self._wake = asyncio.Event()
        self._given_up: Due | None = None
        self._waiting = 0
        self._yields_until: float | None = None

    async def stop(self) -> None:
        """Stop; what was begun goes on where its last batch ended."""
        await super().stop()
        await self._store.close()

    async def settled(self, scope_id: UUID, session: UUID, file: str = "") -> bool:
        """Wait until what has been uploaded is read; False when that takes too long."""
        self._waiting += 1
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                while await self._store.is_due(scope_id, session, file):
                    self._wake.set()
                    await asyncio.sleep(0.1)
                return True
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1

    async def read_all(self) -> int:
        """Read until nothing is due that others are not reading; how much was read."""
        count = 0
        while await self._next():
            count += 1
        return count

    async def begin_again(self) -> int:
        """Make every conversation due from its beginning; how many files that are."""
        return await self._store.begin_again()

    async def _run(self) -> None:
        while True:
            try:
                await self._let_uploads_go_first()
                if await self._next():
                    continue
            except (DatabaseUnavailableError, DatabaseFullError, StorageUnavailableError):
                await asyncio.sleep(LOOK_SECONDS)
            except Exception:
                _logger.exception("The reader of conversations failed, going on")
                await asyncio.sleep(LOOK_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
            self._wake.clear()

    async def _let_uploads_go_first(self) -> None:
        """Wait while uploads run, but never long: on a server that is always busy, not at all."""
        clock = asyncio.get_running_loop().time
        while self._custody.is_busy and not self._waiting:
            if self._yields_until is None:
                self._yields_until = clock() + YIELD_SECONDS
            if clock() >= self._yields_until:
                return
            await asyncio.sleep(_YIELD_STEP)
        if not self._custody.is_busy:
            self._yields_until = None

    async def _next(self) -> bool:
        """Read something that is due; False when there is nothing."""
        if self._given_up is not None:
            await self._store.release(self._given_up)
            self._given_up = None
        due = await self._store.claim()
        if due is None:
            return False
        try:
            await self.read(due)
        except BaseException:
            self._given_up = due
            raise
        return True

    async def read(self, due: Due) -> None:
        """Read a file of a session on towards the end of its head version, or forget it with that.

        Of a long one only a slice is read, so that others have their turn.
        """
        for attempt in range(_TRIES):
            try:
                await (self._store.finish if await self._read(due) else self._store.postpone)(due)
                return
            except OvertakenError:
                if attempt == _TRIES - 1:
                    raise

    async def _read(self, due: Due) -> bool:
        """Whether the end was reached."""
        head, known = await self._store.head(due), await self._store.progress(due)
        if known is not None and (
            head is None or known.number != head["number"] or known.size > head["size"]
        ):
            await self._store.erase(due)
            known = None
        if head is None:
            return True
        content = Content(*(head[n] for n in ("size", "lines", "digest", "block_size", "blocks")))
        journey = _Journey(self._store, due, known, Progress(head["number"], NO_TIME))
        try:
            return await self._go_through(journey, due, content)
        except (BlockMissingError, BlockDamagedError):
            await journey.fail(_LOST)
        except (RecursionError, ValueError, TypeError, LookupError, ArithmeticError):
            _logger.exception("A conversation could not be read")
            await journey.fail(_FAILED)
        return True

    async def _go_through(self, journey: _Journey, due: Due, content: Content) -> bool:
        batch = Batch(due.scope_id, journey.ahead)
        start = batch.progress.size
        cutter = Cutter(start, self._line_max)
        owner = Actor(due.scope_id, {due.scope_id: "owner"})
        async for block in self._custody.read(owner, content, start):
            lines = cutter.feed(block)
            while await asyncio.to_thread(batch.take, lines):
                await journey.write(batch)
            if batch.progress.size - start >= SLICE:
                await journey.write(batch)
                return False
        if (rest := cutter.rest()) is not None:
            await asyncio.to_thread(batch.take_open, rest)
        await journey.write(batch)
        return True


class _Journey:
    """One reading of a file: where its last batch ended, and how to write the next."""

    def __init__(
        self, store: ReadingStore, due: Due, known: Progress | None, fresh: Progress
    ) -> None:
        self._store, self._due, self._known, self._fresh = store, due, known, fresh
        self.ahead = deepcopy(known or fresh)
        self.ahead.problem = None

    async def write(self, batch: Batch) -> None:
        """Write a batch and what it comes to."""
        usage = list(batch.usage.values())
        messages = batch.messages
        after = batch.flushed()
        if self._known is None or messages or after != self._known:
            await self._store.write(self._due, self._known, after, messages, usage)
            await self._store.hold(self._due)
        self._known = after

    async def fail(self, problem: str) -> None:
        """Say why no more than this could be read."""
        after = deepcopy(self._known or self._fresh)
        after.problem = problem
        await self._store.write(self._due, self._known, after, [], [])
