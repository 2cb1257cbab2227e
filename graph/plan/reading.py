"""From a validated operation and its variables to a tree of sources, with the values apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from strawberry.types.arguments import convert_arguments

from graph.mapping import (
    Column,
    Computed,
    Embedded,
    Flag,
    GlobalId,
    Made,
    Many,
    Mapped,
    One,
    mapping_of,
)
from graph.plan.asking import Asker, Field
from graph.plan.collecting import Collector, Groups
from graph.plan.sources import MADE, MANY, ONE
from graph.plan.sources.kinds import Asked
from graph.plan.symbols import Symbols, Uncovered
from graph.plan.tree import (
    Attribute,
    Built,
    Inside,
    Leaf,
    Listed,
    Nothing,
    Object,
    Page,
    Part,
    Reckoned,
    Shown,
    Single,
    Typename,
)
from graph.plan.tree import Field as Covered


@dataclass(frozen=True, slots=True)
class Reading:
    """An operation with its variables: its structure, and the values in it."""

    content: Object
    symbols: Symbols
    asked: Asked
    beside: tuple[Field, ...]
    """Root fields that are asked of their resolvers."""
    keys: tuple[str, ...]
    """The response keys in their order."""


class Reader:
    """Reads the operations of one document."""

    def __init__(
        self, schema: strawberry.Schema, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self._schema, self._operation = schema, operation
        self._core = schema._schema  # noqa: SLF001 - Strawberry has no public name for it
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    def read(self, variables: Mapping[str, Any]) -> Reading:
        """The operation with these variables. Raises Uncovered, also for what is an error."""
        coerced = get_variable_values(
            self._core, self._operation.variable_definitions or (), dict(variables)
        )
        if not isinstance(coerced, VariableValues) or self._operation.directives:
            raise Uncovered
        query = self._core.query_type
        if query is None:
            raise Uncovered
        run = _Run(self._schema, self._fragments, coerced)
        return run.query(query, self._operation.selection_set)


class _Run(Collector):
    """One reading."""

    def __init__(
        self,
        schema: strawberry.Schema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        super().__init__(schema._schema, fragments, variables)  # noqa: SLF001 - it has no other name
        self._schema = schema
        self.symbols, self.asked = Symbols(), Asked()

    def query(self, kind: GraphQLObjectType, selections: SelectionSetNode) -> Reading:
        """The root fields, each covered by a statement or asked of its resolver."""
        covered: list[Covered] = []
        beside: list[Field] = []
        groups, asker = self.collected(kind, [selections]), Asker(self)
        for key, nodes in groups.items():
            if nodes[0].name.value.startswith("__") and nodes[0].name.value != "__typename":
                raise Uncovered
            values, teams = len(self.symbols.values), len(self.asked.teams)
            scopes = set(self.asked.scopes)
            try:
                covered += self._fields(kind, {key: nodes})
            except Uncovered:
                del self.symbols.values[values:], self.asked.teams[teams:]
                self.asked.scopes = scopes
                beside.append(asker.field(key, kind.fields[nodes[0].name.value], nodes))
        content = Object(tuple(covered))
        return Reading(content, self.symbols, self.asked, tuple(beside), tuple(groups))

    def object(self, kind: GraphQLObjectType, sets: list[SelectionSetNode]) -> Object:
        """What is asked of an object."""
        return Object(tuple(self._fields(kind, self.collected(kind, sets))))

    def _fields(self, kind: GraphQLObjectType, groups: Groups) -> list[Covered]:
        definition = kind.extensions["strawberry-definition"]
        mapping = mapping_of(definition.origin)
        names = {
            self._schema.config.name_converter.from_field(field): field.python_name
            for field in definition.fields
        }
        fields: list[Covered] = []
        for key, nodes in groups.items():
            name = nodes[0].name.value
            if name == "__typename":
                fields.append(Typename(key, kind.name))
                continue
            found = mapping.get(names.get(name, ""))
            if found is None:
                raise Uncovered
            fields.append(self._field(key, kind.fields[name], found, nodes))
        return fields

    def _field(
        self, key: str, definition: GraphQLField, found: Mapped, nodes: list[FieldNode]
    ) -> Covered:
        named = get_named_type(definition.type)
        if isinstance(found, Column | GlobalId | Flag):
            if not is_leaf_type(named):
                raise Uncovered
            return Leaf(key, found, named.name)
        sets = [node.selection_set for node in nodes if node.selection_set]
        if isinstance(found, Computed):
            return Reckoned(key, found, self._shown(definition.type, sets))
        if isinstance(found, Embedded):
            return Inside(key, self.object(_concrete(named), sets))
        arguments = self.arguments(definition, nodes[0])
        if isinstance(found, Made):
            wanted = self.symbols.abstract(MADE[found.source].read(arguments, self.asked))
            return Built(key, found, wanted, self._shown(definition.type, sets))
        if isinstance(found, One):
            return self._one(key, found, named, arguments, sets)
        return self._many(key, definition, found, arguments, sets)

    def _one(
        self,
        key: str,
        found: One,
        named: Any,
        arguments: dict[str, Any],
        sets: list[SelectionSetNode],
    ) -> Covered:
        source, wanted = ONE[found.source], None
        if source.read is not None:
            chosen = source.read(arguments, self.asked)
            if chosen is None:
                return Nothing(key)
            source_name, wanted, kind, required = chosen
            if is_abstract_type(named):
                named = self.core.type_map[kind]
            wanted = self.symbols.abstract(wanted)
        else:
            source_name, required = found.source, False
        content = self.object(_concrete(named), sets)
        return Single(key, source_name, found.key, wanted, content, required)

    def _many(
        self,
        key: str,
        definition: GraphQLField,
        found: Many,
        arguments: dict[str, Any],
        sets: list[SelectionSetNode],
    ) -> Covered:
        source, named = MANY[found.source], get_named_type(definition.type)
        wanted = self.symbols.abstract(source.asked(arguments, self.asked))
        if isinstance(get_nullable_type(definition.type), GraphQLList):
            return Listed(key, found.source, found.key, wanted, self.object(_concrete(named), sets))
        parts = self._parts(_concrete(named), sets)
        return Page(key, found.source, found.key, wanted, parts)

    def _shown(self, type_: Any, sets: list[SelectionSetNode]) -> Shown:
        """How a Python value is shown. Raises Uncovered where a resolver would be asked."""
        named = get_named_type(type_)
        if is_leaf_type(named):
            return Shown(type_, None)
        kind, attributes = _concrete(named), []
        for key, nodes in self.collected(kind, sets).items():
            name = nodes[0].name.value
            if name == "__typename":
                attributes.append(Attribute(key, None, kind.name))
                continue
            definition = kind.fields[name]
            field = definition.extensions["strawberry-definition"]
            if field.base_resolver is not None:
                raise Uncovered
            below = [node.selection_set for node in nodes if node.selection_set]
            shown = self._shown(definition.type, below)
            attributes.append(Attribute(key, field.python_name, shown))
        return Shown(type_, tuple(attributes))

    def _parts(
        self, kind: GraphQLObjectType, sets: list[SelectionSetNode]
    ) -> tuple[Part | Typename, ...]:
        """The fields of a connection, an edge or a page's information."""
        parts: list[Part | Typename] = []
        for key, nodes in self.collected(kind, sets).items():
            name = nodes[0].name.value
            below = [node.selection_set for node in nodes if node.selection_set]
            if name == "__typename":
                parts.append(Typename(key, kind.name))
                continue
            named = get_named_type(kind.fields[name].type)
            if name in {"edges", "pageInfo"}:
                parts.append(Part(key, name, self._parts(_concrete(named), below)))
            elif name in {"node", "nodes"}:
                parts.append(Part(key, name, (self.object(_concrete(named), below),)))
            elif name in {"cursor", "totalCount"} or kind.name == "PageInfo":
                parts.append(Part(key, name))
            else:
                parts.append(Part(key, name, tuple(self._fields(kind, {key: nodes}))))
        return tuple(parts)

    def arguments(self, definition: GraphQLField, node: FieldNode) -> dict[str, Any]:
        given = get_argument_values(definition, node, self.variables)
        field = definition.extensions["strawberry-definition"]
        return convert_arguments(
            given,
            field.arguments,
            scalar_registry=self._schema.schema_converter.scalar_registry,
            config=self._schema.config,
        )


def _concrete(kind: Any) -> GraphQLObjectType:
    if not isinstance(kind, GraphQLObjectType):
        raise Uncovered
    return kind
