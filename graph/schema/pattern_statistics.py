"""The community in numbers."""

from __future__ import annotations

import strawberry

from domain.patterns import Statistics
from graph.schema.scalars import EpochMillis


@strawberry.type(description="A category and how many patterns it has.")
class PatternCategory:
    """One line of the largest categories."""

    category: str = strawberry.field(description="The category.")
    count: int = strawberry.field(description="How many patterns the community sees in it.")


@strawberry.type(description="The community in numbers.")
class PatternStatistics:
    """What `patternStatistics` answers."""

    total_patterns: int = strawberry.field(description="How many patterns the community sees.")
    contributors_at_least: int = strawberry.field(
        description="At least so many people have contributed: 0, 3, 5, 10, 20 and so on."
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
            contributors_at_least=numbers.contributors,
            top_categories=[
                PatternCategory(category=category, count=count)
                for category, count in numbers.top_categories
            ],
            last_seen=None if numbers.last_seen is None else EpochMillis(numbers.last_seen),
        )
