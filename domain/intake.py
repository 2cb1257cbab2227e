"""One upload while it streams in: cut, hashed, what is new written, what is new read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from db.blobs import BlobStore
from db.errors import BlockDamagedError
from domain.content import Content, Cutter
from domain.errors import TooLarge
from domain.transcripts import Facts, Reader

INLINE_MAX = 8 * 1024
"""Bytes that are hashed on the spot; sending them to a thread would cost more."""


class Intake:
    """Takes in a stream in flat memory.

    Every block that is not among `known` is on its way to the store as soon as it is complete;
    the short block at the end waits until it is clear that it will be wanted.
    """

    def __init__(
        self,
        blobs: BlobStore,
        slots: asyncio.Semaphore,
        scope_id: UUID,
        *,
        block_size: int,
        known: frozenset[bytes],
        base: Content | None,
    ) -> None:
        self._blobs, self._slots, self._scope_id = blobs, slots, scope_id
        self._cutter = Cutter(block_size)
        self._reader = Reader()
        self._known = known
        self._base = base
        self._writes: set[asyncio.Task[None]] = set()
        self._index = 0
        self._received = 0
        self._old = 0
        """Bytes at the beginning of the next block that a stored version has, lines and all."""
        self._tail = b""
        self._tail_digest: bytes | None = None
        self.written: set[bytes] = set()
        """Digests of blocks that were handed to the store."""
        self.assumed: set[bytes] = set()
        """Digests of blocks that were not written because a version had them."""
        self.read_all = True
        """Whether every line was read; else the facts leave out what `base` begins with."""

    async def resume(self, base: Content) -> None:
        """Go on where `base` ends: read it once, for the digest of the whole, and keep it as it is.

        Raises BlockMissingError, or BlockDamagedError when it is not what its digest says.
        """
        digests = iter(base.digests)

        def take(block: bytes) -> None:
            self._cutter.pass_over(block, next(digests))
            if not self._cutter.pending:
                self._reader.feed(block, known=True)

        await self._blobs.feed(self._scope_id, base.digests, take)
        if not self._cutter.joins(base):
            raise BlockDamagedError(base.digest.hex())
        self._index = base.full_blocks
        self._old, self._received = self._cutter.pending, base.size
        self.assumed |= set(base.digests[: base.full_blocks])
        self.read_all = base.size == 0

    async def run(self, chunks: AsyncIterator[bytes], limit: int) -> tuple[Content, Facts]:
        """Take in the whole stream; when this returns, all but the tail is durable.

        Raises TooLarge above `limit` bytes in all and whatever the stream or the store raises;
        blocks written by then are left for the collector.
        """
        try:
            async for chunk in chunks:
                self._received += len(chunk)
                if self._received > limit:
                    raise TooLarge(f"A conversation may have at most {limit} bytes")
                for block in self._cutter.add(chunk):
                    await self._take(block)
            await self._take_tail(self._cutter.rest())
            await self._all_written()
        except BaseException:
            await self._give_up()
            raise
        return self._cutter.content(), self._reader.facts()

    async def read(self, digest: bytes) -> bytes:
        """A block of this upload or of a stored version."""
        if digest == self._tail_digest:
            return self._tail
        return await self._blobs.get(self._scope_id, digest)

    async def keep_tail(self) -> None:
        """Write the short block at the end, if there is one that is not stored."""
        for digest, tail in self.tail_to_keep().items():
            await self._blobs.put(self._scope_id, digest, tail)
            self.written.add(digest)

    def tail_to_keep(self) -> Mapping[bytes, bytes]:
        """The short block at the end by its digest; empty if there is none or it is stored."""
        digest = self._tail_digest
        if digest is None or digest in self.written:
            return {}
        if digest in self._known:
            self.assumed.add(digest)
            return {}
        return {digest: self._tail}

    async def _take(self, block: bytes) -> None:
        digest = await self._measure(block)
        if digest in self._known:
            self.assumed.add(digest)
        elif digest not in self.written:
            self.written.add(digest)
            await self._start_write(digest, block)

    async def _take_tail(self, tail: bytes) -> None:
        if tail:
            self._tail, self._tail_digest = tail, await self._measure(tail)

    async def _measure(self, block: bytes) -> bytes:
        if len(block) <= INLINE_MAX:
            return self._measured(block)
        return await asyncio.to_thread(self._measured, block)

    def _measured(self, block: bytes) -> bytes:
        digest = self._cutter.measure(block)
        seen = self._base is not None and self._base.block(self._index) == digest
        if self._old and not seen:
            self._reader.feed(block[: self._old], known=True)
            self._reader.feed(block[self._old :])
        else:
            self._reader.feed(block, known=seen)
        self.read_all = self.read_all and not seen
        self._index, self._old = self._index + 1, 0
        return digest

    async def _start_write(self, digest: bytes, block: bytes) -> None:
        """Hand a block to the store; the slots bound how many are in memory, in all uploads."""
        await self._slots.acquire()
        task = asyncio.create_task(self._blobs.put(self._scope_id, digest, block))
        self._writes.add(task)
        task.add_done_callback(lambda _: self._slots.release())
        finished = {task for task in self._writes if task.done()}
        self._writes -= finished
        for task in finished:
            task.result()

    async def _all_written(self) -> None:
        await asyncio.gather(*self._writes)
        self._writes.clear()

    async def _give_up(self) -> None:
        for task in self._writes:
            task.cancel()
        await asyncio.gather(*self._writes, return_exceptions=True)
        self._writes.clear()
