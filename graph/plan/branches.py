"""The statement of flat rows: a branch for every list, joined by UNION ALL.

With one branch, the statement is its select. With more, a row begins with the number of its branch,
of the row that it belongs to and, where lists hang on it, with its own; then come the columns,
those of one type sharing places. A branch with lists below is a common table expression, which its
lists join laterally. PostgreSQL reads the parts of a UNION ALL one after the other, so rows arrive
in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.types import NullType, TypeEngine

from db.reads import CLAIM
from db.rows import AnySelect
from graph.plan.symbols import ACCOUNT, Uncovered

_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]
_FIXED = 3
"""Columns of every row of a statement with several branches: branch, parent, own number."""
Places = dict[int, dict[str, int]]
"""Where in a row the columns of each branch are, by their places in it; and its number, as `n`."""


@dataclass(slots=True)
class Branch:
    """One list of rows."""

    number: int
    parent: Branch | None
    alias: str
    rows: str = ""
    names: str = ""
    """Names for its columns, in parentheses, where the select has none."""
    joins: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    outputs: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Expression to place and type."""
    has_lists: bool = False

    def output(self, expression: str, kind: str) -> int:
        """The place of a column in the branch's own list of them."""
        return self.outputs.setdefault(expression, (len(self.outputs), kind))[0]

    def value(self, expression: str, kind: str) -> str:
        """How the generated function reads a column."""
        read = f"r[@{self.number}.{self.output(expression, kind)}]"
        return f"loads({read})" if kind == "JSONB" else read


@dataclass(frozen=True, slots=True)
class Row:
    """Where an object's columns are: in a branch, under an alias."""

    branch: Branch
    alias: str
    kinds: dict[str, str]

    def value(self, column: str) -> str:
        """How the generated function reads a column. Raises Uncovered for one that is not there."""
        if column not in self.kinds:
            raise Uncovered
        return self.branch.value(f"{self.alias}.{column}", self.kinds[column])


def kinds(select: AnySelect) -> dict[str, str]:
    """The columns of a select with their types, as PostgreSQL calls them.

    Functions that SQLAlchemy knows no type of are those of texts.
    """
    return {column.name: _kind(column.type) for column in select.selected_columns}


def _kind(type_: TypeEngine[Any]) -> str:
    return "TEXT" if isinstance(type_, NullType) else type_.compile(dialect=_DIALECT)


def statement(branches: Sequence[Branch]) -> tuple[str, Places]:
    """The statement of all branches, and where in its rows their columns are."""
    if len(branches) == 1:
        outputs = list(branches[0].outputs) or ["1"]
        places = {str(place): place for place, _kind in branches[0].outputs.values()}
        return _select(branches[0], outputs), {0: places}
    slots: list[str] = []
    taken = {branch.number: _slots(branch, slots) for branch in branches}
    tables, parts = [], []
    for branch in branches:
        filled = {slot: place for place, slot in taken[branch.number].items()}
        if branch.has_lists:
            tables.append(_table(branch))
            columns = _columns(slots, filled, [f"c{place}" for place in range(len(filled))])
            fixed = [f"{branch.number}", "p", "n"]
            parts.append(f"SELECT {', '.join(fixed + columns)} FROM b{branch.number}")
        else:
            columns = _columns(slots, filled, list(branch.outputs))
            fixed = [f"{branch.number}", _above(branch), "0::bigint"]
            parts.append(f"({_select(branch, fixed + columns)})")
    leading = f"WITH {', '.join(tables)} " if tables else ""
    found = {
        number: {str(place): _FIXED + slot for place, slot in own.items()} | {"n": 2}
        for number, own in taken.items()
    }
    return leading + " UNION ALL ".join(parts), found


def _columns(slots: list[str], filled: dict[int, int], expressions: list[str]) -> list[str]:
    """A part's columns: an expression in each place that it fills, nothing in the others."""
    return [
        expressions[filled[slot]] if slot in filled else f"NULL::{kind}"
        for slot, kind in enumerate(slots)
    ]


def _table(branch: Branch) -> str:
    """The common table expression of a branch that lists hang on."""
    named = [f"{e} AS c{place}" for e, (place, _kind) in branch.outputs.items()]
    order = f"ORDER BY {', '.join(_order(branch))}" if branch.order else ""
    own = [f"{_above(branch)} AS p", f"row_number() OVER ({order}) AS n", *named]
    return f"b{branch.number} AS MATERIALIZED ({_select(branch, own, 'ORDER BY n')})"


def _above(branch: Branch) -> str:
    return "0::bigint" if branch.parent is None else f"b{branch.parent.number}.n"


def _order(branch: Branch) -> list[str]:
    above = [] if branch.parent is None else [_above(branch)]
    return above + branch.order


def _select(branch: Branch, outputs: list[str], order: str | None = None) -> str:
    source = f"({branch.rows}) AS {branch.alias}{branch.names}"
    if branch.parent is not None:
        source = f"b{branch.parent.number} CROSS JOIN LATERAL {source}"
    if order is None:
        listed = _order(branch) if branch.order else []
        order = f"ORDER BY {', '.join(listed)}" if listed else ""
    claim = CLAIM.format(account=f"${ACCOUNT + 1}::uuid")
    joined = f"{source} {' '.join(branch.joins)}"
    return f"SELECT {', '.join(outputs)} FROM {joined} WHERE {claim} {order}".strip()


def _slots(branch: Branch, slots: list[str]) -> dict[int, int]:
    """A place in the rows for each column of a branch, by type; adds places where none is free."""
    free = dict.fromkeys(range(len(slots)))
    taken = {}
    for place, kind in branch.outputs.values():
        slot = next((s for s in free if slots[s] == kind), None)
        if slot is None:
            slots.append(kind)
            slot = len(slots) - 1
        else:
            del free[slot]
        taken[place] = slot
    return taken


def grouped(branches: Sequence[Branch]) -> list[str]:
    """The lines that sort `rows`: into `g0` and so on, by branch, lists by the rows above them."""
    if len(branches) < 2:
        return ["g0 = {0: rows} if rows else {}"]
    return [
        f"groups = [{{}} for _ in range({len(branches)})]",
        "for r in rows:",
        "    group = groups[r[0]]",
        "    listed = group.get(r[1])",
        "    if listed is None:",
        "        group[r[1]] = [r]",
        "    else:",
        "        listed.append(r)",
        f"{', '.join(f'g{branch.number}' for branch in branches)} = groups",
    ]
