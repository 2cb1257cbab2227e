"""The community in numbers."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain.patterns import Statistics, contributors_shown
from graph.mapping import Column, Computed, Many, mapped
from graph.schema.scalars import EpochMillis


@mapped("category", "count")
@strawberry.type(description="A category and how many patterns it has.")
class PatternCategory:
    """One line of the largest categories."""

    category: str = strawberry.field(description="The category.")
    count: int = strawberry.field(description="How many patterns the community sees in it.")


@mapped(
    "last_seen",
    "margin",
    total_patterns=Column("total"),
    contributors=Computed(contributors_shown, "total", "contributors"),
    numbers_from=Column("epoch"),
    top_categories=Many("top categories"),
)
@strawberry.type(description="The community in numbers.")
class PatternStatistics:
    """What `patternStatistics` answers."""

    total_patterns: int = strawberry.field(description="How many patterns the community sees.")
    contributors: int = strawberry.field(
        description="About so many people contribute: drawn once a week, with noise that hides any "
        "one person."
    )
    numbers_from: datetime | None = strawberry.field(
        description="The beginning of the week of the last draw; null before the first, when "
        "`contributors` tells only what the patterns that are shown need."
    )
    margin: int | None = strawberry.field(
        description="In 19 of 20 cases the noise in `contributors`, and in a pattern's `sharedBy`, "
        "is no more than this; null before the first draw."
    )
    top_categories: list[PatternCategory] = strawberry.field(
        description="The ten largest categories."
    )
    last_seen: EpochMillis | None = strawberry.field(
        description="The latest week that any pattern was seen in; null while there is none."
    )

    @classmethod
    def of(cls, numbers: Statistics) -> PatternStatistics:
        """The GraphQL view of the statistics."""
        return cls(
            total_patterns=numbers.patterns,
            contributors=numbers.contributors,
            numbers_from=numbers.numbers_from,
            margin=numbers.margin,
            top_categories=[
                PatternCategory(category=category, count=count)
                for category, count in numbers.top_categories
            ],
            last_seen=None if numbers.last_seen is None else EpochMillis(numbers.last_seen),
        )
