"""What a source is: the select of its rows, how its arguments are read, what its order is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from db.rows import AnySelect
from db.scope import Access
from domain.actor import KeyScope
from domain.policy import NEEDED, Permission
from graph.schema.paging import Place, Window, instant_of, window

Arguments = Mapping[str, Any]
KeysetT = TypeVar("KeysetT")
_PAGING = ("first", "after", "last", "before")


@dataclass(slots=True)
class Asked:
    """What must hold of the caller for the plan to answer."""

    teams: list[UUID] = field(default_factory=list)
    """Teams that it must be in; whoever is not gets the resolver's error."""
    scopes: set[KeyScope] = field(default_factory=set)
    """What its API key must be good for."""
    above: Any = None
    """What the arguments of the object above have asked for, for the lists inside of it."""


class Chosen(NamedTuple):
    """The object that arguments name."""

    source: str
    wanted: Any
    kind: str
    required: bool = False
    """Whether it is an error when there is no such row."""


@dataclass(frozen=True, slots=True)
class OneSource:
    """At most one row; none where `present` is null."""

    select: Callable[[Access, Any], AnySelect]
    present: str = "id"
    read: Callable[[Arguments, Asked], Chosen | None] | None = None


class Placed(NamedTuple):
    """What the cursors of a list are made of."""

    kind: Literal["number", "instant", "rank"]
    column: str
    order: int = 0
    id: str = "id"


@dataclass(frozen=True, slots=True)
class PageOf:
    """A page of a list."""

    about: Any
    limit: int
    backward: bool
    after: Any
    before: Any
    order: Any = None
    number: int | None = None
    """Where the page is to have something in its middle: the number of that."""


@dataclass(frozen=True, slots=True)
class ManySource:
    """Several rows, in an order. `key` is the value of the column that leads here, if any does."""

    read: Callable[[Arguments, Asked], Any]
    select: Callable[[Access, Any, Any], AnySelect]
    order: Callable[[Any], tuple[tuple[str, bool], ...]]
    """Columns, and whether they fall."""
    count: Callable[[Access, Any, Any], AnySelect] | None = None
    place: Callable[[Any], Placed] | None = None
    permission: Permission | None = None
    """What the `role` of the row above has to allow; an error of the field where it does not."""
    never_empty: bool = False
    """Whether the resolver looks elsewhere when there are no rows."""

    def asked(self, arguments: Arguments, asked: Asked) -> Any:
        """What the arguments ask for; notes in `asked` what must hold of the caller."""
        if self.permission is not None:
            asked.scopes.add(NEEDED[self.permission])
        return self.read(arguments, asked)


@dataclass(frozen=True, slots=True)
class MadeSource:
    """Rows of which a function of the domain makes what fields show."""

    read: Callable[[Arguments, Asked], Any]
    select: Callable[[Access, Any, Any], AnySelect]
    make: Callable[[Sequence[Any], Any], Any]
    """Takes the rows, their columns as attributes, and what was asked, its values left out."""
    order: tuple[tuple[str, bool], ...] = ()


def nothing_asked(_arguments: Arguments, _asked: Asked) -> None:
    """The reading of what takes no arguments."""


def windowed(arguments: Arguments, orders: tuple[int, ...] = (0,)) -> Window:
    """The window that the arguments ask for. Raises Invalid."""
    first, after, last, before = (arguments.get(name) for name in _PAGING)
    return window(first, after, last, before, orders=orders)


def page_of(about: Any, asked: Window, after: Any, before: Any, order: Any = None) -> PageOf:
    """The page of a window, with the keysets that its cursors are."""
    return PageOf(about, asked.limit, asked.backward, after, before, order)


def by_instant(
    about: Any, asked: Window, keyset: Callable[[datetime, UUID], Any], order: Any = None
) -> PageOf:
    """The page of a list that goes by an instant."""

    def placed(place: Place | None, name: str) -> Any:
        return None if place is None else keyset(instant_of(place, name), place.id)

    return page_of(
        about, asked, placed(asked.after, "after"), placed(asked.before, "before"), order
    )


@dataclass(frozen=True, slots=True)
class PlaceOf:
    """A place with its number as a value."""

    value: int
    id: UUID
