"""What a resolver finds in `info.context`: who asks, the services, and this request's loaders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import strawberry

from domain.actor import Actor
from domain.errors import Unauthenticated
from domain.feed import Hub
from domain.services import Services
from graph.loaders import Loaders


@dataclass
class Context:
    """One per operation (and, in a subscription, per second), so that loaders hold nothing old."""

    services: Services
    caller: Actor | None
    address: str
    """The network address that asks."""

    @property
    def actor(self) -> Actor:
        """Who asks. Raises Unauthenticated when nobody said."""
        if self.caller is None:
            raise Unauthenticated
        return self.caller

    @property
    def hub(self) -> Hub:
        """Where subscriptions follow the log."""
        return self.services.hub

    @cached_property
    def loaders(self) -> Loaders:
        """The loaders of this operation."""
        return Loaders(self.services, self.actor)


Info: TypeAlias = strawberry.Info[Context, None]
