"""What a transcript is to storage: a list of blocks; and how two of them relate."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

DIGEST_SIZE: Final = hashlib.sha256().digest_size

ReadBlock = Callable[[bytes], Awaitable[bytes]]
"""Gives the bytes of the block with a digest."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one version, as sizes and digests. Only the last block may be short."""

    size: int
    lines: int
    digest: bytes
    """SHA-256 of the whole."""
    block_size: int
    blocks: bytes
    """The SHA-256 digests of all blocks, one after the other."""

    def block(self, index: int) -> bytes:
        """The digest of one block."""
        return self.blocks[index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE]

    @property
    def digests(self) -> Sequence[bytes]:
        """The digests of all blocks in order."""
        return digests_in(self.blocks)

    @property
    def full_blocks(self) -> int:
        """How many blocks have the full size."""
        return self.size // self.block_size


def digests_in(blocks: bytes) -> Sequence[bytes]:
    """The digests in a block list."""
    return [blocks[at : at + DIGEST_SIZE] for at in range(0, len(blocks), DIGEST_SIZE)]


class Relation(Enum):
    """How an upload relates to what is stored."""

    EQUAL = "the upload is the stored version"
    EXTENDS = "the upload goes on where the stored version ends"
    PREFIX = "the upload is only the beginning of the stored version"
    DIVERGED = "neither continues the other"


async def relation(ours: Content, theirs: Content, read: ReadBlock) -> Relation:
    """How `theirs` (an upload) relates to `ours` (a stored version).

    Full blocks are compared by digest; at the end of the shorter one, where it has a short block,
    one block of each is read.
    """
    if (ours.size, ours.digest) == (theirs.size, theirs.digest):
        return Relation.EQUAL
    if ours.block_size != theirs.block_size or ours.size == theirs.size:
        return Relation.DIVERGED
    if ours.size < theirs.size:
        return Relation.EXTENDS if await _begins(theirs, ours, read) else Relation.DIVERGED
    return Relation.PREFIX if await _begins(ours, theirs, read) else Relation.DIVERGED


async def _begins(longer: Content, shorter: Content, read: ReadBlock) -> bool:
    full = shorter.full_blocks
    if not longer.blocks.startswith(shorter.blocks[: full * DIGEST_SIZE]):
        return False
    if shorter.size == full * shorter.block_size:
        return True
    tail = await read(shorter.block(full))
    return (await read(longer.block(full))).startswith(tail)


class Cutter:
    """Cuts a stream into blocks and measures it: size, lines, the whole digest."""

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size
        self.size = 0
        self._newlines = 0
        self._last = b"\n"
        self._whole = hashlib.sha256()
        self._digests = bytearray()
        self._pending = bytearray()

    def add(self, chunk: bytes) -> list[bytes]:
        """Take in a chunk; the blocks that it completes. Cheap: nothing is hashed yet."""
        self._pending += chunk
        blocks = []
        while len(self._pending) >= self.block_size:
            blocks.append(bytes(memoryview(self._pending)[: self.block_size]))
            del self._pending[: self.block_size]
        return blocks

    def pass_over(self, block: bytes, digest: bytes) -> None:
        """Take in the next block of a version that this stream continues.

        A short one, which is its last, is the beginning of what comes.
        """
        if len(block) == self.block_size and not self._pending:
            self.size += len(block)
            self._last = block[-1:]
            self._whole.update(block)
            self._digests += digest
        else:
            self._pending += block

    def joins(self, base: Content) -> bool:
        """Whether what was passed over is the whole of `base`; its lines count from now on."""
        whole = self._whole.copy()
        whole.update(self._pending)
        last = self._pending[-1:] or self._last
        unfinished = base.size > 0 and last != b"\n"
        self._newlines = base.lines - unfinished - self._pending.count(b"\n")
        return (self.size + len(self._pending), whole.digest()) == (base.size, base.digest)

    @property
    def pending(self) -> int:
        """Bytes that no block has come of yet."""
        return len(self._pending)

    def rest(self) -> bytes:
        """What is left at the end of the stream: less than a block, perhaps nothing."""
        return bytes(self._pending)

    def measure(self, block: bytes) -> bytes:
        """Count and hash the next block of the stream; its digest."""
        self.size += len(block)
        self._newlines += block.count(b"\n")
        self._last = block[-1:]
        self._whole.update(block)
        digest = hashlib.sha256(block).digest()
        self._digests += digest
        return digest

    def content(self) -> Content:
        """What was measured; an unterminated last line counts as one."""
        lines = self._newlines + (self.size > 0 and self._last != b"\n")
        whole = self._whole.digest()
        return Content(self.size, lines, whole, self.block_size, bytes(self._digests))
