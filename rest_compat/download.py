"""A conversation's bytes over HTTP: whole, in part, or only whether they have changed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from domain.content import Content
from domain.versions import Version
from rest_compat import codings, digests
from rest_compat.call import Call
from rest_compat.errors import json_response

MEDIA_TYPE: Final = "application/x-ndjson"
_RANGE = re.compile(r"bytes=[ \t]*(?:(\d{1,19})-(\d{1,19})?|-(\d{1,19}))[ \t]*")
_VERSION_MAX: Final = 2**31 - 1


class Unsatisfiable(Exception):  # noqa: N818 - the name that RFC 9110 gives it
    """The range begins after the end."""


async def get_conversation(call: Call) -> Response:
    """The exact bytes that were uploaded; `?version=` for an earlier version than the current."""
    session_id: str = call.request.path_params["session_id"]
    number = asked_version(call)
    conversation = await call.services.custody.open(call.actor, session_id, number)
    name = f"{conversation.session.session_id}.jsonl"
    return await send(call, conversation.version, name, MEDIA_TYPE, appendable=number is None)


async def list_versions(call: Call) -> Response:
    """What is kept of a conversation: its versions, oldest first."""
    session_id: str = call.request.path_params["session_id"]
    current = (await call.services.custody.open(call.actor, session_id)).version
    versions = await call.services.custody.versions(call.actor, session_id)
    return json_response({"versions": [present(version, current) for version in versions]})


def present(version: Version, current: Version) -> dict[str, object]:
    """A version in a list."""
    return {
        "version": version.number,
        "current": version.number == current.number,
        "size": version.content.size,
        "lines": version.content.lines,
        "sha256": version.content.digest.hex(),
        "created": version.created_at,
        "updated": version.updated_at,
    }


def asked_version(call: Call) -> int | None:
    """The `version` of the query string. Raises Invalid when it is no number of one."""
    return call.number("version", 0, 1, _VERSION_MAX) or None


async def send(
    call: Call, version: Version, filename: str, media_type: str, *, appendable: bool
) -> Response:
    """A version's bytes. Takes `Range` (a single one), `If-None-Match` and `Accept-Encoding`."""
    content, request = version.content, call.request
    asked = request.headers.get("range")
    coding = None if asked else codings.wanted(request.headers.get("accept-encoding"))
    headers = _headers(version, filename, coding)
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if appendable:
        headers |= {"Upload-Offset": str(content.size), "Upload-Complete": "?1"}
    headers |= _digests(content, coding)
    if request.method == "HEAD":
        if coding is None:
            headers["Content-Length"] = str(content.size)
        return Response(None, 200, headers, media_type)
    if coding is not None:
        packed = codings.encoded(await _started(call, content, 0, content.size), coding)
        return StreamingResponse(packed, 200, headers, media_type)
    if asked and request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        asked = None
    return await _send_part(call, content, asked, headers, media_type)


async def _send_part(
    call: Call, content: Content, asked: str | None, headers: dict[str, str], media_type: str
) -> Response:
    try:
        part = span(asked, content.size) if asked else None
    except Unsatisfiable:
        headers = {"Content-Range": f"bytes */{content.size}", "Accept-Ranges": "bytes"}
        return json_response({"error": "The range begins after the end"}, 416, headers)
    start, stop = part or (0, content.size)
    headers["Content-Length"] = str(stop - start)
    if part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
        headers.pop("Content-Digest")
    body = await _started(call, content, start, stop)
    return StreamingResponse(body, 206 if part else 200, headers, media_type)


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


def etag(content: Content, coding: str | None = None) -> str:
    """The tag of a version: its SHA-256, and the coding that it is sent in."""
    return f'"{content.digest.hex()}{"-" + coding if coding else ""}"'


def _headers(version: Version, filename: str, coding: str | None) -> dict[str, str]:
    headers = {
        "ETag": etag(version.content, coding),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": attachment(filename),
        "Last-Modified": format_datetime(version.updated_at, usegmt=True),
        "Vary": "Accept-Encoding",
    }
    return headers | ({"Content-Encoding": coding} if coding else {})


def _digests(content: Content, coding: str | None) -> dict[str, str]:
    """What a packed body digests to is known only at its end; of that the unpacked one is named."""
    value = digests.header_of(content.digest)
    if coding is not None:
        return {"Unencoded-Digest": value}
    return {"Content-Digest": value, "Repr-Digest": value}


def matches(given: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` names the tag."""
    if given is None:
        return False
    tags = {item.strip().removeprefix("W/") for item in given.split(",")}
    return "*" in tags or tag in tags


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
