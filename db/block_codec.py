"""A block as it is kept, and the name that it is kept under."""

from __future__ import annotations

import hashlib
import zlib
from typing import Final
from uuid import UUID

from backports import zstd

from db.errors import BlockDamagedError

BLOCK_MAX: Final = 4 * 1024 * 1024
"""No block is larger than this; a stored one that claims to be is damaged."""
LEVEL: Final = 3
_RAW, _ZSTD = b"\x00", b"\x01"
_CHECK_BYTES: Final = 4


def key(scope_id: UUID, digest: bytes) -> str:
    """The address of a block: `<scope>/<first two digits>/<digest>`, all in hex."""
    name = digest.hex()
    return f"{scope_id.hex}/{name[:2]}/{name}"


def encode(data: bytes) -> bytes:
    """A block as it is kept.

    A compressed one begins with a CRC-32 of the frame: a frame has bits without a meaning, and
    without that check a flipped one would stay unnoticed until its neighbour flips too.
    """
    packed = zstd.compress(data, LEVEL)
    if len(packed) + _CHECK_BYTES >= len(data):
        return _RAW + data
    return _ZSTD + _check(packed) + packed


def decode(stored: bytes, digest: bytes) -> bytes:
    """The block that was kept as `stored`. Raises BlockDamagedError unless it is `digest`'s."""
    data = unpack(stored, digest)
    if hashlib.sha256(data).digest() != digest:
        raise BlockDamagedError(digest.hex())
    return data


def unpack(stored: bytes, digest: bytes) -> bytes:
    """The same, but not hashed: for who checks a digest over many blocks."""
    try:
        return _unpacked(stored)
    except (zstd.ZstdError, EOFError, ValueError):
        raise BlockDamagedError(digest.hex()) from None


def _check(packed: bytes | memoryview) -> bytes:
    return zlib.crc32(packed).to_bytes(_CHECK_BYTES, "big")


def _unpacked(stored: bytes) -> bytes:
    if stored[:1] == _RAW:
        return stored[1:]
    if stored[:1] != _ZSTD:
        raise ValueError("unknown kind of block")
    packed = memoryview(stored)[1 + _CHECK_BYTES :]
    if stored[1 : 1 + _CHECK_BYTES] != _check(packed):
        raise ValueError("the frame is not what was written")
    # The bound keeps a damaged or hostile frame from unpacking to more than a block.
    return zstd.ZstdDecompressor().decompress(packed, BLOCK_MAX)
