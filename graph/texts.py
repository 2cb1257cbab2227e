"""Strings that nothing can store or send back: found before execution, naming where they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    ListValueNode,
    Node,
    ObjectFieldNode,
    StringValueNode,
    ValueNode,
    Visitor,
    visit,
)

from domain.errors import Invalid, Problem

Path = tuple[str | int, ...]


def _wrong(text: str) -> str | None:
    if "\x00" in text:
        return "must not contain the NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must not contain a lone surrogate"
    return None


def _clean(step: str | int) -> str | int:
    if isinstance(step, int):
        return step
    return step.encode("utf-8", "replace").decode().replace("\x00", "?")


def _strings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield path, key
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))


def check_variables(variables: Mapping[str, Any] | None) -> None:
    """Raises Invalid naming each string that holds NUL or a lone surrogate."""
    _refuse(_strings(dict(variables or {}), ()))


class _Literals(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[Path, str]] = []

    def enter_argument(self, node: ArgumentNode, *_place: object) -> None:
        """Collect the strings of an argument's value."""
        self._collect(node.value, (node.name.value,))

    def _collect(self, node: ValueNode | Node, path: Path) -> None:
        if isinstance(node, StringValueNode):
            self.found.append((path, node.value))
        elif isinstance(node, ListValueNode):
            for index, item in enumerate(node.values):
                self._collect(item, (*path, index))
        else:
            fields: Iterable[ObjectFieldNode] = getattr(node, "fields", None) or ()
            for field in fields:
                self._collect(field.value, (*path, field.name.value))


def check_literals(source: str, document: DocumentNode) -> None:
    """As `check_variables`, for the strings that are written out in the document."""
    if "\\u" in source:
        literals = _Literals()
        visit(document, literals)
        _refuse(iter(literals.found))


def _refuse(strings: Iterator[tuple[Path, str]]) -> None:
    problems = [
        Problem(tuple(map(_clean, path)), wrong)
        for path, text in strings
        if (wrong := _wrong(text)) is not None
    ]
    if problems:
        raise Invalid(problems)
