"""`rateLimit`: the caller's budget."""

from __future__ import annotations

import strawberry

from graph.context import Info
from graph.fields import computed
from graph.guards import public
from graph.schema.rate_limit import RateLimit


@strawberry.type
class RateLimitQueries:
    """Root fields about what may still be asked."""

    @computed(
        "What this operation costs and what is left of your budget; without a credential, of the "
        "budget of your network address. Null where nothing is counted."
    )
    @public
    async def rate_limit(self, info: Info) -> RateLimit | None:
        """The budget after this operation."""
        allowance = info.context.allowance
        return None if allowance is None else RateLimit.of(info.context.cost, allowance)
