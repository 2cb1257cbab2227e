"""Reading everything that is kept, to prove that it is what was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db import conversations as rows
from db.blobs import BlobStore
from db.claims import System
from db.engine import Database
from db.errors import BlockDamagedError, BlockMissingError
from db.rows import AnyRow
from domain.content import Content, Cutter
from domain.versions import version_of

AHEAD: Final = 8
"""Blocks of a version that are read at the same time."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that is not what it should be."""

    scope_id: UUID
    """The account whose it is."""
    what: str
    """In words, with the digest of the block where it is one."""
    session_id: str | None = None
    path: str = ""
    """Which file of the session; empty for its conversation."""
    number: int | None = None
    """The version; None for a block that no version refers to."""


@dataclass(slots=True)
class Scrubbed:
    """How much was read."""

    versions: int = 0
    blocks: int = 0
    bytes: int = 0


class Scrub:
    """Reads every block and every version once. What is deleted meanwhile is passed over."""

    def __init__(self, db: Database, blobs: BlobStore) -> None:
        self._db, self._blobs = db, blobs
        self.read = Scrubbed()
        self._seen: set[bytes] = set()

    async def run(self) -> AsyncIterator[Damage]:
        """Everything that is wrong, as it is found. Raises StorageUnavailableError."""
        async with self._db.read(System("scrub")) as connection:
            used = await rows.scopes(connection)
        for scope in sorted(used | set(await self._blobs.scopes())):
            self._seen = set()
            async for damage in self._versions(scope):
                yield damage
            async for damage in self._others(scope):
                yield damage

    async def _versions(self, scope: UUID) -> AsyncIterator[Damage]:
        async with self._db.read(System("scrub")) as connection:
            async for row in rows.every(connection, scope):
                for what, digest in await self._proved(scope, version_of(row).content):
                    if await self._still_refers(scope, row, digest):
                        yield Damage(scope, what, row.session_id, row.path, row.number)

    async def _proved(self, scope: UUID, content: Content) -> list[tuple[str, bytes]]:
        """What is wrong with a version: words, and the digest of the block or of the whole."""
        wrong: list[tuple[str, bytes]] = []
        cutter = Cutter(content.block_size)
        digests = content.digests
        for start in range(0, len(digests), AHEAD):
            part = digests[start : start + AHEAD]
            found = await asyncio.gather(*(self._block(scope, digest) for digest in part))
            for digest, block in zip(part, found, strict=True):
                if isinstance(block, str):
                    wrong.append((f"block {digest.hex()} is {block}", digest))
                else:
                    await asyncio.to_thread(cutter.measure, block)
        self.read.versions += 1
        if not wrong and cutter.content() != content:
            wrong.append(("the blocks do not make up what was acknowledged", content.digest))
        return wrong

    async def _block(self, scope: UUID, digest: bytes) -> bytes | str:
        """The block, or what is wrong with it."""
        try:
            block = await self._blobs.get(scope, digest)
        except BlockMissingError:
            return "missing"
        except BlockDamagedError:
            block = None
        if digest not in self._seen:
            self._seen.add(digest)
            self.read.blocks += 1
            self.read.bytes += len(block or b"")
        return "damaged" if block is None else block

    async def _still_refers(self, scope: UUID, row: AnyRow, digest: bytes) -> bool:
        """Whether the version is still there with that block: it may have gone, or grown."""
        async with self._db.read(System("scrub")) as connection:
            now = await rows.version(connection, scope, (row.session, row.path, row.number))
        return now is not None and (
            digest == now.digest or digest in version_of(now).content.digests
        )

    async def _others(self, scope: UUID) -> AsyncIterator[Damage]:
        """Blocks that no version refers to: an upload may find them there and use them."""
        async for batch in self._blobs.blocks(scope):
            for held in batch:
                if held.digest not in self._seen:
                    found = await self._block(scope, held.digest)
                    if found == "damaged":
                        yield Damage(scope, f"block {held.digest.hex()} is damaged")
