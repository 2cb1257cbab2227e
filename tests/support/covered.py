"""The part of the schema that the plan knows: to generate operations that it answers itself.

That is what mappings have and, of types without a mapping, what is a plain attribute: functions of
mappings make such objects.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    GraphQLObjectType,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    parse,
    print_schema,
)

from graph.mapping import mapping_of

_SHAPES = {"PageInfo", "KnowledgeMatches", "KnowledgeMatch"}
SCALARS = {"Int", "Float", "String", "Boolean", "ID"}


def covered_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The schema without the fields that no mapping has, and without mutations."""
    core = schema._schema
    kept: list[Any] = []
    for node in parse(print_schema(core)).definitions:
        if isinstance(node, SchemaDefinitionNode):
            continue
        if not isinstance(node, ObjectTypeDefinitionNode):
            kept.append(node)
        elif node.name.value not in {"Mutation", "Subscription"}:
            names = _mapped(schema, core.type_map[node.name.value])
            kept.append(node if names is None else _narrowed(node, names))
    return _without_dangling(kept)


def _narrowed(node: ObjectTypeDefinitionNode, names: set[str]) -> ObjectTypeDefinitionNode:
    return replace(node, fields=tuple(f for f in node.fields or () if f.name.value in names))


def _mapped(schema: strawberry.Schema, kind: Any) -> set[str] | None:
    """The fields of a type that are covered; None where a type is known by its shape."""
    if not isinstance(kind, GraphQLObjectType):
        return None
    if kind.name.endswith(("Connection", "Edge")) or kind.name in _SHAPES:
        return None
    definition = kind.extensions["strawberry-definition"]
    found = mapping_of(definition.origin)
    convert = schema.config.name_converter.from_field
    if not found and not kind.interfaces:
        return {convert(field) for field in definition.fields if field.base_resolver is None}
    return {convert(field) for field in definition.fields if field.python_name in found}


def _without_dangling(definitions: list[Any]) -> GraphQLSchema:
    """The schema of these definitions, less what leads to types that are gone."""
    while True:
        names = {node.name.value for node in definitions} | SCALARS
        kept = [node for node in (_rooted(node, names) for node in definitions) if node]
        if kept == definitions:
            return build_ast_schema(DocumentNode(definitions=tuple(definitions)))
        definitions = kept


def _rooted(node: Any, names: set[str]) -> Any:
    """A definition with what leads to known types only; None when nothing of it is left."""
    if isinstance(node, ObjectTypeDefinitionNode):
        fields = tuple(f for f in node.fields or () if _named(f.type) in names)
        return replace(node, fields=fields) if fields else None
    if isinstance(node, UnionTypeDefinitionNode):
        types = tuple(t for t in node.types or () if t.name.value in names)
        return replace(node, types=types) if types else None
    return node


def _named(node: Any) -> str:
    while not hasattr(node, "name"):
        node = node.type
    name: str = node.name.value
    return name
