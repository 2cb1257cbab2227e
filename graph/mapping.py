"""What a type says of its rows, next to the type: which column a field shows, where relations lead.

The plan (`graph.plan`) reads it; resolvers do without. What takes Python has its function here: of
columns of the row (`Computed`), or of what the domain makes of a source's rows (`Made`). A field
that is not in the mapping is left to its resolver. Sources are named:
`graph.plan.sources` has the select of each, limited to what the caller may read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from settings import Settings

Kind = Literal[
    "User",
    "Team",
    "KnowledgeEntry",
    "Session",
    "ApiKey",
    "Invitation",
    "SharedSession",
    "SessionSummary",
    "CommunityPattern",
    "SealedEntry",
]
"""The types that have global ids."""
ClassT = TypeVar("ClassT", bound=type)
_MARK = "__mapping__"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the type's rows, shown as the field's GraphQL type says."""

    name: str
    filtered: str | None = None
    """The name of what `graph.plan.render` does to its values before they are shown."""


@dataclass(frozen=True, slots=True)
class GlobalId:
    """A global id made of a column with a UUID."""

    kind: Kind
    name: str = "id"


@dataclass(frozen=True, slots=True)
class Flag:
    """Whether a source has a row for this one."""

    source: str
    key: str = "id"


@dataclass(frozen=True, slots=True)
class One:
    """At most one object: the row that a source has for the value of a column."""

    source: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """An object whose columns are in the same row."""


@dataclass(frozen=True, slots=True)
class Many:
    """A list, or a connection, of the rows that a source has for the value of a column."""

    source: str
    key: str | None = None


@dataclass(frozen=True, slots=True, init=False)
class Computed:
    """What a function makes of columns of the row; objects of it have plain attributes only."""

    of: Callable[..., Any]
    columns: tuple[str, ...]

    def __init__(self, of: Callable[..., Any], *columns: str) -> None:
        object.__setattr__(self, "of", of)
        object.__setattr__(self, "columns", columns)


@dataclass(frozen=True, slots=True)
class Made:
    """What a function makes of the object that the domain makes of a source's rows.

    The function takes that object and the settings.
    """

    source: str
    of: Callable[[Any, Settings], Any]
    key: str | None = None


Mapped: TypeAlias = Column | GlobalId | Flag | One | Embedded | Many | Computed | Made


def mapped(*columns: str, **fields: Mapped) -> Callable[[ClassT], ClassT]:
    """Declare where the fields of a type come from, by their names in Python.

    Fields in `columns` have the names of their columns.
    """
    own: dict[str, Mapped] = {name: Column(name) for name in columns} | fields

    def decorate(cls: ClassT) -> ClassT:
        setattr(cls, _MARK, own)
        return cls

    return decorate


def mapping_of(cls: Any) -> dict[str, Mapped]:
    """The mapping of a class, with what it inherits."""
    found: dict[str, Mapped] = {}
    for base in reversed(cls.__mro__):
        found |= base.__dict__.get(_MARK, {})
    return found
