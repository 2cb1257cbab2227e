"""Generated queries with what is wrong in them put right, so that statements can answer them.

One id of another kind, one cursor of another list, and the resolvers answer a whole query.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from graphql import (
    ArgumentNode,
    FieldNode,
    IntValueNode,
    NameNode,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from graph.schema.paging import MAX_PAGE

_NAMED = {"team": "team", "session": "session", "user": "user", "pattern": "pattern"}
"""Fields that take an id, and of what."""
_IDS = {"teamId": "team", "authorId": "user", "machine": "key"}
_CURSOR = re.compile(rb'"(?:\w*[cC]ursor)":"([^"]+)"')


class _Righted(Visitor):
    def __init__(self, ids: Mapping[str, str]) -> None:
        super().__init__()
        self._ids = ids

    def enter_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        """The field with an id of its kind, and with one end of a list at most."""
        name = node.name.value
        if name in _NAMED and node.arguments:
            return _with(node, [_argument("id", self._ids[_NAMED[name]])])
        given = {argument.name.value: argument for argument in node.arguments or ()}
        if not {"first", "aroundLine", "last"} & set(given):
            return None
        for gone in ("after", "before", "last"):
            given.pop(gone, None)
        return _with(node, map(_within_bounds, given.values()))

    def enter_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        """The argument with an id of its kind."""
        name = node.name.value
        return _argument(name, self._ids[_IDS[name]]) if name in _IDS else None

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> ObjectFieldNode | None:
        """The same of a filter."""
        name = node.name.value
        if name not in _IDS:
            return None
        return ObjectFieldNode(name=NameNode(value=name), value=_text(self._ids[_IDS[name]]))


def righted(text: str, ids: Mapping[str, str], first: int) -> str:
    """The query with ids of the right kinds, and of its root fields two, from the `first` on."""
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    fields = operation.selection_set.selections
    kept = tuple(fields[(first + n) % len(fields)] for n in range(min(2, len(fields))))
    narrowed = replace(operation, selection_set=SelectionSetNode(selections=kept))
    return print_ast(visit(narrowed, _Righted(ids)))


def _within_bounds(argument: ArgumentNode) -> ArgumentNode:
    value = argument.value
    if not isinstance(value, IntValueNode) or 0 < int(value.value) <= MAX_PAGE:
        return argument
    return ArgumentNode(name=argument.name, value=IntValueNode(value="3"))


def cursors_in(answer: bytes) -> Iterable[tuple[str, str]]:
    """The cursors that an answer has, to be asked for."""
    return (("Cursor", json.loads(b'"' + text + b'"')) for text in _CURSOR.findall(answer))


def _with(node: FieldNode, arguments: Iterable[ArgumentNode]) -> FieldNode:
    return FieldNode(
        name=node.name,
        alias=node.alias,
        arguments=tuple(arguments),
        directives=node.directives,
        selection_set=node.selection_set,
    )


def _argument(name: str, text: str) -> ArgumentNode:
    return ArgumentNode(name=NameNode(value=name), value=_text(text))


def _text(text: str) -> StringValueNode:
    return StringValueNode(value=text)
