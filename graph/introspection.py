"""Refuses questions about the schema itself where the operator does not want them answered."""

from __future__ import annotations

import re
from typing import Any

from graphql import DocumentNode, FieldNode, GraphQLError, Visitor, visit

_MENTIONED = re.compile(r"__(?:schema|type)\b")
_FIELDS = {"__schema", "__type"}


class _Asking(Visitor):
    def enter_field(self, node: FieldNode, *_place: Any) -> None:
        """Refuse the two fields that lead to the schema."""
        if node.name.value in _FIELDS:
            raise GraphQLError(
                f"{node.name.value} is not answered here: the setting GRAPHQL_INTROSPECTION is off",
                node,
                extensions={"code": "INTROSPECTION_DISABLED"},
            )


def refuse(query: str, document: DocumentNode) -> None:
    """Raises GraphQLError for a document that selects `__schema` or `__type`."""
    if _MENTIONED.search(query):
        visit(document, _Asking())
