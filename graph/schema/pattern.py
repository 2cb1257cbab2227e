"""Community patterns, lists of them, and the search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from typing import cast

import strawberry

from domain import patterns
from domain.errors import Invalid
from domain.patterns import QUERY_MAX, Filter, Keyset, Order, Pattern
from graph.context import Info
from graph.fields import computed
from graph.mapping import Column, Computed, GlobalId, mapped
from graph.schema import ids
from graph.schema.paging import PageInfo, Place, Window, page_info, place_cursor
from graph.schema.scalars import Cursor, EpochMillis

MAX_OFFSET = 10_000
"""How deep into the matches of a search one can page."""


@strawberry.enum(description="What kind of pattern it is.")
class PatternType(Enum):
    """The types of `domain.patterns`."""

    SOLUTION = strawberry.enum_value("solution", description="A way to do something.")
    ERROR_FIX = strawberry.enum_value("error_fix", description="An error and what cures it.")
    DECISION = strawberry.enum_value("decision", description="A choice and why.")
    PATTERN = strawberry.enum_value(
        "pattern", description="Anything else, or what people do not agree on."
    )


@mapped(
    "type",
    "category",
    "approach",
    "platform",
    "tags",
    "effectiveness",
    "numbers_from",
    "first_seen",
    "last_seen",
    id=GlobalId("CommunityPattern"),
    shared_by=Column("reach"),
    published_at=Column("visible_at"),
)
@strawberry.type(
    description="Something that at least three people found to work, independently of each other. "
    "Nobody is named, and a value shows only where three people share it."
)
class CommunityPattern(ids.Node):
    """A pattern as the community sees it."""

    kind = "CommunityPattern"

    type: PatternType = strawberry.field(description="What kind of pattern it is.")
    category: str = strawberry.field(description="What it is about, in a word or two.")
    approach: str = strawberry.field(description="What works, in general terms.")
    platform: str | None = strawberry.field(description="What it is for; null for no one thing.")
    tags: list[str] = strawberry.field(description="Free words to find it by.")
    effectiveness: float | None = strawberry.field(
        description="How well it works, from 0 to 1 in tenths: about the average, drawn once a "
        "week as `sharedBy` is. Null while fewer than three people have rated it, and until then."
    )
    shared_by: int = strawberry.field(
        description="About so many independent people share it, at least 3: drawn once a week, "
        "with noise that hides any one person. `patternStatistics` tells how far off it may be."
    )
    numbers_from: datetime | None = strawberry.field(
        description="The beginning of the week that `sharedBy` and `effectiveness` were drawn in; "
        "null before that, when `sharedBy` tells only what every pattern has."
    )
    first_seen: EpochMillis = strawberry.field(
        description="The week by which three people had met it."
    )
    last_seen: EpochMillis = strawberry.field(
        description="The last week since which three people have met it."
    )
    published_at: datetime = strawberry.field(
        description="The beginning of the week in which the community began to see it."
    )

    @classmethod
    def of(cls, pattern: Pattern) -> CommunityPattern:
        """The GraphQL view of a pattern."""
        return cls(
            uuid=pattern.id,
            type=PatternType(pattern.type),
            category=pattern.category,
            approach=pattern.approach,
            platform=pattern.platform,
            tags=list(pattern.tags),
            effectiveness=pattern.effectiveness,
            shared_by=pattern.contributor_count,
            numbers_from=pattern.numbers_from,
            first_seen=EpochMillis(pattern.first_seen),
            last_seen=EpochMillis(pattern.last_seen),
            published_at=pattern.published_at,
        )


@strawberry.enum(description="What a list of community patterns goes by.")
class PatternOrder(Enum):
    """The orders of `db.patterns`, and the rank of a search."""

    RELEVANCE = strawberry.enum_value(
        "relevance", description="The best match comes first; only with `filter.query`."
    )
    REACH = strawberry.enum_value(
        "reach", description="What most people share comes first, by `sharedBy`."
    )
    NEWEST = strawberry.enum_value("newest", description="What was published last comes first.")


@strawberry.input(description="Which patterns a list is about; every field narrows it.")
class PatternFilter:
    """The filter of lists of patterns."""

    category: str | None = strawberry.field(
        default=None, description="Only of this category, in upper or lower case."
    )
    type: PatternType | None = strawberry.field(default=None, description="Only of this type.")
    platform: str | None = strawberry.field(
        default=None, description="Only for this platform, in upper or lower case."
    )
    tags: list[str] | None = strawberry.field(
        default=None, description="Only with at least one of these tags."
    )
    query: str | None = strawberry.field(
        default=None,
        description='Only what matches what you would type: words of any language, "phrases", or, '
        "-not; 1 to 500 characters.",
    )

    def to_domain(self) -> Filter:
        """What the operations take. Raises Invalid for a query that is blank or too long."""
        if self.query is not None and not 1 <= len(self.query.strip()) <= QUERY_MAX:
            raise Invalid.at(("filter", "query"), f"must be 1 to {QUERY_MAX} characters")
        return Filter(
            category=self.category,
            type=None if self.type is None else str(self.type.value),
            platform=self.platform,
            tags=tuple(self.tags or ()),
            words=self.query,
        )


@mapped(rank=Computed(lambda: None))
@strawberry.type(description="A pattern together with its place in a list.")
class PatternEdge:
    """An edge with a rank."""

    cursor: Cursor = strawberry.field(description="The place of this pattern in the list.")
    node: CommunityPattern = strawberry.field(description="The pattern.")
    rank: float | None = strawberry.field(
        description="How well it matches: higher is better, only comparable within one search; "
        "null where the list does not go by it."
    )


@strawberry.type(description="A page of community patterns.")
class PatternConnection:
    """Relay's connection with ranks on the edges."""

    edges: list[PatternEdge] = strawberry.field(description="The patterns with their places.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @computed("The patterns alone.")
    def nodes(self) -> list[CommunityPattern]:
        """The nodes of the edges."""
        return [edge.node for edge in self.edges]

    @computed("How many patterns the whole list has. Counted only when you ask for it.")
    async def total_count(self) -> int:
        """The size of the list without its paging."""
        return await self.count()


async def pattern_page(
    info: Info, asked: Window, given: PatternFilter | None, order_by: PatternOrder | None
) -> PatternConnection:
    """A page of patterns: by rank for a search unless told otherwise, else by reach."""
    wanted = Filter() if given is None else given.to_domain()
    searching = wanted.words is not None
    order = order_by or (PatternOrder.RELEVANCE if searching else PatternOrder.REACH)
    if order is not PatternOrder.RELEVANCE:
        return await _ordered(info, asked, wanted, order)
    if not searching:
        raise Invalid.at("orderBy", "RELEVANCE needs a filter with a query")
    if asked.backward or asked.before is not None:
        raise Invalid.at("before", "a list by relevance is paged with first and after only")
    return await _matches(info, asked, wanted)


async def _matches(info: Info, asked: Window, wanted: Filter) -> PatternConnection:
    """Matches have no order but their rank, so a place is a count of matches."""
    offset = 0 if asked.after is None else min(max(0, asked.after.number), MAX_OFFSET)
    found, total = await patterns.ranked(
        info.context.services, wanted, limit=asked.limit, offset=offset
    )
    edges = [
        _edge(pattern, Place(number, pattern.id), rank)
        for number, (pattern, rank) in enumerate(found, offset + 1)
    ]

    async def count() -> int:
        return total

    behind = offset + len(edges) < total
    return PatternConnection(
        edges=edges, page_info=page_info(edges, offset > 0, behind), count=count
    )


async def _ordered(
    info: Info, asked: Window, wanted: Filter, order: PatternOrder
) -> PatternConnection:
    services = info.context.services
    rows = await patterns.between(
        services,
        wanted,
        cast(Order, order.value),
        limit=asked.fetch,
        after=_keyset(asked.after),
        before=_keyset(asked.before),
        backward=asked.backward,
    )
    kept, before, behind = asked.cut(rows)
    edges = [_edge(pattern, Place(place.number, place.id), None) for pattern, place in kept]
    return PatternConnection(
        edges=edges,
        page_info=page_info(edges, before, behind),
        count=lambda: patterns.count(services, wanted),
    )


def _edge(pattern: Pattern, place: Place, rank: float | None) -> PatternEdge:
    return PatternEdge(cursor=place_cursor(place), node=CommunityPattern.of(pattern), rank=rank)


def _keyset(place: Place | None) -> Keyset | None:
    return None if place is None else Keyset(place.number, place.id)
