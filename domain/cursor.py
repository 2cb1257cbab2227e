"""Cursors of the log: which version of which scopes somebody has seen, as an opaque string.

The bytes are a format number, then for each scope, in id order, its id and eight bytes that hold
`version * 2 + everything`; all of it in unpadded URL-safe base64 (RFC 4648). There is exactly one
spelling of a cursor, and `decode` takes no other.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from domain.errors import Invalid

_FORMAT = b"\x01"
_SCOPE_BYTES = 16
_STRIDE = _SCOPE_BYTES + 8
MAX_VERSION = 2**63 - 1
MAX_SCOPES = 4096


class Position(NamedTuple):
    """How far somebody has read in one scope."""

    version: int
    everything: bool = False
    """Whether the reader saw the whole scope, not only what it wrote itself."""


def encode(positions: Mapping[UUID, Position]) -> str:
    """The cursor that `decode` turns back into `positions`."""
    parts = [_FORMAT]
    for scope_id, position in sorted(positions.items()):
        parts.append(scope_id.bytes)
        parts.append((position.version * 2 + position.everything).to_bytes(8, "big"))
    return base64.urlsafe_b64encode(b"".join(parts)).rstrip(b"=").decode()


def decode(text: str, *, field: str = "after") -> dict[UUID, Position]:
    """What the cursor says. Raises Invalid at `field` for anything that `encode` never made."""
    try:
        positions = _read(text)
    except (ValueError, binascii.Error):
        positions = None
    if positions is None or encode(positions) != text:
        raise Invalid.at(field, "is not a cursor of this server")
    return positions


def _read(text: str) -> dict[UUID, Position] | None:
    if len(text) > (MAX_SCOPES * _STRIDE + 1) * 4 // 3 + 4:
        return None
    data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
    if data[:1] != _FORMAT or len(data) % _STRIDE != 1:
        return None
    positions = {}
    for start in range(1, len(data), _STRIDE):
        scope_id = UUID(bytes=data[start : start + _SCOPE_BYTES])
        number = int.from_bytes(data[start + _SCOPE_BYTES : start + _STRIDE], "big")
        positions[scope_id] = Position(number >> 1, bool(number & 1))
    return positions


def looks_like(text: str) -> bool:
    """Whether a text is meant as a cursor: every cursor begins with the format number's letter."""
    return text.startswith("A")
