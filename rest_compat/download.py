"""A conversation's bytes over HTTP: whole, in part, or only whether they have changed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from domain.content import Content
from domain.conversations import Conversation
from rest_compat.call import Call
from rest_compat.errors import json_response

MEDIA_TYPE: Final = "application/x-ndjson"
_RANGE = re.compile(r"bytes=[ \t]*(?:(\d{1,19})-(\d{1,19})?|-(\d{1,19}))[ \t]*")


class Unsatisfiable(Exception):  # noqa: N818 - the name that RFC 9110 gives it
    """The range begins after the end."""


async def get_conversation(call: Call) -> Response:
    """The exact bytes that were uploaded. Takes `Range` (a single one) and `If-None-Match`."""
    session_id: str = call.request.path_params["session_id"]
    conversation = await call.services.custody.open(call.actor, session_id)
    content, request = conversation.version.content, call.request
    headers = _headers(conversation)
    if _matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        headers["Content-Length"] = str(content.size)
        return Response(None, 200, headers, MEDIA_TYPE)
    asked = request.headers.get("range")
    if asked and request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        asked = None
    try:
        part = span(asked, content.size) if asked else None
    except Unsatisfiable:
        headers = {"Content-Range": f"bytes */{content.size}", "Accept-Ranges": "bytes"}
        return json_response({"error": "The range begins after the end"}, 416, headers)
    start, stop = part or (0, content.size)
    headers["Content-Length"] = str(stop - start)
    if part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    body = await _started(call, content, start, stop)
    return StreamingResponse(body, 206 if part else 200, headers, MEDIA_TYPE)


def span(asked: str, size: int) -> tuple[int, int] | None:
    """The first byte of a range and the one after its last.

    None for what is no single range of bytes: it is to be ignored (RFC 9110, 14.2).
    Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(asked.strip())
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, stop = max(0, size - int(suffix)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= stop:
        raise Unsatisfiable
    return start, stop


def _headers(conversation: Conversation) -> dict[str, str]:
    version = conversation.version
    return {
        "ETag": f'"{version.content.digest.hex()}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": attachment(f"{conversation.session.session_id}.jsonl"),
        "Last-Modified": format_datetime(version.updated_at, usegmt=True),
    }


def _matches(given: str | None, etag: str) -> bool:
    if given is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or etag in tags


def attachment(filename: str) -> str:
    """A Content-Disposition for a name in any script, after RFC 6266."""
    plain = "".join(char if char.isascii() and char not in '"\\' else "_" for char in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


async def _started(call: Call, content: Content, start: int, stop: int) -> AsyncIterator[bytes]:
    """The bytes, the first block already read: trouble with it still gets a proper status.

    Later trouble raises in the middle of the body, so that the server drops the connection and
    the client sees that less came than was declared.
    """
    blocks = call.services.custody.read(call.actor, content, start, stop)
    first = await anext(blocks, b"")

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for block in blocks:
            yield block

    return body()
