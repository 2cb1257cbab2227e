"""What an operation costs and what is left to spend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import strawberry

from domain.throttle import Allowance


@strawberry.type(
    description="Your budget of points in the current window. Each operation takes its cost out of "
    "it; a request to the REST APIs takes 10."
)
class RateLimit:
    """A budget, as the operation that asks has left it."""

    cost: int = strawberry.field(description="What this operation costs, in points.")
    remaining: int = strawberry.field(
        description="How many points are left in this window, after this operation."
    )
    limit: int = strawberry.field(
        description="How many points a window has. An operation that costs more takes them all."
    )
    reset_at: datetime = strawberry.field(
        description="When the window ends and the budget is whole again."
    )

    @classmethod
    def of(cls, cost: int, allowance: Allowance) -> RateLimit:
        """An allowance as the graph shows it."""
        ends = datetime.now(UTC) + timedelta(seconds=allowance.reset_seconds)
        return cls(cost=cost, remaining=allowance.remaining, limit=allowance.limit, reset_at=ends)
