"""What a listing of a block store finds: names that are ours, and names that are not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SCOPE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Held:
    """A block that is in the store."""

    digest: bytes
    wanted_at: datetime
    """When somebody last wrote it or asked for it to be written."""
    size: int
    """Bytes that it takes up there."""


def held(path: str, at: datetime, size: int) -> Held | None:
    """The block at `path`; None where that is no address of a block."""
    name = path.rpartition("/")[2]
    return Held(bytes.fromhex(name), at, size) if _DIGEST.fullmatch(name) else None


def scope_of(name: str) -> UUID | None:
    """The scope whose blocks are kept in the folder `name`; None for another folder."""
    return UUID(name) if _SCOPE.fullmatch(name) else None
