"""Global ids: one opaque string names any object of the graph, as Relay's `Node` asks for.

The bytes are a letter for the type and the object's UUID, in unpadded URL-safe base64. Where the
type is known from the field, the bare UUID that the REST APIs hand out is taken as well.
"""

from __future__ import annotations

import base64
import binascii
from typing import ClassVar
from uuid import UUID

import strawberry
from strawberry import ID

from domain.errors import Invalid
from graph.fields import computed
from graph.mapping import Kind as Kind

_TAGS: dict[Kind, bytes] = {
    "User": b"u",
    "Team": b"t",
    "KnowledgeEntry": b"k",
    "Session": b"s",
    "ApiKey": b"a",
    "Invitation": b"i",
    "SharedSession": b"h",
    "SessionSummary": b"y",
    "CommunityPattern": b"p",
    "SealedEntry": b"e",
}
_KINDS = {tag: kind for kind, tag in _TAGS.items()}
_UUID_TEXT = 36


@strawberry.interface(description="Anything that has an id of its own and can be fetched by it.")
class Node:
    """Relay's interface for whatever can be fetched again by its id."""

    kind: ClassVar[Kind]
    uuid: strawberry.Private[UUID]

    @computed("Names this object for as long as it exists.")
    def id(self) -> ID:
        """The global id."""
        return encode(self.kind, self.uuid)


def encode(kind: Kind, uuid: UUID) -> ID:
    """The global id of an object."""
    return ID(_text(_TAGS[kind] + uuid.bytes))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def tag_of(kind: Kind) -> bytes:
    """The letter that ids of a kind begin with."""
    return _TAGS[kind]


def split(text: str) -> tuple[Kind, UUID] | None:
    """What a global id names; None for anything that `encode` never made."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", True)
    except (ValueError, binascii.Error):
        return None
    kind = _KINDS.get(data[:1])
    if kind is None or len(data) != 1 + 16 or _text(data) != text:
        return None
    return kind, UUID(bytes=data[1:])


def decode(kind: Kind, text: str, *path: str) -> UUID:
    """The UUID of an object of that kind. Raises Invalid at `path` for any other text."""
    named = split(text)
    if named is not None and named[0] == kind:
        return named[1]
    if len(text) == _UUID_TEXT:
        try:
            return UUID(text)
        except ValueError:
            pass
    raise Invalid.at(path or ("id",), f"is not the id of a {kind}")
