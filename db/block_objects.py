"""Blocks as objects of an S3-compatible, Google or Azure store, through obstore."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

import obstore
from obstore.exceptions import BaseError as ObjectStoreError
from obstore.exceptions import NotFoundError
from obstore.store import ObjectStore

from db.block_codec import decode, encode, key, unpack
from db.block_names import Held, held, scope_of
from db.block_threads import THREADS, Threads
from db.errors import BlockMissingError, StorageUnavailableError

if TYPE_CHECKING:
    from obstore.store import ClientConfig

TIMEOUTS: Final[ClientConfig] = {"connect_timeout": "3s", "timeout": "15s"}
"""For each try to read or write one block; obstore's own are 5 and 30 seconds."""
PUTS_AT_ONCE: Final = 8


def client_options() -> ClientConfig:
    """How to talk to an object store: our time limits, and what the environment says.

    Options that are given replace all that obstore would have read from the environment
    (`AWS_ALLOW_HTTP`, `AZURE_PROXY_URL`, `GOOGLE_TIMEOUT`, …), so they are read here.
    """
    options: dict[str, object] = {**TIMEOUTS}
    for cloud in ("AWS", "AZURE", "GOOGLE"):
        for name in ("timeout", "connect_timeout", "proxy_url"):
            if value := os.environ.get(f"{cloud}_{name.upper()}"):
                options[name] = value
        for name in ("allow_http", "allow_invalid_certificates"):
            if os.environ.get(f"{cloud}_{name.upper()}", "").lower() in {"true", "1"}:
                options[name] = True
    return cast("ClientConfig", options)


class RemoteStore:
    """See db.blobs.BlobStore; an object is durable once the store has answered."""

    def __init__(self, store: ObjectStore, *, threads: int = THREADS) -> None:
        self._store = store
        self._threads = Threads(threads)

    async def put(self, scope_id: UUID, digest: bytes, data: bytes) -> None:
        """Write the block, also where it is: that heals a damaged one and renews its time."""
        packed = await self._threads.run(encode, data)
        with _translated(digest):
            await obstore.put_async(self._store, key(scope_id, digest), packed)

    async def put_all(self, scope_id: UUID, blocks: Mapping[bytes, bytes]) -> None:
        """See BlobStore."""
        slots = asyncio.Semaphore(PUTS_AT_ONCE)

        async def put(digest: bytes, data: bytes) -> None:
            async with slots:
                await self.put(scope_id, digest, data)

        tasks = [asyncio.create_task(put(*block)) for block in blocks.items()]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def feed(
        self, scope_id: UUID, digests: Sequence[bytes], take: Callable[[bytes], None]
    ) -> None:
        """See BlobStore."""
        for digest in digests:
            stored = await self._stored(scope_id, digest)
            await self._threads.run(
                lambda stored, digest: take(unpack(stored, digest)), stored, digest
            )

    async def get(self, scope_id: UUID, digest: bytes) -> bytes:
        """See BlobStore."""
        stored = await self._stored(scope_id, digest)
        return await self._threads.run(decode, stored, digest)

    async def _stored(self, scope_id: UUID, digest: bytes) -> bytes:
        with _translated(digest):
            answer = await obstore.get_async(self._store, key(scope_id, digest))
            return bytes(await answer.bytes_async())

    async def has(self, scope_id: UUID, digest: bytes) -> bool:
        """See BlobStore."""
        try:
            with _translated(digest):
                await obstore.head_async(self._store, key(scope_id, digest))
        except BlockMissingError:
            return False
        return True

    async def scopes(self) -> Sequence[UUID]:
        """See BlobStore."""
        with _translated():
            listed = await obstore.list_with_delimiter_async(self._store)
        names = (str(prefix).rstrip("/").rpartition("/")[2] for prefix in listed["common_prefixes"])
        return [scope for name in names if (scope := scope_of(name)) is not None]

    async def blocks(self, scope_id: UUID) -> AsyncIterator[Sequence[Held]]:
        """See BlobStore."""
        with _translated():
            async for page in obstore.list(self._store, scope_id.hex, chunk_size=1000):
                found = (held(item["path"], item["last_modified"], item["size"]) for item in page)
                yield [block for block in found if block is not None]

    async def remove(self, scope_id: UUID, digests: Sequence[bytes], before: datetime) -> int:  # noqa: ARG002 - the listing has told the times
        """See BlobStore."""
        with _translated():
            await obstore.delete_async(self._store, [key(scope_id, digest) for digest in digests])
        return len(digests)

    async def tidy(self, before: datetime) -> int:  # noqa: ARG002 - there is nothing to look for
        """Nothing: an object that was cut short never came to be."""
        return 0

    async def close(self) -> None:
        """See BlobStore."""
        self._threads.close()


@contextmanager
def _translated(digest: bytes = b"") -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise BlockMissingError(digest.hex()) from None
    except (ObjectStoreError, OSError) as error:
        raise StorageUnavailableError from error
