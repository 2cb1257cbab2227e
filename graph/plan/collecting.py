"""Which fields a selection has, once fragments and directives are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionSetNode,
    is_abstract_type,
)
from graphql.execution.values import VariableValues, get_argument_values

from graph.plan.symbols import Uncovered

Groups = dict[str, list[FieldNode]]


class Collector:
    """Collects the fields of one operation."""

    def __init__(
        self,
        core: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        self.core, self.fragments, self.variables = core, fragments, variables

    def collected(self, kind: GraphQLObjectType, sets: list[SelectionSetNode]) -> Groups:
        """The fields by response key, as CollectFields of the specification has it."""
        groups: Groups = {}
        visited: set[str] = set()
        for selections in sets:
            self._collect(kind, selections, groups, visited)
        return groups

    def _collect(
        self,
        kind: GraphQLObjectType,
        selections: SelectionSetNode,
        groups: Groups,
        visited: set[str],
    ) -> None:
        for node in selections.selections:
            if not self._included(node.directives or ()):
                continue
            if isinstance(node, FieldNode):
                groups.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if self._applies(node.type_condition, kind):
                    self._collect(kind, node.selection_set, groups, visited)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
                visited.add(node.name.value)
                fragment = self.fragments[node.name.value]
                if fragment.directives:
                    raise Uncovered
                if self._applies(fragment.type_condition, kind):
                    self._collect(kind, fragment.selection_set, groups, visited)

    def _applies(self, condition: Any, kind: GraphQLObjectType) -> bool:
        if condition is None:
            return True
        named = self.core.type_map[condition.name.value]
        return named is kind or (is_abstract_type(named) and self.core.is_sub_type(named, kind))

    def _included(self, directives: tuple[DirectiveNode, ...]) -> bool:
        for directive in directives:
            if directive.name.value == "skip":
                given = get_argument_values(GraphQLSkipDirective, directive, self.variables)
                if given["if"]:
                    return False
            elif directive.name.value == "include":
                given = get_argument_values(GraphQLIncludeDirective, directive, self.variables)
                if not given["if"]:
                    return False
            else:
                raise Uncovered
        return True
