"""How what is signed or authenticated becomes bytes: one way for each thing, with its context.

A statement is a context, a NUL, and JSON with sorted keys and without spaces; it holds only texts,
whole numbers and lists of them. The context keeps a signature over one kind of statement from
being passed off as one over another.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any
from uuid import UUID

from teamlore_e2e.errors import Tampered

CONTEXT = "teamlore-e2e/v1/"


def statement(kind: str, /, **said: Any) -> bytes:
    """The bytes of a statement of that kind."""
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{CONTEXT}{kind}\0{text}".encode()


def said(kind: str, given: bytes) -> dict[str, Any]:
    """What a statement says. Raises Tampered for bytes that `statement` would not have made."""
    start = f"{CONTEXT}{kind}\0".encode()
    try:
        content = json.loads(given.removeprefix(start))
    except ValueError:
        raise Tampered(f"This is no statement of the kind {kind}") from None
    if not isinstance(content, dict) or statement(kind, **content) != given:
        raise Tampered(f"This is no statement of the kind {kind}")
    return content


def b64(data: bytes) -> str:
    """Bytes as the server's Base64 has them."""
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """The bytes of a Base64. Raises Tampered."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Tampered("The server sent something that is not base64") from None


def uuid_of(global_id: str) -> str:
    """The UUID in one of the server's ids, or a bare UUID in its usual form. Raises Tampered."""
    try:
        if len(global_id) == len(str(UUID(int=0))):
            return str(UUID(global_id))
        padded = global_id + "=" * (-len(global_id) % 4)
        return str(UUID(bytes=base64.urlsafe_b64decode(padded)[1:]))
    except (ValueError, binascii.Error):
        raise Tampered("The server sent an id that is none") from None
