"""Global ids: one opaque string names any object of the graph, as Relay's `Node` asks for.

The bytes are a letter for the type and the object's UUID, in unpadded URL-safe base64. Where the
type is known from the field, the bare UUID that the REST APIs hand out is taken as well.
"""

from __future__ import annotations

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
_LENGTH = 23
"""The length of an id: 17 bytes in base64."""
_STANDARD, _URL_SAFE = str.maketrans("-_", "+/"), str.maketrans("+/", "-_")


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
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").decode().translate(_URL_SAFE)


def tag_of(kind: Kind) -> bytes:
    """The letter that ids of a kind begin with."""
    return _TAGS[kind]


def split(text: str) -> tuple[Kind, UUID] | None:
    """What a global id names; None for anything that `encode` never made."""
    if len(text) != _LENGTH:
        return None
    try:
        data = binascii.a2b_base64(text.translate(_STANDARD) + "=")
    except ValueError:
        return None
    kind = _KINDS.get(data[:1])
    if kind is None or _text(data) != text:
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
