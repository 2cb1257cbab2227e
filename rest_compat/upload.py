"""Bytes of conversations and further files on their way in: whole, or what follows on the stored.

Appending is modelled on draft-ietf-httpbis-resumable-upload: `HEAD` tells the offset, `PATCH` sends
what comes after it, and 409 with the right `Upload-Offset` answers a wrong one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from domain.content import Content
from domain.conversations import Uploaded
from domain.errors import Invalid, NotFound, TooLarge
from domain.inputs import parse
from domain.sessions import About
from domain.terms import Terms
from rest_compat import codings, digests
from rest_compat.call import Call
from rest_compat.download import etag

_OFFSET_DIGITS: Final = 18


async def put(call: Call, session_id: str, path: str = "") -> Uploaded:
    """Keep the body as the whole of a session's conversation, or of a further file."""
    offset = call.request.headers.get("upload-offset")
    if offset not in {None, "0"}:
        raise Invalid.at("Upload-Offset", "is for PATCH: a PUT is the whole")
    return await call.services.custody.upload(
        call.actor, session_id, body_of(call), told(call), path=path, terms=_terms(call)
    )


async def append(call: Call, session_id: str, path: str = "") -> Uploaded:
    """Keep the body as what follows on the stored bytes, which end at `Upload-Offset`."""
    given = call.request.headers.get("upload-offset", "")
    if not (given.isascii() and given.isdigit() and len(given) <= _OFFSET_DIGITS):
        raise Invalid.at("Upload-Offset", "must say how many bytes are stored")
    return await call.services.custody.append(
        call.actor, session_id, int(given), body_of(call), told(call), path=path, terms=_terms(call)
    )


def result_headers(uploaded: Uploaded) -> dict[str, str]:
    """What an upload's answer says about what is kept now."""
    return {
        "ETag": etag(uploaded.head),
        "Repr-Digest": digests.header_of(uploaded.head.digest),
        "Upload-Offset": str(uploaded.head.size),
        "Upload-Complete": "?1",
    }


def body_of(call: Call) -> AsyncIterator[bytes]:
    """The body, unpacked, its digests checked at its end.

    Raises Forbidden, UnsupportedEncoding, Invalid and TooLarge before any of it is read.
    """
    custody, headers = call.services.custody, call.request.headers
    custody.check_allowed()
    declared, coding = headers.get("content-length", ""), headers.get("content-encoding")
    if declared.isdigit() and int(declared) > custody.size_max:
        raise TooLarge(f"A conversation may have at most {custody.size_max} bytes")
    sent = digests.digest_of("Content-Digest", headers.get("content-digest"))
    held = digests.digest_of("Unencoded-Digest", headers.get("unencoded-digest"))
    body = digests.checked(call.request.stream(), "Content-Digest", sent)
    return digests.checked(codings.decoded(body, coding), "Unencoded-Digest", held)


def _terms(call: Call) -> Terms:
    headers = call.request.headers
    digest = digests.digest_of("Repr-Digest", headers.get("repr-digest"))
    if digest is not None and headers.get("content-encoding", "identity").lower() != "identity":
        raise Invalid.at("Repr-Digest", "is ambiguous with a Content-Encoding: Unencoded-Digest")
    wanted, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if wanted is None and unwanted is None:
        return Terms(digest)

    def accepts(head: Content | None) -> bool:
        if wanted is not None and not (head is not None and _is_match(wanted, head)):
            return False
        return unwanted is None or head is None or not _is_match(unwanted.replace("W/", ""), head)

    return Terms(digest, accepts)


def _is_match(wanted: str, head: Content) -> bool:
    """Strong comparison (RFC 9110, 13.1.1): a weak tag matches nothing."""
    tags = {tag.strip() for tag in wanted.split(",")}
    return "*" in tags or any(etag(head, coding) in tags for coding in (None, "zstd", "gzip"))


def told(call: Call) -> About:
    """What the headers say. They carry UTF-8, which the server library reads as Latin-1."""
    values = {
        "working_directory": call.request.headers.get("x-working-directory"),
        "project_name": call.request.headers.get("x-project-name"),
        "git_remote": call.request.headers.get("x-git-remote"),
    }
    return parse(About, {name: _utf8(value) for name, value in values.items() if value})


def _utf8(value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def either_id(call: Call) -> str:
    """The id in the address: Claude Code's or ours. Raises NotFound for what can be neither."""
    session_id: str = call.request.path_params["session_id"]
    if not session_id.isprintable():
        raise NotFound
    return session_id
