"""Custody with small blocks, and one account that uses it, without a server around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

from db import accounts
from db.blobs import BlobStore, open_store
from db.engine import Database
from domain.actor import Actor
from domain.conversations import Custody, Uploaded
from domain.sessions import About
from settings import Settings
from tests.support.postgres import TESTING

BLOCK = 16


class Desk:
    """Custody with small blocks, and one account that uses it."""

    def __init__(
        self, settings: Settings, block_size: int = BLOCK, place: str | None = None
    ) -> None:
        assert settings.database_url is not None
        self.settings = settings
        self.folder: Path = settings.data_dir / "blobs"
        self.db = Database(settings.database_url, pool_size=10)
        self.place = place or str(self.folder)
        self.custody = Custody(self.db, self.store(), settings, block_size=block_size)
        self.later = Custody(self.db, self.store(), settings, block_size=max(1, block_size // 2))
        """The same with smaller blocks, as after an upgrade."""
        self.account = uuid4()
        self.actor = Actor(self.account, {self.account: "owner"})

    def store(self) -> BlobStore:
        """The place of the blocks, opened once more."""
        return open_store(self.place)

    async def open(self) -> None:
        async with self.db.begin(TESTING) as connection:
            await accounts.create(connection, self.actor.account_id, "al", {"username": "al"})

    async def close(self) -> None:
        await self.custody.close()
        await self.later.close()
        await self.db.close()

    async def upload(
        self, session: str, data: bytes, about: About | None = None, chunk: int = 7
    ) -> Uploaded:
        return await self.custody.upload(self.actor, session, pieces(data, chunk), about or About())

    async def upload_later(self, session: str, data: bytes, chunk: int = 7) -> Uploaded:
        return await self.later.upload(self.actor, session, pieces(data, chunk), About())

    async def download(self, session: str, number: int | None = None) -> bytes:
        version = (await self.custody.open(self.actor, session, number)).version
        return b"".join([part async for part in self.custody.read(self.actor, version.content)])

    async def versions(self, session: str) -> list[bytes]:
        found = await self.custody.versions(self.actor, session)
        return [await self.download(session, version.number) for version in found]


async def pieces(data: bytes, chunk: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(data), chunk):
        yield data[start : start + chunk]
