"""Compresses JSON on its way out: zstd or gzip, whichever the client likes better.

Event streams, downloads and whatever already has a coding, a range or an entity tag pass as they
are. Lengths give no secret away: there are no cookies, so no stranger's page can make a browser ask
for an answer that holds one.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from functools import lru_cache, partial
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from direct import Again, Answer, Answered

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIN_BYTES = 1024
OFF_LOOP_BYTES = 64 * 1024
"""Above this it happens in a thread: gzip takes 1 ms for it, zstd 0.2 ms, a hop there 0.05 ms."""
ZSTD_LEVEL, GZIP_LEVEL = 3, 5
_MEDIA_TYPES = {"application/json", "application/graphql-response+json"}
_CODINGS = ("zstd", "gzip")


class Compressor(Protocol):
    """What has been fed comes out of `feed` at once, so that a stream flows on."""

    def feed(self, data: bytes, *, last: bool) -> bytes:
        """The compressed bytes of `data`."""


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstd.ZstdCompressor(level=ZSTD_LEVEL)

    def feed(self, data: bytes, *, last: bool) -> bytes:
        if last:
            return self._inner.compress(data, self._inner.FLUSH_FRAME)
        return self._inner.compress(data, self._inner.FLUSH_BLOCK)


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.compressobj(GZIP_LEVEL, wbits=31)

    def feed(self, data: bytes, *, last: bool) -> bytes:
        end = zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH
        return self._inner.compress(data) + self._inner.flush(end)


def _compressor(coding: str) -> Compressor:
    return _Zstd() if coding == "zstd" else _Gzip()


@lru_cache(256)
def preferred(header: str) -> str | None:
    """The coding that an Accept-Encoding header likes best of ours; None for no coding."""
    wishes: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        wishes[name] = float(quality) if quality.replace(".", "", 1).isdigit() else 0.0
    best = max(_CODINGS, key=lambda coding: wishes.get(coding, wishes.get("*", 0.0)))
    liked = wishes.get(best, wishes.get("*", 0.0))
    return best if liked > 0 and liked >= wishes.get("identity", 0.0) else None


class ContentCoding:
    """An ASGI application with its JSON compressed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and scope["method"] != "HEAD":
            coding = preferred(Headers(scope=scope).get("accept-encoding", ""))
            send = _Answer(send, coding).send
        await self._app(scope, receive, send)


def wished(scope: Scope) -> str | None:
    """The coding that a request's sender likes best of ours; None for no coding."""
    header = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"")
    return preferred(header.decode("latin-1"))


def coded(coding: str, answer: Answer) -> Answer:
    """`answer`, to which JSON goes compressed."""

    def compressed(answered: Answered | Again) -> None:
        if isinstance(answered, Again) or len(answered.body) < MIN_BYTES:
            answer(answered)
            return
        compressor = _compressor(coding)
        head, body = answered.head + b"content-encoding: %b\r\n" % coding.encode(), answered.body

        if len(body) <= OFF_LOOP_BYTES:
            answer(Answered(head, compressor.feed(body, last=True)))
            return
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(None, partial(compressor.feed, body, last=True))
        work.add_done_callback(lambda work: answer(Answered(head, work.result())))

    return compressed


class _Answer:
    """One answer; its head waits for the first part of the body, which decides what it says."""

    def __init__(self, send: Send, coding: str | None) -> None:
        self._send = send
        self._coding = coding
        self._head: Message | None = None
        self._compressor: Compressor | None = None

    async def send(self, message: Message) -> None:
        """Pass on a message of the application, compressed where that is worth it."""
        if message["type"] == "http.response.start" and _is_ours(message):
            self._head = message
        elif message["type"] == "http.response.body":
            await self._body(message)
        else:
            await self._send(message)

    async def _body(self, message: Message) -> None:
        data, more = message.get("body", b""), message.get("more_body", False)
        head, self._head = self._head, None
        if head is not None and self._coding is not None and (more or len(data) >= MIN_BYTES):
            self._compressor = _compressor(self._coding)
        if self._compressor is not None:
            data = await _fed(self._compressor, data, last=not more)
        if head is not None:
            self._describe(head, None if more else len(data))
            await self._send(head)
        await self._send({**message, "body": data})

    def _describe(self, head: Message, size: int | None) -> None:
        headers = MutableHeaders(raw=list(head["headers"]))
        head["headers"] = headers.raw
        if "Accept-Encoding" not in headers.get("vary", ""):
            headers.add_vary_header("Accept-Encoding")
        if self._compressor is None or self._coding is None:
            return
        headers["Content-Encoding"] = self._coding
        if size is None:
            del headers["Content-Length"]
        else:
            headers["Content-Length"] = str(size)


async def _fed(compressor: Compressor, data: bytes, *, last: bool) -> bytes:
    if len(data) <= OFF_LOOP_BYTES:
        return compressor.feed(data, last=last)
    return await asyncio.to_thread(compressor.feed, data, last=last)


def _is_ours(head: Message) -> bool:
    headers = Headers(raw=head["headers"])
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    marked = any(name in headers for name in ("content-encoding", "content-range", "etag"))
    return media_type in _MEDIA_TYPES and not marked
