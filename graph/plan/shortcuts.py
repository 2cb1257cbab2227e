"""Requests that were seen before, straight to their plans: by their bytes, or by all but their ids.

A request whose bytes are known needs no parsing, no coercion and no measuring of its cost. Where
only ids differ, as in point reads, the ids alone are read: which values they become is found by
reading the operation once more with other ids of the same kinds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import orjson

from graph.plan.planner import Bound
from graph.schema import ids

KEPT_BODIES = 2048
KEPT_BYTES = 8 * 1024
KEPT_OPERATIONS = 512
KEPT_VARIABLES = 128
Bind = Callable[[Mapping[str, Any]], Bound | None]
Name = tuple[str, str | None]
"""A document and the name of an operation in it."""


class Shortcut(NamedTuple):
    """A request that can be answered at once."""

    bound: Bound
    cost: int


class _Id(NamedTuple):
    """A variable that is an id."""

    name: str
    kind: ids.Kind
    places: tuple[int, ...]
    """Which values it becomes."""
    teams: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Template:
    """A request in which ids stand for whatever ids there are."""

    shortcut: Shortcut
    ids: Sequence[_Id]

    def filled(self, variables: Mapping[str, Any]) -> Shortcut | None:
        """The request with these ids; None for an id of another kind."""
        bound, cost = self.shortcut
        values, teams = list(bound.values), list(bound.teams)
        for name, kind, places, of_teams in self.ids:
            text = variables[name]
            named = ids.split(text) if isinstance(text, str) else None
            if named is None or named[0] != kind:
                return None
            for place in places:
                values[place] = named[1]
            for place in of_teams:
                teams[place] = named[1]
        return Shortcut(bound._replace(values=tuple(values), teams=tuple(teams)), cost)


@dataclass(slots=True)
class _Operation:
    """An operation, with which of its variables are ids."""

    names: frozenset[str]
    templates: OrderedDict[bytes, _Template] = field(default_factory=OrderedDict)


class Shortcuts:
    """The shortcuts of one process; the least recently used go first."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[bytes, Shortcut] = OrderedDict()
        self._operations: OrderedDict[Name, _Operation] = OrderedDict()

    def of_body(self, body: bytes) -> Shortcut | None:
        """The shortcut of a request by its bytes."""
        return self._bodies.get(body)

    def of_operation(self, name: Name, variables: Mapping[str, Any]) -> Shortcut | None:
        """The shortcut of a request that differs in its ids only."""
        known = self._operations.get(name)
        if known is None:
            return None
        template = known.templates.get(_others(variables, known.names))
        if template is None or not known.names <= variables.keys():
            return None
        return template.filled(variables)

    def remember(
        self,
        body: bytes | None,
        name: Name,
        variables: Mapping[str, Any],
        shortcut: Shortcut,
        bind: Bind,
    ) -> None:
        """Keep a request that has a plan; `bind` reads it with other variables."""
        if len(name[0]) > KEPT_BYTES:
            return
        template = _template(variables, shortcut, bind)
        if template is None:
            if body is not None and len(body) <= KEPT_BYTES:
                _keep(self._bodies, body, shortcut, KEPT_BODIES)
            return
        names = frozenset(variable.name for variable in template.ids)
        known = self._operations.get(name)
        if known is None or known.names != names:
            known = _Operation(names)
            _keep(self._operations, name, known, KEPT_OPERATIONS)
        others = _others(variables, names)
        if len(others) <= KEPT_BYTES:
            _keep(known.templates, others, template, KEPT_VARIABLES)


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)


def _others(variables: Mapping[str, Any], names: frozenset[str]) -> bytes:
    """The variables that are no ids, the same bytes for the same values."""
    try:
        return orjson.dumps({n: v for n, v in variables.items() if n not in names})
    except TypeError:
        return b"\0"  # a number beyond 64 bits, which no plan has


def _template(variables: Mapping[str, Any], shortcut: Shortcut, bind: Bind) -> _Template | None:
    """The request with places for its ids; None when it has none, or they do more than that."""
    given = {
        name: named
        for name, value in variables.items()
        if isinstance(value, str) and (named := ids.split(value)) is not None
    }
    if not given:
        return None
    others = {name: uuid4() for name in given}
    texts = {name: ids.encode(given[name][0], other) for name, other in others.items()}
    again = bind({**variables, **texts})
    bound = shortcut.bound
    if again is None or again.plan is not bound.plan or bound.beside:
        return None
    places = [
        _Id(name, given[name][0], _places(again.values, other), _places(again.teams, other))
        for name, other in others.items()
    ]
    template = _Template(shortcut, places)
    filled = template.filled({**variables, **texts})
    back = template.filled(variables)
    exact = filled is not None and filled.bound == again
    return template if exact and back is not None and back.bound == bound else None


def _places(values: tuple[Any, ...], sought: UUID) -> tuple[int, ...]:
    return tuple(place for place, value in enumerate(values) if value == sought)
