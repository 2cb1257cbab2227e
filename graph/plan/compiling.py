"""From a tree of sources to one statement of flat rows and one function that shapes them.

Every list is a branch of the statement. With one branch, the statement is its select. With more,
they are joined by UNION ALL: a row begins with the number of its branch, of the row that it belongs
to and, where lists hang on it, with its own; then come the columns, those of one type sharing
places. A branch with lists below is a common table expression, which its lists join laterally.
PostgreSQL reads the parts of a UNION ALL one after the other, so rows arrive in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graphql import GraphQLEnumType, GraphQLSchema
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.types import NullType, TypeEngine

from db.reads import CLAIM
from db.rows import AnySelect
from graph.mapping import Column, Flag
from graph.plan import render
from graph.plan.sources import MANY, ONE, Placed
from graph.plan.symbols import ACCOUNT, Symbols, Uncovered, renumbered
from graph.plan.tree import (
    Inside,
    Leaf,
    Listed,
    Nothing,
    Object,
    Page,
    Part,
    Single,
    Typename,
    parts_named,
)
from graph.schema.ids import tag_of

Build = Callable[[Sequence[Any]], dict[str, Any]]
_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]
_PLACE = re.compile(r"\[@(\d+)\.(\w+)\]")
_FIXED = 3
"""Columns of every row of a statement with several branches: branch, parent, own number."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan without values."""

    sql: str
    parameters: tuple[int, ...]
    """Which values go where: 0 for the account, 1 for its scopes, then those of the reading."""
    build: Build
    source: str
    """The text of the generated function."""


@dataclass(slots=True)
class _Branch:
    """One list of rows."""

    number: int
    parent: _Branch | None
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
        return f"r[@{self.number}.{self.output(expression, kind)}]"


@dataclass(frozen=True, slots=True)
class _Row:
    """Where an object's columns are: in a branch, under an alias."""

    branch: _Branch
    alias: str
    kinds: dict[str, str]

    def value(self, column: str) -> str:
        """How the generated function reads a column. Raises Uncovered for one that is not there."""
        if column not in self.kinds:
            raise Uncovered
        return self.branch.value(f"{self.alias}.{column}", self.kinds[column])


