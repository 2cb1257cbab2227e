"""How big a document is: depth, fields, aliases and cost, each fragment visited once.

A field costs one; a list costs its page times what one of its items costs, as in
`api/graph/complexity.go` of git.sr.ht. A page is what `first` or `last` say, else the default; a
list of objects without pages counts as one default page. The walk is linear in the size of the
document, whatever the fragments do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_interface_type,
    is_leaf_type,
    is_object_type,
)

DEFAULT_PAGE = 20
PARTS = frozenset({"ToolCall", "ToolResult"})
"""Kinds that are read with the row that lists them, and are few: such a list counts as a pair."""
_PAIR = 2
_HUGE = 10**9
"""Page sizes above this count as this, so that no figure takes long to compute or to print."""


class Extent(NamedTuple):
    """How big a selection is with its fragments written out. A spread counts as a field."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: Extent) -> Extent:
        """Both selections next to each other."""
        return Extent(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.cost + other.cost,
        )


class Measure:
    """Measures the parts of one document; without `variables`, a page that one decides is 1."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = fragments_of(document)
        self._known: dict[str, Extent | None] = {}

    def operation(self, node: OperationDefinitionNode) -> Extent:
        """The extent of an operation. Raises GraphQLError for a fragment inside itself."""
        return self._of(node.selection_set, self._schema.get_root_type(node.operation))

    def unused(self) -> Extent:
        """The extent of the fragments that nothing measured so far has spread."""
        total = Extent()
        for name in self._fragments:
            if name not in self._known:
                total = total.beside(self._fragment(name))
        return total

    def _of(self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> Extent:
        total = Extent()
        for node in selections.selections if selections else ():
            total = total.beside(self._selection(node, parent))
        return total

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType | None) -> Extent:
        if isinstance(node, FieldNode):
            return self._field(node, parent)
        if isinstance(node, FragmentSpreadNode):
            return Extent(fields=1).beside(self._fragment(node.name.value))
        if isinstance(node, InlineFragmentNode):
            on = node.type_condition
            kind = self._schema.get_type(on.name.value) if on else parent
            return Extent(fields=1).beside(self._of(node.selection_set, kind))
        return Extent()

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Extent:
        definition = _definition(self._schema, parent, node.name.value)
        kind = get_named_type(definition.type) if definition else None
        below = self._of(node.selection_set, kind)
        page = self._page(node, definition, parent) if node.selection_set else 1
        return Extent(
            below.depth + 1,
            below.fields + 1,
            below.aliases + (node.alias is not None),
            page * below.cost + 1,
        )

    def _fragment(self, name: str) -> Extent:
        if name not in self._fragments:
            return Extent()
        if name not in self._known:
            self._known[name] = None
            node = self._fragments[name]
            kind = self._schema.get_type(node.type_condition.name.value)
            self._known[name] = self._of(node.selection_set, kind)
        known = self._known[name]
        if known is None:
            raise GraphQLError(f'The fragment "{name[:50]}" is inside itself')
        return known

    def _page(
        self, node: FieldNode, definition: GraphQLField | None, parent: GraphQLNamedType | None
    ) -> int:
        if definition is None:
            return 1
        if "first" in definition.args:
            sizes = [
                self._size(a) for a in node.arguments or () if a.name.value in ("first", "last")
            ]
            given = [size for size in sizes if size is not None]
            return max(given, default=DEFAULT_PAGE)
        if not _is_whole_list(definition, parent):
            return 1
        return _PAIR if get_named_type(definition.type).name in PARTS else DEFAULT_PAGE

    def _size(self, argument: ArgumentNode) -> int | None:
        """What `first` or `last` say; None for null, which is as if it were left out."""
        value = argument.value
        if isinstance(value, IntValueNode):
            return _bounded(int(value.value[:10]))
        if not isinstance(value, VariableNode):
            return None
        if self._variables is None:
            return 1
        given = self._variables.get(value.name.value)
        return _bounded(given) if isinstance(given, int | float) else None


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The fragments of a document by name. Raises GraphQLError for two of one name."""
    found: dict[str, FragmentDefinitionNode] = {}
    for node in document.definitions:
        if isinstance(node, FragmentDefinitionNode):
            if node.name.value in found:
                raise GraphQLError(f'There are two fragments called "{node.name.value[:50]}"')
            found[node.name.value] = node
    return found


def _bounded(size: float) -> int:
    """A page size between 1 and very many; what is out of range the field itself refuses."""
    return int(size) if 1 <= size <= _HUGE else 1 if size < 1 else _HUGE


def _definition(
    schema: GraphQLSchema, parent: GraphQLNamedType | None, name: str
) -> GraphQLField | None:
    if is_object_type(parent) or is_interface_type(parent):
        return schema.get_field(parent, name)
    return None


def _is_whole_list(definition: GraphQLField, parent: GraphQLNamedType | None) -> bool:
    """Whether a field lists objects without pages: no edges or nodes, which a page has counted.

    Lists of the introspection are no rows; validation bounds how they nest.
    """
    kind = get_named_type(definition.type)
    if is_leaf_type(kind) or kind.name.startswith("__"):
        return False
    in_connection = "pageInfo" in getattr(parent, "fields", ())
    return isinstance(get_nullable_type(definition.type), GraphQLList) and not in_connection
