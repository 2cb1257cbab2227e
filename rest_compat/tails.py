"""What many files have grown by, in one request: a line of JSON that says what comes, and bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from starlette.responses import Response

from domain.errors import OffsetMismatch, TooLarge
from domain.tails import Announced, Kept, Outcome, announced
from rest_compat import upload
from rest_compat.call import Call, decode
from rest_compat.errors import BadRequest, content_of, dumps, status_of
from rest_compat.manifest import MEDIA_TYPE

LINE_MAX: Final = 1024 * 1024


async def append_all(call: Call) -> Response:
    """Keep what files have grown by, each by itself, all that is kept in one transaction.

    The answer has a line of JSON for each, in their order.
    """
    body = Body(upload.body_of(call))
    files = announced(decode(await body.line()))
    outcomes = await call.services.custody.append_all(call.actor, files, body.contents(files))
    lines = b"".join(dumps(_present(outcome)) + b"\n" for outcome in outcomes)
    return Response(lines, media_type=MEDIA_TYPE)


class Body:
    """A body as a line and, one after the other, pieces of known lengths."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    async def line(self) -> bytes:
        """The first line, which may be all there is. Raises TooLarge."""
        read = bytearray()
        async for chunk in self._chunks:
            searched = len(read)
            read += chunk
            end = read.find(b"\n", searched)
            if max(end, searched) > LINE_MAX:
                break
            if end >= 0:
                self._rest = bytes(read[end + 1 :])
                return bytes(read[:end])
        if len(read) > LINE_MAX:
            raise TooLarge(f"The first line is larger than {LINE_MAX} bytes")
        return bytes(read)

    async def contents(self, files: Sequence[Announced]) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of each file; each must be read to its end before the next is asked for.

        Raises BadRequest when the body is not exactly as long as the lengths say.
        """
        for file in files:
            yield self._piece(file.length)
        if self._rest or await self._more():
            raise BadRequest("The body goes on after what its first line announces")

    async def _piece(self, length: int) -> AsyncIterator[bytes]:
        while length:
            if not self._rest and not await self._more():
                raise BadRequest("The body ends before what its first line announces")
            piece, self._rest = self._rest[:length], self._rest[length:]
            length -= len(piece)
            yield piece

    async def _more(self) -> bool:
        """Whether there are further bytes, which are in `_rest` then."""
        async for chunk in self._chunks:
            if chunk:
                self._rest = chunk
                return True
        return False


def _present(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Kept):
        head = outcome.head
        shown = {"size": head.size, "sha256": head.digest.hex()}
        return {"status": 201 if outcome.first else 200, **shown}
    size = {"size": outcome.expected} if isinstance(outcome, OffsetMismatch) else {}
    return {"status": status_of(outcome), **content_of(outcome), **size}
