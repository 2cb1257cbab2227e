"""Tar archives as they are streamed: the head of a member, what fills it up, and the end."""

from __future__ import annotations

import tarfile
from typing import Final

_RECORD: Final = 512
END: Final = bytes(2 * _RECORD)


def head(name: str, size: int, mtime: int = 0) -> bytes:
    """What comes before the bytes of a file, readable for its owner alone."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, mtime, 0o600
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def filling(size: int) -> bytes:
    """What comes after them."""
    return bytes(-size % _RECORD)


def member(name: str, data: bytes) -> bytes:
    """A whole file."""
    return head(name, len(data)) + data + filling(len(data))
