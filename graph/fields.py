"""Strawberry's decorators with types that mypy can follow."""

from __future__ import annotations

from collections.abc import Callable

import strawberry
from strawberry.types.field import StrawberryField

Resolver = Callable[..., object]


def computed(description: str) -> Callable[[Resolver], StrawberryField]:
    """Make a method a field of its type."""

    def decorate(resolver: Resolver) -> StrawberryField:
        return strawberry.field(resolver, description=description)

    return decorate


def followed(description: str) -> Callable[[Resolver], StrawberryField]:
    """Make a method a subscription."""

    def decorate(resolver: Resolver) -> StrawberryField:
        return strawberry.subscription(resolver, description=description)

    return decorate
