"""Content-Encoding: zstd and gzip, unpacked and packed as streams in little memory.

A body that unpacks to something enormous (a bomb) comes out in small pieces, so that whoever takes
it in can stop at its limit. Windows are bounded to the 8 MiB that RFC 9659 sets for zstd.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

from backports import zstd

from rest_compat.errors import BadRequest, UnsupportedEncoding

PIECE_BYTES: Final = 256 * 1024
LEVEL: Final = 3
_WINDOW_LOG: Final = 23
_GZIP: Final = 16 + zlib.MAX_WBITS
_BROKEN: Final = (zstd.ZstdError, zlib.error, EOFError)


class _Unpacker(Protocol):
    """What both libraries have in common for one frame (zstd) or member (gzip)."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def piece(self, data: bytes) -> bytes: ...
    @property
    def hungry(self) -> bool: ...


class _Zstd:
    def __init__(self) -> None:
        limit: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        self._inner = zstd.ZstdDecompressor(options=limit)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        return self._inner.needs_input

    def piece(self, data: bytes) -> bytes:
        return self._inner.decompress(data, PIECE_BYTES)


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(_GZIP)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        return not self._full

    def piece(self, data: bytes) -> bytes:
        found = self._inner.decompress(self._inner.unconsumed_tail + data, PIECE_BYTES)
        self._full = len(found) == PIECE_BYTES and not self._inner.eof
        return found


_UNPACKERS: Final[dict[str, Callable[[], _Unpacker]]] = {
    "zstd": _Zstd,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
}


def decoded(chunks: AsyncIterator[bytes], coding: str | None) -> AsyncIterator[bytes]:
    """What a body with this Content-Encoding holds.

    Raises UnsupportedEncoding at once, and BadRequest where the body is not what it claims to be.
    """
    name = (coding or "").strip().lower() or "identity"
    if name == "identity":
        return chunks
    if name not in _UNPACKERS:
        raise UnsupportedEncoding("Send the body plain, or with Content-Encoding zstd or gzip")
    return _unpacked(chunks, _UNPACKERS[name], name)


async def _unpacked(
    chunks: AsyncIterator[bytes], make: Callable[[], _Unpacker], name: str
) -> AsyncIterator[bytes]:
    unpacker: _Unpacker | None = None
    complete = False
    try:
        async for chunk in chunks:
            rest = chunk
            while rest or (unpacker is not None and not unpacker.hungry):
                unpacker = unpacker or make()
                if piece := await asyncio.to_thread(unpacker.piece, rest):
                    yield piece
                rest = b""
                if unpacker.eof:  # another frame or member may follow
                    rest, unpacker, complete = unpacker.unused_data, None, True
    except _BROKEN:
        raise BadRequest(f"The body is not what Content-Encoding says ({name})") from None
    if unpacker is not None or not complete:
        raise BadRequest(f"The body ends before its Content-Encoding does ({name})")


def wanted(accepted: str | None) -> str | None:
    """The coding of a download: one that the request asks for by name, and no other.

    A list that HTTP libraries send by themselves (`gzip, deflate`) names what we do not have, and
    is answered plain, with the Content-Length that restoring scripts rely on.
    """
    offers: dict[str, float] = {}
    for item in (accepted or "").lower().split(","):
        name, _, parameters = item.partition(";")
        if name.strip():
            offers[name.strip()] = _weight(parameters)
    if not offers or set(offers) - {"zstd", "gzip", "x-gzip", "identity", "*"}:
        return None
    best = max(("zstd", "gzip"), key=lambda name: offers.get(name, 0.0))
    weight = offers.get(best, 0.0)
    return best if weight > 0 and weight >= offers.get("identity", 0.0) else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


async def encoded(chunks: AsyncIterator[bytes], coding: str) -> AsyncIterator[bytes]:
    """The bytes, packed with `zstd` or `gzip`."""
    packer: zstd.ZstdCompressor | zlib._Compress
    packer = (
        zstd.ZstdCompressor(LEVEL) if coding == "zstd" else zlib.compressobj(LEVEL, wbits=_GZIP)
    )
    async for chunk in chunks:
        if piece := await asyncio.to_thread(packer.compress, chunk):
            yield piece
    yield packer.flush()
