"""How values that Python functions have made are shown, as their GraphQL types say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLList, GraphQLNonNull, get_named_type

from graph.plan.symbols import Uncovered
from graph.plan.tree import Attribute, Shown

Show = Callable[[Any], Any]


def show(shown: Shown) -> Show:
    """What makes JSON of a value. It raises Uncovered for a null where there must be none."""
    return _typed(shown.type, _named(shown))


def _typed(type_: Any, named: Show) -> Show:
    if isinstance(type_, GraphQLNonNull):
        inner = _typed(type_.of_type, named)
        return lambda value: _present(inner(value))
    if isinstance(type_, GraphQLList):
        item = _typed(type_.of_type, named)
        return lambda values: None if values is None else [item(value) for value in values]
    return lambda value: None if value is None else named(value)


def _present(value: Any) -> Any:
    if value is None:
        raise Uncovered
    return value


def _named(shown: Shown) -> Show:
    if shown.attributes is None:
        leaf: Show = get_named_type(shown.type).coerce_output_value
        return leaf
    fields = [_attribute(attribute) for attribute in shown.attributes]
    return lambda value: {key: of(value) for key, of in fields}


def _attribute(attribute: Attribute) -> tuple[str, Show]:
    name, shown = attribute.name, attribute.shown
    if name is None or isinstance(shown, str):
        return attribute.key, lambda _value: shown
    below = show(shown)
    return attribute.key, lambda value: below(getattr(value, name))
