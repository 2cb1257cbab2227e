"""The block store as uploads see it: what is known to be there, and what is suspected not to be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from db.blobs import BlobStore
from db.errors import BlockDamagedError, BlockMissingError
from domain.actor import Actor
from domain.content import Content
from domain.errors import Conflict
from domain.intake import Intake
from domain.versions import Stored

WRITES_AT_ONCE: Final = 8
"""Blocks on their way to the store, in all uploads together."""
_SUSPECTS_MAX: Final = 10_000
LOST: Final = "A part of this conversation is no longer kept: send it again"


class Shelf:
    """The blocks of one process's uploads."""

    def __init__(self, blobs: BlobStore, block_size: int) -> None:
        self.blobs, self._block_size = blobs, block_size
        self._slots = asyncio.Semaphore(WRITES_AT_ONCE)
        self._suspects: set[tuple[UUID, bytes]] = set()

    def intake(self, actor: Actor, base: Stored) -> Intake:
        """An upload's way in, beside what is stored already."""
        head = base.head
        return Intake(
            self.blobs,
            self._slots,
            actor.account_id,
            block_size=head.content.block_size if head else self._block_size,
            known=frozenset(
                digest for digest in base.blocks if (actor.account_id, digest) not in self._suspects
            ),
            base=head.content if head else None,
        )

    async def resume(self, actor: Actor, intake: Intake, content: Content) -> None:
        """Let the upload go on where `content` ends. Raises Conflict if that is not all there."""
        try:
            await intake.resume(content)
        except (BlockMissingError, BlockDamagedError):
            await self._look_for_damage(actor, content)
            raise Conflict(LOST) from None

    async def _look_for_damage(self, actor: Actor, content: Content) -> None:
        for digest in content.digests:
            try:
                await self.block(actor, digest)
            except (BlockMissingError, BlockDamagedError):
                continue

    async def block(self, actor: Actor, digest: bytes) -> bytes:
        """A block; one that is found missing or damaged is written anew when it is next sent.

        Raises BlockMissingError or BlockDamagedError.
        """
        try:
            return await self.blobs.get(actor.account_id, digest)
        except (BlockMissingError, BlockDamagedError):
            if len(self._suspects) < _SUSPECTS_MAX:
                self._suspects.add((actor.account_id, digest))
            raise

    def trust(self, actor: Actor, digests: Iterable[bytes]) -> None:
        """Forget suspicions of blocks that were written."""
        self._suspects -= {(actor.account_id, digest) for digest in digests}

    async def has_all(self, actor: Actor, digests: Iterable[bytes]) -> bool:
        """Whether all these blocks are in the store; their contents are not looked at."""
        for digest in digests:
            if not await self.blobs.has(actor.account_id, digest):
                return False
        return True
