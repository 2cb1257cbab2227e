"""Bounds on a document, checked before anything else looks at it, in time linear in its size.

Depth and the number of fields are computed with each fragment visited once, so that fragments that
double each other cost nothing to refuse.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

MAX_DOCUMENT_BYTES = 64 * 1024
MAX_TOKENS = 4_000
MAX_DEPTH = 15
MAX_FIELDS = 500
MAX_ALIASES = 100
MAX_DEFINITIONS = 100


@dataclass(frozen=True, slots=True)
class Extent:
    """How big a selection is with its fragments written out."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def beside(self, other: Extent) -> Extent:
        """Both selections next to each other."""
        return Extent(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
        )


class _Measure:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, Extent] = {}

    def of(self, selections: SelectionSetNode | None) -> Extent:
        """The extent of a selection set."""
        total = Extent()
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                below = self.of(node.selection_set)
                alias = node.alias is not None
                total = total.beside(
                    Extent(below.depth + 1, below.fields + 1, below.aliases + alias)
                )
            elif isinstance(node, InlineFragmentNode):
                total = total.beside(self.of(node.selection_set))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(self.fragment(node.name.value))
        return total

    def fragment(self, name: str) -> Extent:
        """The extent of a fragment; one inside itself counts as nothing, validation refuses it."""
        if name not in self._known:
            self._known[name] = Extent()
            if name in self._fragments:
                self._known[name] = self.of(self._fragments[name].selection_set)
        return self._known[name]


def check(document: DocumentNode) -> None:
    """Raises GraphQLError with the figure and the limit for a document that is too big."""
    _within("definitions", len(document.definitions), MAX_DEFINITIONS)
    measure = _Measure(document)
    for node in document.definitions:
        if isinstance(node, FragmentDefinitionNode):
            _bounded(measure.fragment(node.name.value))
        elif isinstance(node, OperationDefinitionNode):
            _bounded(measure.of(node.selection_set))


def _bounded(extent: Extent) -> None:
    _within("levels", extent.depth, MAX_DEPTH)
    _within("fields", extent.fields, MAX_FIELDS)
    _within("aliases", extent.aliases, MAX_ALIASES)


def _within(what: str, figure: int, limit: int) -> None:
    if figure > limit:
        shown = figure if figure < 10**9 else "very many"
        raise GraphQLError(f"The document has {shown} {what}; at most {limit} are allowed")