class Compiler:
    """Compiles one tree."""

    def __init__(self, schema: GraphQLSchema, symbols: Symbols) -> None:
        self._schema, self._symbols = schema, symbols
        self._access = symbols.access()
        self._branches: list[_Branch] = []
        self._aliases = count()
        self._names: dict[str, Any] = {"Uncovered": Uncovered, "whole": render.whole}
        self._lines: list[str] = []

    def compile(self, content: Object) -> Compiled:
        """The plan. Raises Uncovered."""
        shaped = self._object(content, None)
        several = len(self._branches) > 1
        sql, places = self._statement()
        source = self._function(shaped, several)
        source = _PLACE.sub(lambda match: f"[{places[int(match[1])][match[2]]}]", source)
        sql, parameters = renumbered(sql)
        exec(compile(source, "<plan>", "exec"), self._names)  # noqa: S102 - of our own making
        return Compiled(sql, parameters, self._names["build"], source)

    # Objects

    def _object(self, content: Object, row: _Row | None) -> str:
        """The expression of an object: a dict display over `r`, the branch's row."""
        return self._display([(f.key, self._field(f, row)) for f in content.fields])

    @staticmethod
    def _display(items: list[tuple[str, str]]) -> str:
        return "{" + ", ".join(f"{key!r}: {value}" for key, value in items) + "}"

    def _field(self, part: Any, row: _Row | None) -> str:
        if isinstance(part, Typename):
            return repr(part.name)
        if isinstance(part, Nothing):
            return "None"
        if isinstance(part, Leaf):
            return self._leaf(part, _required(row))
        if isinstance(part, Inside):
            return self._object(part.content, row)
        if isinstance(part, Single):
            return self._single(part, row)
        return self._list(part, row)

    def _leaf(self, leaf: Leaf, row: _Row) -> str:
        source = leaf.source
        if isinstance(source, Flag):
            return self._flag(source, row)
        value = row.value(source.name)
        if not isinstance(source, Column):
            return f"{self._given('id', render.global_id(tag_of(source.kind)))}({value})"
        if source.filtered is not None:
            return f"{self._given('f', render.FILTERS[source.filtered])}({value})"
        kind = self._schema.type_map[leaf.kind]
        if isinstance(kind, GraphQLEnumType):
            values = kind.extensions["strawberry-definition"].values
            names = {item.value: item.name for item in values}
            return f"{self._given('e', names.__getitem__)}({value})"
        return f"whole({value})" if leaf.kind == "Int" else value

    def _flag(self, flag: Flag, row: _Row) -> str:
        select = self._select(ONE[flag.source].select, row, flag.key)
        sql = f"EXISTS ({self._symbols.sql(select)})"
        return row.branch.value(sql, "BOOLEAN")

    def _single(self, part: Single, row: _Row | None) -> str:
        source = ONE[part.source]
        if part.column is None or row is None:
            return self._root(part)
        select = self._select(source.select, row, part.column)
        alias = f"t{next(self._aliases)}"
        row.branch.joins.append(
            f"LEFT JOIN LATERAL ({self._symbols.sql(select)}) AS {alias} ON true"
        )
        inner = _Row(row.branch, alias, _kinds(select))
        there = inner.value(source.present)
        return f"(None if {there} is None else {self._object(part.content, inner)})"

    def _root(self, part: Single) -> str:
        select = ONE[part.source].select(self._access, part.wanted)
        branch, row = self._branch(None, select, ())
        row.value(ONE[part.source].present)
        shaped = self._object(part.content, row)
        n = branch.number
        self._lines += [f"def o{n}(r):", f"    return {shaped}"]
        missing = "missing()" if part.required else "None"
        self._names["missing"] = _missing
        return f"(o{n}(g{n}[0][0]) if g{n} else {missing})"

    # Lists

    def _list(self, part: Listed | Page, row: _Row | None) -> str:
        source = MANY[part.source]
        rows_of = row if part.column is not None else None
        key = None if part.column is None else self._reference(_required(row), part.column)
        parent = None if rows_of is None else rows_of.branch
        own = f"r[@{parent.number}.n]" if parent is not None else "0"
        if isinstance(part, Listed):
            select = source.select(self._access, part.wanted, key)
            branch, inner = self._branch(parent, select, source.order(part.wanted))
            shaped = self._object(part.content, inner)
            return f"[{shaped} for r in g{branch.number}.get({own}, ())]"
        return self._page(part, parent, key, own)

    def _page(self, part: Page, parent: _Branch | None, key: Any, own: str) -> str:
        source, asked = MANY[part.source], part.wanted
        total = "None"
        if source.place is None:
            raise Uncovered
        if parts_named(part, "totalCount"):
            if source.count is None:
                raise Uncovered
            select = source.count(self._access, asked, key)
            branch, _row = self._branch(parent, select, ())
            branch.names = "(total)"
            value = branch.value(f"{branch.alias}.total", "BIGINT")
            n = branch.number
            total = f"(lambda r: whole({value}))(g{n}[{own}][0])"
        rows, name = "[]", f"p{next(self._aliases)}"
        if parts_named(part, "edges", "nodes", "pageInfo"):
            select = source.select(self._access, asked, key)
            branch, inner = self._branch(parent, select, source.order(asked))
            rows = f"g{branch.number}.get({own}) or []"
            cursor = self._cursor(inner, source.place(asked))
        else:
            inner, cursor = None, ""
        shaped = self._display([(p.key, self._part(p, asked, inner, cursor)) for p in part.parts])
        lines = [f"def {name}(rows, total):", f"    more = len(rows) > {asked.limit}"]
        lines += ["    if more:", f"        rows = rows[:{asked.limit}]"]
        if asked.backward:
            lines.append("    rows = rows[::-1]")
        self._lines += [*lines, f"    return {shaped}"]
        return f"{name}({rows}, {total})"

    def _part(self, part: Part | Typename, asked: Any, row: _Row | None, cursor: str) -> str:
        """A field of a connection."""
        if isinstance(part, Typename):
            return repr(part.name)
        if part.name == "totalCount":
            return "total"
        if part.name == "nodes":
            return f"[{self._object(part.content[0], row)} for r in rows]"
        if part.name == "edges":
            items = []
            for inner in part.content:
                if isinstance(inner, Typename):
                    items.append((inner.key, repr(inner.name)))
                elif inner.name == "cursor":
                    items.append((inner.key, cursor))
                else:
                    items.append((inner.key, self._object(inner.content[0], row)))
            return f"[{self._display(items)} for r in rows]"
        return self._page_info(part, asked, cursor)

    def _page_info(self, part: Part, asked: Any, cursor: str) -> str:
        before, after = asked.before is not None, asked.after is not None
        said = {
            "hasNextPage": str(before) if asked.backward else "more",
            "hasPreviousPage": "more" if asked.backward else str(after),
            "startCursor": f"(lambda r: {cursor})(rows[0]) if rows else None",
            "endCursor": f"(lambda r: {cursor})(rows[-1]) if rows else None",
        }
        items = [
            (p.key, repr(p.name) if isinstance(p, Typename) else said[p.name]) for p in part.content
        ]
        return self._display(items)

    def _cursor(self, row: _Row, place: Placed) -> str:
        made = render.numbered_cursor if place.kind == "number" else render.instant_cursor
        name = self._given("c", made(place.order))
        return f"{name}({row.value(place.column)}, {row.value('id')})"

    # Statements

    def _branch(
        self, parent: _Branch | None, select: AnySelect, order: Sequence[tuple[str, bool]]
    ) -> tuple[_Branch, _Row]:
        alias = f"t{next(self._aliases)}"
        branch = _Branch(len(self._branches), parent, alias, self._symbols.sql(select))
        branch.order = [f"{alias}.{column}{' DESC' * falls}" for column, falls in order]
        self._branches.append(branch)
        if parent is not None:
            parent.has_lists = True
        return branch, _Row(branch, alias, _kinds(select))

    def _select(self, select: Callable[[Any, Any], AnySelect], row: _Row, column: str) -> AnySelect:
        """A select for the value of a column of the same row."""
        sql = f"{row.alias}.{column}"
        text = row.kinds.get(column) in {"TEXT", "VARCHAR"}
        reference = self._symbols.text_reference if text else self._symbols.reference
        return select(self._access, reference(sql))

    def _reference(self, row: _Row, column: str) -> Any:
        """A stand-in for a column of a row of the list above."""
        place = row.branch.output(f"{row.alias}.{column}", row.kinds[column])
        return self._symbols.reference(f"b{row.branch.number}.c{place}")

    def _statement(self) -> tuple[str, dict[int, dict[str, int]]]:
        """The statement, and where in a row the columns of each branch are."""
        if len(self._branches) == 1:
            only = self._branches[0]
            outputs = [f"{expression}" for expression in only.outputs] or ["1"]
            places = {str(place): place for place, _kind in only.outputs.values()}
            return self._branch_sql(only, outputs), {0: places}
        slots: list[str] = []
        found: dict[int, dict[str, int]] = {}
        taken: dict[int, dict[int, int]] = {}
        for branch in self._branches:
            taken[branch.number] = _slots(branch, slots)
            found[branch.number] = {
                str(place): _FIXED + slot for place, slot in taken[branch.number].items()
            } | {"n": 2}
        tables, parts = [], []
        for branch in self._branches:
            filled = {slot: place for place, slot in taken[branch.number].items()}
            if branch.has_lists:
                named = [f"{e} AS c{place}" for e, (place, _kind) in branch.outputs.items()]
                order = f"ORDER BY {', '.join(self._order(branch))}" if branch.order else ""
                above = "0::bigint" if branch.parent is None else f"b{branch.parent.number}.n"
                own = [f"{above} AS p", f"row_number() OVER ({order}) AS n", *named]
                sql = self._branch_sql(branch, own, "ORDER BY n")
                tables.append(f"b{branch.number} AS MATERIALIZED ({sql})")
                columns = [
                    f"c{filled[s]}" if s in filled else f"NULL::{k}" for s, k in enumerate(slots)
                ]
                fixed = [f"{branch.number}", "p", "n"]
                parts.append(f"SELECT {', '.join(fixed + columns)} FROM b{branch.number}")
            else:
                by_place = {place: e for e, (place, _kind) in branch.outputs.items()}
                columns = [
                    by_place[filled[s]] if s in filled else f"NULL::{k}"
                    for s, k in enumerate(slots)
                ]
                above = "0::bigint" if branch.parent is None else f"b{branch.parent.number}.n"
                fixed = [f"{branch.number}", above, "0::bigint"]
                parts.append(f"({self._branch_sql(branch, fixed + columns)})")
        leading = f"WITH {', '.join(tables)} " if tables else ""
        return leading + " UNION ALL ".join(parts), found

    def _order(self, branch: _Branch) -> list[str]:
        above = [] if branch.parent is None else [f"b{branch.parent.number}.n"]
        return above + branch.order

    def _branch_sql(self, branch: _Branch, outputs: list[str], order: str | None = None) -> str:
        source = f"({branch.rows}) AS {branch.alias}{branch.names}"
        if branch.parent is not None:
            source = f"b{branch.parent.number} CROSS JOIN LATERAL {source}"
        if order is None:
            listed = self._order(branch) if branch.order else []
            order = f"ORDER BY {', '.join(listed)}" if listed else ""
        claim = CLAIM.format(account=f"${ACCOUNT + 1}::uuid")
        joined = f"{source} {' '.join(branch.joins)}"
        return f"SELECT {', '.join(outputs)} FROM {joined} WHERE {claim} {order}".strip()

    # The function

    def _function(self, shaped: str, several: bool) -> str:
        lines = ["def build(rows):"]
        if several:
            lines += [
                f"    groups = [{{}} for _ in range({len(self._branches)})]",
                "    for r in rows:",
                "        group = groups[r[0]]",
                "        listed = group.get(r[1])",
                "        if listed is None:",
                "            group[r[1]] = [r]",
                "        else:",
                "            listed.append(r)",
            ]
            names = ", ".join(f"g{branch.number}" for branch in self._branches)
            lines.append(f"    {names} = groups")
        elif self._branches:
            lines.append("    g0 = {0: rows} if rows else {}")
        lines += [f"    {line}" for line in self._lines]
        lines.append(f"    return {shaped}")
        return "\n".join(lines) + "\n"

    def _given(self, letter: str, value: Any) -> str:
        """The name under which the function finds something."""
        name = f"{letter}_{len(self._names)}"
        self._names[name] = value
        return name


def _missing() -> None:
    raise Uncovered


def _required(row: _Row | None) -> _Row:
    if row is None:
        raise Uncovered
    return row


def _kinds(select: AnySelect) -> dict[str, str]:
    """The columns of a select with their types, as PostgreSQL calls them.

    Functions that SQLAlchemy knows no type of are those of texts.
    """
    return {column.name: _kind(column.type) for column in select.selected_columns}


def _kind(type_: TypeEngine[Any]) -> str:
    return "TEXT" if isinstance(type_, NullType) else type_.compile(dialect=_DIALECT)


def _slots(branch: _Branch, slots: list[str]) -> dict[int, int]:
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
