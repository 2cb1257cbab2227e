"""Where the blocks of conversations are kept: a folder, or an object store behind a URL.

A block is addressed by its scope and the SHA-256 of its bytes, so nothing is shared between
accounts and every block proves itself. It is kept with one byte in front that says how: as it is,
or compressed with zstd where that is smaller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

from obstore.exceptions import BaseError as ObjectStoreError
from obstore.store import from_url

from db.block_codec import BLOCK_MAX as BLOCK_MAX
from db.block_codec import decode, encode, key, unpack
from db.block_folder import BlockFolder
from db.block_names import Held as Held
from db.block_names import held, scope_of
from db.block_objects import RemoteStore as RemoteStore
from db.block_objects import client_options
from db.block_threads import THREADS, Threads
from db.errors import BlockDamagedError, BlockMissingError, StorageUnavailableError

if TYPE_CHECKING:
    from obstore.store import RetryConfig


RETRIES: Final[RetryConfig] = {
    "max_retries": 3,
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1)},
    "retry_timeout": timedelta(seconds=20),
}
"""Who waits is a request: it is told soon that the store does not answer."""


PUT_AT_LEAST: Final = 8
"""Blocks that one thread writes together, where there are so many."""
FEED_AT_ONCE: Final = 32
"""Blocks that one thread reads in one go, so that a long file does not keep it to itself."""


class BlobStore(Protocol):
    """Keeps blocks. Every method raises StorageUnavailableError when the place does not answer."""

    async def put(self, scope_id: UUID, digest: bytes, data: bytes) -> None:
        """Keep `data`, whose SHA-256 is `digest`; durable on return.

        Raises StorageFullError. Putting what is there already is cheap and harmless.
        """

    async def put_all(self, scope_id: UUID, blocks: Mapping[bytes, bytes]) -> None:
        """Keep several blocks, given by their digests, in fewer steps than one by one."""

    async def feed(
        self, scope_id: UUID, digests: Sequence[bytes], take: Callable[[bytes], None]
    ) -> None:
        """Hand blocks to `take`, one after the other, perhaps on another thread.

        They are not verified: `take` checks a digest over all of them. Raises what `get` raises.
        """

    async def get(self, scope_id: UUID, digest: bytes) -> bytes:
        """The block's bytes, verified. Raises BlockMissingError or BlockDamagedError."""

    async def has(self, scope_id: UUID, digest: bytes) -> bool:
        """Whether the block is there; its content is not looked at."""

    async def scopes(self) -> Sequence[UUID]:
        """The scopes that have, or had, blocks here."""

    def blocks(self, scope_id: UUID) -> AsyncIterator[Sequence[Held]]:
        """Every block of a scope, in batches; one that comes or goes meanwhile may be missed."""

    async def remove(self, scope_id: UUID, digests: Sequence[bytes], before: datetime) -> int:
        """Delete blocks, except those put again at or after `before`; how many went."""

    async def tidy(self, before: datetime) -> int:
        """Delete what writers that crashed before that instant have left; how many files."""

    async def close(self) -> None:
        """Give up threads and connections."""


def open_store(place: str) -> BlobStore:
    """The store at `place`: the path of a folder, `file://…`, or a URL that obstore knows.

    Object stores read their credentials from the environment, as obstore documents.
    Raises ValueError for an unknown scheme.
    """
    parts = urlsplit(place)
    if len(parts.scheme) <= 1:  # none, or the drive letter of a Windows path
        return FolderStore(Path(place))
    if parts.scheme == "file":
        return FolderStore(Path(unquote(parts.path)))
    try:
        return RemoteStore(from_url(place, retry_config=RETRIES, client_options=client_options()))
    except ObjectStoreError as error:
        raise ValueError(f"BLOB_URL cannot be used: {error}") from None


class FolderStore:
    """Blocks as files of a local folder, fsynced before they are acknowledged."""

    def __init__(self, root: Path, *, threads: int = THREADS) -> None:
        self._folder = BlockFolder(root)
        self._threads = Threads(threads)

    async def put(self, scope_id: UUID, digest: bytes, data: bytes) -> None:
        """See BlobStore."""
        await self._threads.run(self._put, scope_id, {digest: data})

    async def put_all(self, scope_id: UUID, blocks: Mapping[bytes, bytes]) -> None:
        """See BlobStore."""
        digests = list(blocks)
        share = max(PUT_AT_LEAST, -(-len(digests) // THREADS))
        parts = [digests[start : start + share] for start in range(0, len(digests), share)]
        await asyncio.gather(
            *(
                self._threads.run(self._put, scope_id, {digest: blocks[digest] for digest in part})
                for part in parts
            )
        )

    def _put(self, scope_id: UUID, blocks: Mapping[bytes, bytes]) -> None:
        wanted = {key(scope_id, digest): digest for digest in blocks}
        missing = {
            address: encode(blocks[digest])
            for address, digest in wanted.items()
            if not (self._is_sound(address, digest) and self._folder.confirm(address))
        }
        if missing:
            self._folder.write_all(missing)

    async def feed(
        self, scope_id: UUID, digests: Sequence[bytes], take: Callable[[bytes], None]
    ) -> None:
        """See BlobStore."""

        def run(part: Sequence[bytes]) -> None:
            for digest in part:
                take(unpack(self._folder.read(key(scope_id, digest)), digest))

        for start in range(0, len(digests), FEED_AT_ONCE):
            await self._threads.run(run, digests[start : start + FEED_AT_ONCE])

    def _is_sound(self, address: str, digest: bytes) -> bool:
        """A file that is there but damaged must not be taken for the block: it is written anew."""
        try:
            decode(self._folder.read(address), digest)
        except (BlockMissingError, BlockDamagedError, StorageUnavailableError):
            return False
        return True

    async def get(self, scope_id: UUID, digest: bytes) -> bytes:
        """See BlobStore."""
        address = key(scope_id, digest)
        return await self._threads.run(lambda: decode(self._folder.read(address), digest))

    async def has(self, scope_id: UUID, digest: bytes) -> bool:
        """See BlobStore."""
        return await self._threads.run(self._folder.has, key(scope_id, digest))

    async def scopes(self) -> Sequence[UUID]:
        """See BlobStore."""
        names = await self._threads.run(self._folder.names, "")
        return [scope for name in names if (scope := scope_of(name)) is not None]

    async def blocks(self, scope_id: UUID) -> AsyncIterator[Sequence[Held]]:
        """See BlobStore."""
        for part in await self._threads.run(self._folder.names, scope_id.hex):
            files = await self._threads.run(self._folder.files, f"{scope_id.hex}/{part}")
            yield [block for file in files if (block := held(*file)) is not None]

    async def remove(self, scope_id: UUID, digests: Sequence[bytes], before: datetime) -> int:
        """See BlobStore."""
        addresses = [key(scope_id, digest) for digest in digests]
        return await self._threads.run(self._folder.remove, addresses, before)

    async def tidy(self, before: datetime) -> int:
        """See BlobStore."""
        return await self._threads.run(self._folder.tidy, before)

    async def close(self) -> None:
        """See BlobStore."""
        self._threads.close()
