"""Root fields that no statement covers: asked of their resolvers, shaped by composed functions.

The resolvers are those of the schema, and loaders batch as ever; what is left out is the executor
between them, which looks up each field of each object anew. Whatever goes wrong, down to a null
where there must be none, raises `Uncovered`: errors are the ordinary executor's business, and a
query can be asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    is_abstract_type,
    is_leaf_type,
)

from graph.plan.symbols import Uncovered

Sync = Callable[[Any, Any], Any]
Deep = Callable[[Any, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Info:
    """What a resolver takes from Strawberry's `Info`."""

    context: Any
    operation: OperationDefinitionNode


@dataclass(frozen=True, slots=True)
class Shape:
    """How a value is shown: at once, or by awaiting resolvers."""

    at_once: Sync | None
    awaiting: Deep | None = None

    async def of(self, value: Any, info: Info) -> Any:
        """The value as JSON."""
        if self.at_once is not None:
            return self.at_once(value, info)
        assert self.awaiting is not None  # noqa: S101 - one of the two
        return await self.awaiting(value, info)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object: where its value is, and how that is shown."""

    key: str
    value: Sync
    """What may have to be awaited."""
    shape: Shape
    resolved: bool
    """Whether a resolver finds it, rather than an attribute."""

    async def of(self, source: Any, info: Info) -> Any:
        """What the field shows of an object."""
        found = self.value(source, info)
        return await self.shape.of(await found if isawaitable(found) else found, info)


class Asker:
    """Composes the shapes of one operation. `run` knows its fragments and its variables."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def field(self, key: str, definition: GraphQLField, nodes: list[FieldNode]) -> Field:
        """A field. Raises Uncovered for one with extensions of its own."""
        strawberry_field = definition.extensions["strawberry-definition"]
        sets = [node.selection_set for node in nodes if node.selection_set]
        shape = self._shape(definition.type, sets)
        if strawberry_field.extensions or strawberry_field.permission_classes:
            raise Uncovered
        name, resolver = strawberry_field.python_name, strawberry_field.base_resolver
        if resolver is None:
            return Field(key, lambda source, _info: getattr(source, name), shape, resolved=False)
        given = self._run.arguments(definition, nodes[0])
        takes_self = [source for source in ("self",) if resolver.self_parameter]
        takes_info = resolver.info_parameter

        def value(source: Any, info: Any) -> Any:
            kwargs = {**given, takes_info.name: info} if takes_info else given
            return resolver(*([source] if takes_self else []), **kwargs)

        return Field(key, value, shape, resolved=True)

    def _shape(self, type_: Any, sets: list[SelectionSetNode]) -> Shape:
        if isinstance(type_, GraphQLNonNull):
            return _required(self._nullable(type_.of_type, sets))
        inner = self._nullable(type_, sets)
        return _optional(inner)

    def _nullable(self, type_: Any, sets: list[SelectionSetNode]) -> Shape:
        """How a value that is not null is shown."""
        if isinstance(type_, GraphQLList):
            return _listed(self._shape(type_.of_type, sets))
        if is_leaf_type(type_):
            show = type_.coerce_output_value
            return Shape(lambda value, _info: show(value))
        if is_abstract_type(type_):
            return self._abstract(type_, sets)
        return self._object(type_, sets)

    def _object(self, kind: GraphQLObjectType, sets: list[SelectionSetNode]) -> Shape:
        fields = []
        for key, nodes in self._run.collected(kind, sets).items():
            name = nodes[0].name.value
            if name == "__typename":
                fields.append(_constant(key, kind.name))
            else:
                fields.append(self.field(key, kind.fields[name], nodes))
        return _of_fields(tuple(fields))

    def _abstract(self, kind: Any, sets: list[SelectionSetNode]) -> Shape:
        shapes = {
            possible.extensions["strawberry-definition"].origin: self._object(possible, sets)
            for possible in self._run.core.get_possible_types(kind)
        }

        async def awaiting(value: Any, info: Any) -> Any:
            shape = shapes.get(type(value))
            if shape is None:
                raise Uncovered
            return await shape.of(value, info)

        return Shape(None, awaiting)


def _constant(key: str, text: str) -> Field:
    return Field(
        key, lambda _source, _info: text, Shape(lambda value, _info: value), resolved=False
    )


def _required(shape: Shape) -> Shape:
    def checked(value: Any) -> Any:
        if value is None:
            raise Uncovered
        return value

    at_once, awaiting = shape.at_once, shape.awaiting
    if at_once is not None:
        return Shape(lambda value, info: checked(at_once(checked(value), info)))

    async def waited(value: Any, info: Any) -> Any:
        assert awaiting is not None  # noqa: S101 - a shape has one of the two
        return checked(await awaiting(checked(value), info))

    return Shape(None, waited)


def _optional(shape: Shape) -> Shape:
    at_once, awaiting = shape.at_once, shape.awaiting
    if at_once is not None:
        return Shape(lambda value, info: None if value is None else at_once(value, info))

    async def waited(value: Any, info: Any) -> Any:
        assert awaiting is not None  # noqa: S101 - a shape has one of the two
        return None if value is None else await awaiting(value, info)

    return Shape(None, waited)


def _listed(shape: Shape) -> Shape:
    at_once, awaiting = shape.at_once, shape.awaiting
    if at_once is not None:
        return Shape(lambda values, info: [at_once(value, info) for value in values])

    async def waited(values: Any, info: Any) -> Any:
        assert awaiting is not None  # noqa: S101 - a shape has one of the two
        return await together([awaiting(value, info) for value in values])

    return Shape(None, waited)


def _of_fields(fields: tuple[Field, ...]) -> Shape:
    if not any(field.resolved or field.shape.at_once is None for field in fields):
        plain = [(f.key, f.value, f.shape.at_once) for f in fields if f.shape.at_once]
        return Shape(
            lambda source, info: {
                key: show(value(source, info), info) for key, value, show in plain
            }
        )

    async def waited(source: Any, info: Any) -> Any:
        found = await together([field.of(source, info) for field in fields])
        return dict(zip([field.key for field in fields], found, strict=True))

    return Shape(None, waited)


async def together(asked: list[Awaitable[Any]]) -> list[Any]:
    """All of them at once; what one raises ends the others."""
    if len(asked) == 1:
        return [await asked[0]]
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
