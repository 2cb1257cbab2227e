"""Connections as Relay specifies them: pages of a list, with cursors that stay valid as it changes.

https://relay.dev/graphql/connections.htm. A cursor is a place in the list's order (a number and an
id that breaks ties), so entries that come and go elsewhere neither repeat nor hide any.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import strawberry

from domain.errors import Invalid
from graph.fields import computed
from graph.schema.scalars import Cursor

NodeT = TypeVar("NodeT")
RowT = TypeVar("RowT")
DEFAULT_PAGE, MAX_PAGE = 20, 100
_BARE = 8 + 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

First = Annotated[
    int | None,
    strawberry.argument(description="How many from the front: 1 to 100, 20 unless given."),
]
Last = Annotated[
    int | None,
    strawberry.argument(description="How many from the end instead: 1 to 100; not with `first`."),
]
After = Annotated[
    Cursor | None, strawberry.argument(description="Only what comes after this place.")
]
Before = Annotated[
    Cursor | None, strawberry.argument(description="Only what comes before this place.")
]


Paging = tuple[int | None, str | None, int | None, str | None]
"""The arguments `first`, `after`, `last` and `before` of a list, as they came."""


class Place(NamedTuple):
    """Where a row stands in the order of its list."""

    number: int
    id: UUID
    order: int = 0
    """Which of several orders of one list; a cursor of one means nothing in another."""


def place_cursor(place: Place) -> Cursor:
    """The cursor of a place."""
    data = place.number.to_bytes(8, "big", signed=True) + place.id.bytes
    data += bytes([place.order]) if place.order else b""
    return Cursor(base64.urlsafe_b64encode(data).decode())


def place_of(instant: datetime, id_: UUID) -> Place:
    """The place of a row in a list that is ordered by an instant."""
    return Place((instant - _EPOCH) // timedelta(microseconds=1), id_)


def instant_of(place: Place, argument: str) -> datetime:
    """The instant that `place_of` was given. Raises Invalid when there is none such."""
    try:
        return _EPOCH + timedelta(microseconds=place.number)
    except OverflowError:
        raise Invalid.at(argument, "is not a cursor of this list") from None


def _place(text: str | None, argument: str, orders: Collection[int]) -> Place | None:
    if text is None:
        return None
    try:
        data = base64.b64decode(text.encode("ascii"), b"-_", validate=True)
    except (ValueError, binascii.Error):
        data = b""
    if len(data) not in {_BARE, _BARE + 1}:
        raise Invalid.at(argument, "is not a cursor of this list")
    order = data[_BARE] if len(data) > _BARE else 0
    if order not in orders:
        raise Invalid.at(argument, "is a cursor of another list or of another ordering")
    number = int.from_bytes(data[:8], "big", signed=True)
    return Place(number, UUID(bytes=data[8:_BARE]), order)


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that was asked for."""

    limit: int
    after: Place | None
    before: Place | None
    backward: bool

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than wanted tells whether there are more."""
        return self.limit + 1

    def cut(self, rows: Sequence[Any]) -> tuple[Sequence[Any], bool, bool]:
        """The rows that were asked for, and whether there are others before and behind them."""
        more = len(rows) > self.limit
        if self.backward:
            return rows[1:] if more else rows, more, self.before is not None
        return rows[: self.limit], self.after is not None, more


def window(
    first: int | None,
    after: str | None,
    last: int | None = None,
    before: str | None = None,
    *,
    orders: Collection[int] = (0,),
) -> Window:
    """Read the paging arguments; cursors must be of one of the `orders`.

    Raises Invalid naming the wrong one.
    """
    if first is not None and last is not None:
        raise Invalid.at("last", "must not be given together with first")
    name, size = ("first", first) if last is None else ("last", last)
    if size is not None and not 1 <= size <= MAX_PAGE:
        raise Invalid.at(name, f"must be from 1 to {MAX_PAGE}")
    return Window(
        DEFAULT_PAGE if size is None else size,
        _place(after, "after", orders),
        _place(before, "before", orders),
        backward=last is not None,
    )


def page_size(first: int | None) -> int:
    """How many items of a forward page to read. Raises Invalid."""
    if first is not None and not 1 <= first <= MAX_PAGE:
        raise Invalid.at("first", f"must be from 1 to {MAX_PAGE}")
    return DEFAULT_PAGE if first is None else first


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = strawberry.field(description="Whether more follows behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether more comes before this page.")
    start_cursor: Cursor | None = strawberry.field(description="The place of the first item.")
    end_cursor: Cursor | None = strawberry.field(description="The place of the last item.")


@strawberry.type(description="An item of a list together with its place there.")
class Edge(Generic[NodeT]):
    """Relay's edge."""

    cursor: Cursor = strawberry.field(description="The place of this item in the list.")
    node: NodeT = strawberry.field(description="The item itself.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[NodeT]):
    """Relay's connection, with `nodes` for those who need no edges."""

    edges: list[Edge[NodeT]] = strawberry.field(description="The items with their places.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @computed("The items alone.")
    def nodes(self) -> list[NodeT]:
        """The nodes of the edges."""
        return [edge.node for edge in self.edges]

    @computed("How many items the whole list has. Counted only when you ask for it.")
    async def total_count(self) -> int:
        """The size of the list without its paging."""
        return await self.count()


def connection(
    rows: Sequence[Any],
    asked: Window,
    node: Callable[[Any], NodeT],
    place: Callable[[Any], Place],
    count: Callable[[], Awaitable[int]],
) -> Connection[NodeT]:
    """The page that `rows` (read with `asked.fetch` as the limit) make."""
    kept, before, behind = asked.cut(rows)
    edges = [Edge(cursor=place_cursor(place(row)), node=node(row)) for row in kept]
    return Connection(edges=edges, page_info=page_info(edges, before, behind), count=count)


def page_info(edges: Sequence[Any], before: bool, behind: bool) -> PageInfo:
    """The page information of these edges."""
    return PageInfo(
        has_next_page=behind,
        has_previous_page=before,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )


def page_of_all(
    everything: Sequence[RowT],
    asked: Window,
    node: Callable[[RowT], NodeT],
    place: Callable[[RowT], Place],
) -> Connection[NodeT]:
    """The page of a list that is short enough to be held whole; read forward only."""

    async def count() -> int:
        return len(everything)

    ordered = sorted(everything, key=place)
    rest = [row for row in ordered if asked.after is None or place(row) > asked.after]
    return connection(rest[: asked.fetch], asked, node, place, count)
