"""multipart/form-data as a stream of parts: any number, any size, in flat memory."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from domain.errors import TooLarge
from rest_compat.errors import BadRequest, UnsupportedMediaType

PARTS_MAX: Final = 100_000
HEADERS_MAX: Final = 16
HEADER_BYTES_MAX: Final = 8 * 1024
_PLAIN_ENCODINGS: Final = {"", "7bit", "8bit", "binary"}


class Part:
    """One part: its name, and its content as a stream that can be read once."""

    def __init__(self, parser: MultipartReader, headers: dict[str, bytes]) -> None:
        encoding = headers.get("content-transfer-encoding", b"").decode("latin-1").strip().lower()
        if encoding not in _PLAIN_ENCODINGS:
            raise BadRequest(f"A part has the transfer encoding {encoding}, which is not supported")
        _, options = parse_options_header(headers.get("content-disposition", b""))
        self.name = options.get(b"name", b"").decode("utf-8", "replace")
        self._parser = parser
        self._ended = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content, piece by piece. Raises BadRequest when the body ends inside it."""
        while not self._ended:
            event = await self._parser.event()
            if isinstance(event, bytes):
                yield event
            else:
                self._ended = True

    async def content(self, limit: int) -> bytes:
        """The whole content. Raises TooLarge above `limit` bytes."""
        collected = bytearray()
        async for chunk in self.chunks():
            collected += chunk
            if len(collected) > limit:
                raise TooLarge(f"The part {self.name!r} is larger than {limit} bytes")
        return bytes(collected)


class _End:
    """The end of a part (`last` is False) or of the whole body."""

    def __init__(self, *, last: bool) -> None:
        self.last = last


class MultipartReader:
    """Reads the parts of one body.

    Every method raises BadRequest for a malformed or truncated body, naming the problem.
    """

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        """Raises UnsupportedMediaType for another media type."""
        media_type, options = parse_options_header(content_type)
        if media_type != b"multipart/form-data":
            raise UnsupportedMediaType("Send multipart/form-data")
        boundary = options.get(b"boundary", b"")
        if not boundary:
            raise BadRequest("The Content-Type multipart/form-data lacks its boundary")
        self._body = body
        self._events: deque[bytes | Part | _End] = deque()
        self._headers: dict[str, bytes] = {}
        self._field, self._value = bytearray(), bytearray()
        self._count = 0
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_part_data": self._on_part_data,
                    "on_part_end": lambda: self._events.append(_End(last=False)),
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_end": lambda: self._events.append(_End(last=True)),
                },
                max_header_count=HEADERS_MAX,
                max_header_size=HEADER_BYTES_MAX,
            )
        except FormParserError as error:
            raise BadRequest(f"Malformed multipart body: {error}") from None

    async def parts(self) -> AsyncIterator[Part]:
        """The parts in order; what of one is not read is passed over."""
        while True:
            event = await self.event()
            if isinstance(event, Part):
                yield event
                async for _ in event.chunks():
                    pass
            elif isinstance(event, _End) and event.last:
                break
        async for _ in self._body:  # the epilogue: read, so that the connection stays usable
            pass

    async def event(self) -> bytes | Part | _End:
        """The next thing that the body holds."""
        while not self._events:
            chunk = await anext(self._body, None)
            if chunk is None:
                raise BadRequest("The multipart body ends before its closing boundary")
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise BadRequest(f"Malformed multipart body: {error}") from None
        return self._events.popleft()

    def _on_part_begin(self) -> None:
        self._headers = {}
        self._count += 1
        if self._count > PARTS_MAX:
            raise BadRequest(f"The multipart body has more than {PARTS_MAX} parts")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        self._events.append(Part(self, self._headers))
