"""Digests of bodies (RFC 9530): checked on the way in, named on the way out.

`Content-Digest` is of the bytes as they are sent, so of the compressed ones where there is a
Content-Encoding; `Unencoded-Digest` (draft-ietf-httpbis-unencoded-digest) is of what they unpack
to; `Repr-Digest` is of the whole, also when only a part of it is sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Final

from domain.errors import Invalid

_MEMBER: Final = re.compile(r"\s*([a-z*][a-z0-9_.*-]*)\s*=\s*:([A-Za-z0-9+/=]*):\s*")


def digest_of(name: str, header: str | None) -> bytes | None:
    """The SHA-256 that a digest header names; None where it names none.

    Raises Invalid for a malformed header. Other algorithms are passed over, as the RFC allows.
    """
    if header is None:
        return None
    found = None
    for member in header.split(","):
        match = _MEMBER.fullmatch(member)
        if match is None:
            raise Invalid.at(name, "must look like sha-256=:<base64>:")
        if match[1] == "sha-256":
            found = _decoded(name, match[2])
    return found


def _decoded(name: str, text: str) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise Invalid.at(name, "must hold a SHA-256 in base64")
    return digest


def header_of(digest: bytes) -> str:
    """The value of a digest header."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


async def checked(
    chunks: AsyncIterator[bytes], name: str, digest: bytes | None
) -> AsyncIterator[bytes]:
    """The same bytes; raises Invalid at their end when they are not those of `digest`."""
    if digest is None:
        async for chunk in chunks:
            yield chunk
        return
    seen = hashlib.sha256()
    async for chunk in chunks:
        seen.update(chunk)
        yield chunk
    if seen.digest() != digest:
        raise Invalid.at(name, "is not the digest of what arrived: send it again")
