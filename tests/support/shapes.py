"""Whether a response has the shape that its document and the schema promise.

`marked` asks for the type of everything whose type is open; `Shape.check` then walks the data along
the document, as section 6 of the GraphQL specification lays out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    is_abstract_type,
    visit,
)

MARK = "typename__"
Path = tuple[str | int, ...]


class WrongShape(AssertionError):  # noqa: N818 - it is a finding
    """Something in a response is not what the schema says of it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{'.'.join(map(str, path)) or 'data'}: {why}")


def marked(schema: GraphQLSchema, document: DocumentNode) -> DocumentNode:
    """The document with `__typename` wherever an interface or a union is selected from."""
    types = TypeInfo(schema)

    class Marking(Visitor):
        def leave_selection_set(self, node: SelectionSetNode, *_place: Any) -> Any:
            parent = types.get_parent_type()
            if parent is None or not is_abstract_type(parent):
                return None
            mark = FieldNode(
                name=NameNode(value="__typename"),
                alias=NameNode(value=MARK),
                arguments=(),
                directives=(),
            )
            return SelectionSetNode(selections=(mark, *node.selections))

    marked: DocumentNode = visit(document, TypeInfoVisitor(types, Marking()))
    return marked


class Shape:
    """What the data of one operation must look like. The document must be valid and `marked`."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        definitions = document.definitions
        (self._operation,) = (n for n in definitions if isinstance(n, OperationDefinitionNode))
        self._fragments = {
            n.name.value: n for n in definitions if isinstance(n, FragmentDefinitionNode)
        }
        self.leaves: list[tuple[str, Any]] = []
        """The scalars that were met: the name of the type and the value."""

    def check(self, data: Any) -> None:
        """Raises WrongShape."""
        root = self._schema.get_root_type(self._operation.operation)
        assert root is not None
        if data is not None:
            self._object(root, [self._operation.selection_set], data, ())

    def _object(
        self, kind: GraphQLObjectType, sets: list[SelectionSetNode], value: Any, path: Path
    ) -> None:
        if not isinstance(value, dict):
            raise WrongShape(path, f"a {kind.name} is an object, not {value!r}")
        fields: dict[str, list[FieldNode]] = {}
        for selections in sets:
            for node in self._fields(kind, selections):
                fields.setdefault((node.alias or node.name).value, []).append(node)
        if list(value) != list(fields):
            raise WrongShape(path, f"has {list(value)} in place of {list(fields)}")
        for key, nodes in fields.items():
            field = self._schema.get_field(kind, nodes[0].name.value)
            assert field is not None
            below = [node.selection_set for node in nodes if node.selection_set]
            if nodes[0].name.value == "__typename" and value[key] != kind.name:
                raise WrongShape((*path, key), f"{value[key]!r} is no {kind.name}")
            self._value(field.type, below, value[key], (*path, key))

    def _fields(self, kind: GraphQLObjectType, selections: SelectionSetNode) -> Iterator[FieldNode]:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                if self._applies(fragment.type_condition.name.value, kind):
                    yield from self._fields(kind, fragment.selection_set)
            elif isinstance(node, InlineFragmentNode) and (
                node.type_condition is None or self._applies(node.type_condition.name.value, kind)
            ):
                yield from self._fields(kind, node.selection_set)

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        on = self._schema.get_type(condition)
        if isinstance(on, GraphQLInterfaceType | GraphQLUnionType):
            return self._schema.is_sub_type(on, kind)
        return on is kind

    def _value(
        self, kind: GraphQLOutputType, sets: list[SelectionSetNode], value: Any, path: Path
    ) -> None:
        if isinstance(kind, GraphQLNonNull):
            if value is None:
                raise WrongShape(path, f"null for {kind}")
            self._value(kind.of_type, sets, value, path)
        elif value is None:
            return
        elif isinstance(kind, GraphQLList):
            if not isinstance(value, list):
                raise WrongShape(path, f"{value!r} is no list")
            for index, item in enumerate(value):
                self._value(kind.of_type, sets, item, (*path, index))
        elif isinstance(kind, GraphQLScalarType | GraphQLEnumType):
            self._leaf(kind, value, path)
        else:
            self._object(self._runtime(kind, value, path), sets, value, path)

    def _runtime(self, kind: Any, value: Any, path: Path) -> GraphQLObjectType:
        if isinstance(kind, GraphQLObjectType):
            return kind
        named = self._schema.get_type(value.get(MARK, "")) if isinstance(value, dict) else None
        if not isinstance(named, GraphQLObjectType) or not self._schema.is_sub_type(kind, named):
            raise WrongShape(path, f"{value!r} is no {kind}")
        return named

    def _leaf(self, kind: GraphQLScalarType | GraphQLEnumType, value: Any, path: Path) -> None:
        try:
            if kind.name == "ID" and not isinstance(value, str):
                raise GraphQLError("an id goes out as a string")
            kind.parse_value(value)
        except GraphQLError as error:
            raise WrongShape(path, error.message) from None
        self.leaves.append((kind.name, value))
