"""Bounds on a request, checked before anything else looks at it, in time linear in its size.

The figures are measured: with them, every document of 10 kB in tests/graph/test_bombs.py is
answered or refused within 50 ms of CPU, validation included; the dearest takes about 20 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionSetNode,
    value_from_ast_untyped,
)

from graph import tokens
from graph.extent import Extent, Measure, fragments_of

MAX_DOCUMENT_BYTES = 64 * 1024
MAX_TOKENS = 2_000
MAX_DEFINITIONS = 50
MAX_DEPTH = 15
MAX_FIELDS = 500
MAX_ALIASES = 100
MAX_MERGES = 1_000
MAX_VALUES = 100
MAX_COST = 25_000
MAX_VARIABLE_DEPTH = 64
MAX_VARIABLE_VALUES = 50_000
TOO_COMPLEX = "TOO_COMPLEX"


def check_text(query: str) -> None:
    """Raises GraphQLError for a document that is too long to be parsed, or no Unicode."""
    _within("bytes", len(query.encode()), MAX_DOCUMENT_BYTES)
    _within("tokens", tokens.count(query), MAX_TOKENS)


def check(schema: GraphQLSchema, document: DocumentNode) -> None:
    """Raises GraphQLError with the figure and the limit for a document that is too big.

    The cost is the least that it can be; `check_cost` knows the variables.
    """
    _within("definitions", len(document.definitions), MAX_DEFINITIONS)
    fields, values = _counted(document)
    _within("values", values, MAX_VALUES)
    _within("fields", fields, MAX_FIELDS)  # before fragments are written out, which costs more
    measure, total = Measure(schema, document), Extent()
    operations = [n for n in document.definitions if isinstance(n, OperationDefinitionNode)]
    for operation in operations:
        total = total.beside(measure.operation(operation))
    total = total.beside(measure.unused())
    _within("depth", total.depth, MAX_DEPTH)
    _within("fields", total.fields, MAX_FIELDS)
    _within("aliases", total.aliases, MAX_ALIASES)
    _within("cost", total.cost, MAX_COST)
    _within("merges", _merges(document), MAX_MERGES)


def check_cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> int:
    """What an operation costs with these variables. Raises GraphQLError when that is too much."""
    defaults = {
        node.variable.name.value: value_from_ast_untyped(node.default_value)
        for node in operation.variable_definitions or ()
        if node.default_value is not None
    }
    measure = Measure(schema, document, {**defaults, **variables})
    cost = measure.operation(operation).cost
    _within("cost", cost, MAX_COST)
    return cost


def check_variables(variables: Mapping[str, Any]) -> None:
    """Raises GraphQLError for values that are nested too deeply or too many."""
    depth, count, level = 0, 0, list(variables.values())
    while level:
        depth, count = depth + 1, count + len(level)
        _within("variableDepth", depth, MAX_VARIABLE_DEPTH)
        _within("variableValues", count, MAX_VARIABLE_VALUES)
        level = list(chain.from_iterable(map(_inside, level)))


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _counted(document: DocumentNode) -> tuple[int, int]:
    """The fields, and the list items and object fields written out.

    Messages about a value quote all of it.
    """
    fields, values, left = 0, 0, list[Any]([document])
    while left:
        node = left.pop()
        if isinstance(node, list | tuple):
            left.extend(node)
        elif isinstance(node, Node):
            if isinstance(node, FieldNode):
                fields += 1
            elif isinstance(node, ListValueNode):
                values += len(node.values)
            elif isinstance(node, ObjectFieldNode):
                values += 1
            left.extend(getattr(node, key) for key in node.keys)
    return fields, values


class _Merges:
    """Counts the pairs of fields with one response path, which validation compares one by one."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = fragments_of(document)
        self._spread: set[str] = set()
        self.pairs = 0

    def count_unused(self) -> None:
        """Count within the fragments that nothing counted so far has spread."""
        for name, node in self._fragments.items():
            if name not in self._spread:
                self.count([node.selection_set])

    def count(self, sets: list[SelectionSetNode]) -> None:
        """Count the pairs at and below the response path that these selection sets share."""
        fields: dict[str, list[FieldNode]] = {}
        for selections in sets:
            self._collect(selections, fields)
        for nodes in fields.values():
            self.pairs += len(nodes) * (len(nodes) - 1) // 2
            if below := [node.selection_set for node in nodes if node.selection_set]:
                self.count(below)

    def _collect(self, selections: SelectionSetNode, fields: dict[str, list[FieldNode]]) -> None:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                fields.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                self._collect(node.selection_set, fields)
            elif isinstance(node, FragmentSpreadNode) and node.name.value in self._fragments:
                self._spread.add(node.name.value)
                self._collect(self._fragments[node.name.value].selection_set, fields)


def _merges(document: DocumentNode) -> int:
    """The pairs in a document that has few fields even with its fragments written out."""
    merges = _Merges(document)
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            merges.count([node.selection_set])
    merges.count_unused()
    return merges.pairs


_SAID = {
    "bytes": "has a document of {} bytes",
    "tokens": "has {} tokens",
    "definitions": "has {} definitions",
    "depth": "is {} levels deep",
    "fields": "has {} fields",
    "aliases": "has {} aliases",
    "merges": "repeats fields of one name in {} pairs",
    "cost": "costs {}",
    "values": "writes out {} values, which variables can carry",
    "variableDepth": "has variables nested {} levels deep",
    "variableValues": "has {} values in its variables",
}


def _within(what: str, figure: int, limit: int) -> None:
    if figure > limit:
        said = _SAID[what].format(figure if figure < 10**15 else "very many")
        shown = min(figure, 2**31 - 1)  # JSON numbers that every client can read
        raise GraphQLError(
            f"The request {said}; at most {limit} are allowed",
            extensions={"code": TOO_COMPLEX, what: shown, "limit": limit},
        )
