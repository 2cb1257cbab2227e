"""Which entries a list is about, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import ID

from domain.entries import Entry
from domain.knowledge import Filter, Keyset, Order, OrderColumn, Range
from graph.schema import ids
from graph.schema.paging import Place, instant_of, place_of
from graph.schema.scalars import EpochMillis


@strawberry.input(description="A span of time; either end may be left open.")
class TimeRange:
    """As `domain.knowledge.Range`."""

    from_: datetime | None = strawberry.field(
        name="from", default=None, description="The first instant that counts."
    )
    to: datetime | None = strawberry.field(
        default=None, description="The first instant that does not count any more."
    )


@strawberry.input(description="A span of time in milliseconds; either end may be left open.")
class EpochRange:
    """As TimeRange, for `timestamp`."""

    from_: EpochMillis | None = strawberry.field(
        name="from", default=None, description="The first instant that counts."
    )
    to: EpochMillis | None = strawberry.field(
        default=None, description="The first instant that does not count any more."
    )


@strawberry.input(description="Which entries a list is about; every field narrows it.")
class KnowledgeFilter:
    """The filter of lists, search and facets."""

    type: str | None = strawberry.field(default=None, description="Only this kind of knowledge.")
    project: str | None = strawberry.field(default=None, description="Only of this project.")
    author_id: ID | None = strawberry.field(default=None, description="Only by this person.")
    tags: list[str] | None = strawberry.field(
        default=None, description="Only with all of these tags."
    )
    any_tags: list[str] | None = strawberry.field(
        default=None, description="Only with at least one of these tags."
    )
    timestamp: EpochRange | None = strawberry.field(
        default=None, description="Only what was learned in this span."
    )
    created: TimeRange | None = strawberry.field(
        default=None, description="Only what was first stored in this span."
    )
    updated: TimeRange | None = strawberry.field(
        default=None, description="Only what last changed in this span."
    )
    pinned: bool | None = strawberry.field(
        default=None, description="Only what is pinned, or only what is not."
    )
    starred: bool | None = strawberry.field(
        default=None, description="Only what you have put a star at, or only what you have not."
    )

    every_team: bool = strawberry.field(
        default=False,
        description="Not only what you wrote: everything in all of your teams. A team that is "
        "named goes before it.",
    )

    def to_domain(self) -> Filter:
        """What the operations take. Raises Invalid for an id of something else."""
        author = self.author_id and ids.decode("User", self.author_id, "filter", "authorId")
        spans = (
            self.timestamp and Range("timestamp", self.timestamp.from_, self.timestamp.to),
            self.created and Range("created_at", self.created.from_, self.created.to),
            self.updated and Range("updated_at", self.updated.from_, self.updated.to),
        )
        return Filter(
            type=self.type,
            project=self.project,
            author_id=author or None,
            tags=tuple(self.tags or ()),
            any_tags=tuple(self.any_tags or ()),
            ranges=tuple(span for span in spans if span),
            pinned=self.pinned,
            starred=self.starred,
            every_team=self.every_team,
        )


Narrowed = Annotated[KnowledgeFilter | None, strawberry.argument(description="Only some of it.")]


def wanted(given: KnowledgeFilter | None, team_id: UUID | None, *, only_team: bool) -> Filter:
    """The filter of an operation: what was asked for, within a team or not."""
    base = Filter() if given is None else given.to_domain()
    return replace(base, team_id=team_id, only_team=only_team)


@strawberry.enum(description="By which instant entries are ordered.")
class KnowledgeOrderField(Enum):
    """The columns of `domain.knowledge.Order`."""

    TIMESTAMP = strawberry.enum_value(
        "timestamp", description="When they were learned, by the clock of their machine."
    )
    CREATED = strawberry.enum_value("created_at", description="When they were first stored.")
    UPDATED = strawberry.enum_value("updated_at", description="When they last changed.")


@strawberry.enum(description="Which end of a list comes first.")
class OrderDirection(Enum):
    """Up or down."""

    ASC = strawberry.enum_value("asc", description="The oldest first.")
    DESC = strawberry.enum_value("desc", description="The newest first.")


@strawberry.input(description="In which order a list comes.")
class KnowledgeOrder:
    """The order of a list of entries."""

    field: KnowledgeOrderField = strawberry.field(
        default=KnowledgeOrderField.TIMESTAMP, description="By which instant."
    )
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.DESC, description="Which end first."
    )


Ordered = Annotated[
    KnowledgeOrder | None,
    strawberry.argument(description="In which order; newest `timestamp` first without it."),
]
_FIELDS = tuple(KnowledgeOrderField)
_COLUMNS: dict[KnowledgeOrderField, OrderColumn] = {
    KnowledgeOrderField.TIMESTAMP: "timestamp",
    KnowledgeOrderField.CREATED: "created_at",
    KnowledgeOrderField.UPDATED: "updated_at",
}


@dataclass(frozen=True, slots=True)
class OrderBy:
    """An order, with the number that its cursors carry and how places in it are told."""

    order: Order
    number: int

    def place(self, entry: Entry) -> Place:
        """Where an entry stands."""
        if self.order.column == "timestamp":
            return Place(entry.timestamp, entry.id, self.number)
        instant = getattr(entry, self.order.column)
        return place_of(instant, entry.id)._replace(order=self.number)

    def keyset(self, place: Place | None, argument: str) -> Keyset | None:
        """The same place for the database. Raises Invalid when there is no such instant."""
        if place is None:
            return None
        if self.order.column == "timestamp":
            return Keyset(place.number, place.id)
        return Keyset(instant_of(place, argument), place.id)


def order_of(given: KnowledgeOrder | None) -> OrderBy:
    """What an order argument says."""
    order = given or KnowledgeOrder()
    falling = order.direction is OrderDirection.DESC
    number = 1 + 2 * _FIELDS.index(order.field) + (not falling)
    return OrderBy(Order(_COLUMNS[order.field], falling), number)
