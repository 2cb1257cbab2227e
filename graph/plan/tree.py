"""A selection that has been read: which objects, of which sources, and which of their fields.

Everything in it is structure: equal selections with equal structure have one compiled plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from graph.mapping import Column, Computed, Flag, GlobalId, Made


@dataclass(frozen=True, slots=True)
class Typename:
    """`__typename`."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field with a value of its own."""

    key: str
    source: Column | GlobalId | Flag
    kind: str
    """The name of the field's GraphQL type."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A field that is null, whatever the rows say."""

    key: str


@dataclass(frozen=True, slots=True)
class Object:
    """The fields of one object, in the order of the response."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Single:
    """At most one object of a source."""

    key: str
    source: str
    column: str | None
    wanted: Any
    content: Object
    required: bool = False
    """Whether it is an error when there is none."""


@dataclass(frozen=True, slots=True)
class Inside:
    """An object in the same row."""

    key: str
    content: Object


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole list."""

    key: str
    source: str
    column: str | None
    wanted: Any
    content: Object


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field that shows an attribute of a Python object; without a name, a constant text."""

    key: str
    name: str | None
    shown: Shown | str


@dataclass(frozen=True, slots=True)
class Shown:
    """How a Python value is shown: as its GraphQL type says, and which of its attributes."""

    type: Any
    """The type of the schema's own field, which there is but one of."""
    attributes: tuple[Attribute, ...] | None
    """None for a value that has no selection."""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A field that a function makes of columns of the row."""

    key: str
    source: Computed
    shown: Shown


@dataclass(frozen=True, slots=True)
class Built:
    """A field that functions make of the rows of a source."""

    key: str
    source: Made
    wanted: Any
    shown: Shown


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a connection, of an edge or of the page's information."""

    key: str
    name: str
    content: tuple[Any, ...] = ()
    """Of a page or an edge its parts; of a node the object alone; of what an edge has besides, the
    field."""


@dataclass(frozen=True, slots=True)
class Page:
    """A connection."""

    key: str
    source: str
    column: str | None
    wanted: Any
    parts: tuple[Part | Typename, ...]


Field: TypeAlias = Typename | Leaf | Nothing | Single | Inside | Listed | Page | Reckoned | Built


def parts_named(page: Any, *names: str) -> bool:
    """Whether a connection is asked for any of these."""
    return any(isinstance(part, Part) and part.name in names for part in page.parts)
