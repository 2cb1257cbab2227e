"""Where a test's blocks are: a folder or a bucket, looked at and harmed in the same way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from settings import Settings
from tests.support.s3 import S3


@dataclass(frozen=True)
class Place:
    """A store of blocks, behind the server's back."""

    url: str
    """What BLOB_URL is to say."""
    environ: dict[str, str] = field(default_factory=dict)
    """What else the environment is to say."""

    @property
    def is_bucket(self) -> bool:
        """Whether this is an object store."""
        return urlsplit(self.url).scheme == "s3"

    def names(self) -> list[str]:
        """The addresses of all blocks, smallest block first."""
        found = [item for page in obstore.list(self._store) for item in page]
        blocks = [item for item in found if not item["path"].startswith(".drafts")]
        return [
            item["path"] for item in sorted(blocks, key=lambda item: (item["size"], item["path"]))
        ]

    def read(self, name: str) -> bytes:
        """A block as it is kept."""
        return bytes(obstore.get(self._store, name).bytes())

    def write(self, name: str, data: bytes) -> None:
        """Put other bytes where a block is."""
        obstore.put(self._store, name, data)

    def delete(self, name: str) -> None:
        """Lose a block."""
        obstore.delete(self._store, name)

    def flip(self, name: str, bit: int) -> bytes:
        """Flip one bit of a block; the block as it was."""
        sound = self.read(name)
        bad = bytearray(sound)
        bad[bit // 8 % len(bad)] ^= 1 << bit % 8
        self.write(name, bytes(bad))
        return sound

    def used_by(self, settings: Settings) -> Settings:
        """Settings of a server that keeps its blocks here."""
        return settings.model_copy(update={"blob_url": self.url})

    @property
    def _store(self) -> ObjectStore:
        return from_url(self.url) if self.is_bucket else LocalStore(self.url, mkdir=True)


def folder_place(folder: Path) -> Place:
    """A folder of blocks, which may not be there yet."""
    return Place(str(folder))


def bucket_place(server: S3) -> Place:
    """A new bucket."""
    url = f"s3://{server.bucket()}/conversations"
    return Place(url, {"BLOB_URL": url, **server.environ})
