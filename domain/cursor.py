"""Cursors of the log: which version of which scopes somebody has seen, as an opaque string.

The bytes are a format number, then for each scope, in id order, its id and eight bytes that hold
`version * 2 + everything`; all of it in unpadded URL-safe base64 (RFC 4648). Where any scope has a
floor, the format is 2, and each scope has eight bytes more for it. There is exactly one spelling
of a cursor, and `decode` takes no other.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from domain.errors import Invalid

_PLAIN, _WITH_FLOORS = b"\x01", b"\x02"
_SCOPE_BYTES = 16
_STRIDES = {_PLAIN: _SCOPE_BYTES + 8, _WITH_FLOORS: _SCOPE_BYTES + 16}
MAX_VERSION = 2**63 - 1
MAX_SCOPES = 4096


class Position(NamedTuple):
    """How far somebody has read in one scope."""

    version: int
    everything: bool = False
    """Whether the reader saw the whole scope, not only what it wrote itself."""
    floor: int = 0
    """What was pruned when the reader began: it has missed nothing up to there, although it has
    not come so far yet. 0 once it has."""

    @property
    def safe(self) -> int:
        """The version up to which pruning cannot have hidden anything from this reader."""
        return max(self.version, self.floor)


def encode(positions: Mapping[UUID, Position]) -> str:
    """The cursor that `decode` turns back into `positions`."""
    floors = any(position.floor > position.version for position in positions.values())
    parts = [_WITH_FLOORS if floors else _PLAIN]
    for scope_id, position in sorted(positions.items()):
        parts.append(scope_id.bytes)
        parts.append((position.version * 2 + position.everything).to_bytes(8, "big"))
        if floors:
            floor = position.floor if position.floor > position.version else 0
            parts.append(floor.to_bytes(8, "big"))
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
    if len(text) > (MAX_SCOPES * _STRIDES[_WITH_FLOORS] + 1) * 4 // 3 + 4:
        return None
    data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
    stride = _STRIDES.get(data[:1])
    if stride is None or len(data) % stride != 1:
        return None
    positions = {}
    for start in range(1, len(data), stride):
        scope, number, floor = (
            data[start : start + 16],
            int.from_bytes(data[start + 16 : start + 24], "big"),
            int.from_bytes(data[start + 24 : start + stride], "big"),
        )
        position = Position(number >> 1, bool(number & 1), floor)
        if floor > MAX_VERSION:
            return None
        positions[UUID(bytes=scope)] = position
    return positions


def looks_like(text: str) -> bool:
    """Whether a text is meant as a cursor: every format number begins with this letter."""
    return text.startswith("A")
