"""What a resolver finds in `info.context`: who asks, the services, and this request's loaders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias
from uuid import UUID

import strawberry

from domain.actor import Actor, Origin, Role
from domain.errors import Unauthenticated
from domain.feed import Hub
from domain.services import Services
from domain.throttle import Allowance
from graph.loaders import Loaders


@dataclass
class Context:
    """One per operation (and, in a subscription, per second), so that loaders hold nothing old."""

    services: Services
    caller: Actor | None
    origin: Origin
    """Where the request comes from."""
    allowance: Allowance | None = None
    """What the request has taken of its budget; None where nothing is counted."""
    cost: int = 1
    """What the operation costs, once that is computed."""

    async def settle(self) -> None:
        """Charge the cost. Raises OverBudget when too little is left for it."""
        if self.allowance is not None:
            self.allowance = await self.services.throttle.settle(self.allowance, self.cost)

    @property
    def actor(self) -> Actor:
        """Who asks. Raises Unauthenticated when nobody said."""
        if self.caller is None:
            raise Unauthenticated
        return self.caller

    def gained(self, scope_id: UUID, role: Role) -> None:
        """Let the rest of the operation see what the caller has just come to belong to."""
        self.caller = self.actor.having(scope_id, role)
        self.__dict__.pop("loaders", None)

    @property
    def hub(self) -> Hub:
        """Where subscriptions follow the log."""
        return self.services.hub

    @cached_property
    def loaders(self) -> Loaders:
        """The loaders of this operation."""
        return Loaders(self.services, self.actor)


Info: TypeAlias = strawberry.Info[Context, None]
