"""Where the blocks of conversations are kept: a folder, or an object store behind a URL.

A block is addressed by its scope and the SHA-256 of its bytes, so nothing is shared between
accounts and every block proves itself. It is kept with one byte in front that says how: as it is,
or compressed with zstd where that is smaller.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, Protocol, TypeVar
from urllib.parse import unquote, urlsplit
from uuid import UUID

import obstore
from backports import zstd
from obstore.exceptions import BaseError as ObjectStoreError
from obstore.exceptions import NotFoundError
from obstore.store import ObjectStore, from_url

from db.block_folder import BlockFolder
from db.errors import BlockDamagedError, BlockMissingError, StorageUnavailableError

BLOCK_MAX: Final = 4 * 1024 * 1024
"""No block is larger than this; a stored one that claims to be is damaged."""
LEVEL: Final = 3
THREADS: Final = 4
_RAW, _ZSTD = b"\x00", b"\x01"

P = ParamSpec("P")
T = TypeVar("T")


class BlobStore(Protocol):
    """Keeps blocks. Every method raises StorageUnavailableError when the place does not answer."""

    async def put(self, scope_id: UUID, digest: bytes, data: bytes) -> None:
        """Keep `data`, whose SHA-256 is `digest`; durable on return.

        Raises StorageFullError. Putting what is there already is cheap and harmless.
        """

    async def get(self, scope_id: UUID, digest: bytes) -> bytes:
        """The block's bytes, verified. Raises BlockMissingError or BlockDamagedError."""

    async def has(self, scope_id: UUID, digest: bytes) -> bool:
        """Whether the block is there; its content is not looked at."""

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
        return RemoteStore(from_url(place))
    except ObjectStoreError as error:
        raise ValueError(f"BLOB_URL cannot be used: {error}") from None


def key(scope_id: UUID, digest: bytes) -> str:
    """The address of a block: `<scope>/<first two digits>/<digest>`, all in hex."""
    name = digest.hex()
    return f"{scope_id.hex}/{name[:2]}/{name}"


def encode(data: bytes) -> bytes:
    """A block as it is kept."""
    packed = zstd.compress(data, LEVEL)
    return _ZSTD + packed if len(packed) < len(data) else _RAW + data


def decode(stored: bytes, digest: bytes) -> bytes:
    """The block that was kept as `stored`. Raises BlockDamagedError unless it is `digest`'s."""
    try:
        data = _unpacked(stored)
    except (zstd.ZstdError, EOFError, ValueError):
        raise BlockDamagedError(digest.hex()) from None
    if hashlib.sha256(data).digest() != digest:
        raise BlockDamagedError(digest.hex())
    return data


def _unpacked(stored: bytes) -> bytes:
    if stored[:1] == _RAW:
        return stored[1:]
    if stored[:1] != _ZSTD:
        raise ValueError("unknown kind of block")
    # The bound keeps a damaged or hostile frame from unpacking to more than a block.
    return zstd.ZstdDecompressor().decompress(memoryview(stored)[1:], BLOCK_MAX)


class _Threads:
    """A few threads for hashing, compressing and disks: all of it releases the interpreter lock."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="blocks")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work`, done on one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: work(*args, **kwargs))

    def close(self) -> None:
        self._pool.shutdown(wait=False)


class FolderStore:
    """Blocks as files of a local folder, fsynced before they are acknowledged."""

    def __init__(self, root: Path, *, threads: int = THREADS) -> None:
        self._folder = BlockFolder(root)
        self._threads = _Threads(threads)

    async def put(self, scope_id: UUID, digest: bytes, data: bytes) -> None:
        """See BlobStore."""
        await self._threads.run(self._put, scope_id, digest, data)

    def _put(self, scope_id: UUID, digest: bytes, data: bytes) -> None:
        address = key(scope_id, digest)
        if self._is_sound(address, digest):
            self._folder.confirm(address)
        else:
            self._folder.write(address, encode(data))

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

    async def close(self) -> None:
        """See BlobStore."""
        self._threads.close()


class RemoteStore:
    """Blocks as objects of an S3-compatible, Google or Azure store, through obstore."""

    def __init__(self, store: ObjectStore, *, threads: int = THREADS) -> None:
        self._store = store
        self._threads = _Threads(threads)

    async def put(self, scope_id: UUID, digest: bytes, data: bytes) -> None:
        """See BlobStore."""
        packed = await self._threads.run(encode, data)
        try:
            await obstore.put_async(self._store, key(scope_id, digest), packed)
        except (ObjectStoreError, OSError) as error:
            raise StorageUnavailableError from error

    async def get(self, scope_id: UUID, digest: bytes) -> bytes:
        """See BlobStore."""
        try:
            answer = await obstore.get_async(self._store, key(scope_id, digest))
            stored = bytes(await answer.bytes_async())
        except (NotFoundError, FileNotFoundError):
            raise BlockMissingError(digest.hex()) from None
        except (ObjectStoreError, OSError) as error:
            raise StorageUnavailableError from error
        return await self._threads.run(decode, stored, digest)

    async def has(self, scope_id: UUID, digest: bytes) -> bool:
        """See BlobStore."""
        try:
            await obstore.head_async(self._store, key(scope_id, digest))
        except (NotFoundError, FileNotFoundError):
            return False
        except (ObjectStoreError, OSError) as error:
            raise StorageUnavailableError from error
        return True

    async def close(self) -> None:
        """See BlobStore."""
        self._threads.close()
