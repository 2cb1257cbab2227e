"""Every root field says who may call it; a test fails when one does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

from graphql import OperationType

from domain.policy import require_changes

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
Audience = Literal["public", "signed_in"]

_MARK = "__audience__"


def public(resolver: Callable[P, ResultT]) -> Callable[P, ResultT]:
    """Anybody may call it, also without a credential."""
    setattr(resolver, _MARK, "public")
    return resolver


def signed_in(resolver: Callable[P, ResultT]) -> Callable[P, ResultT]:
    """Only a caller with a valid credential; others get Unauthenticated.

    A mutation moreover refuses API keys that may only read: Forbidden.
    """

    @wraps(resolver)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResultT:
        info: Any = kwargs["info"]
        if info.operation.operation is OperationType.MUTATION:
            require_changes(info.context.actor)
        _ = info.context.actor
        return resolver(*args, **kwargs)

    setattr(guarded, _MARK, "signed_in")
    return guarded


def audience_of(resolver: object) -> Audience | None:
    """Who may call a resolver; None when it does not say."""
    audience: Audience | None = getattr(resolver, _MARK, None)
    return audience
