"""From a tree of sources to one statement of flat rows and one function that shapes them.

`branches` has the statement, `paging` what is particular to connections, `showing` how values are
shown that Python functions make.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from graphql import GraphQLEnumType, GraphQLSchema

from db.rows import AnySelect
from domain.policy import PERMISSIONS
from graph.mapping import Column, Flag
from graph.plan import paging, render
from graph.plan.branches import Branch, Row, grouped, kinds, statement
from graph.plan.showing import show
from graph.plan.sources import MADE, MANY, ONE
from graph.plan.sources.kinds import ManySource, Placed
from graph.plan.symbols import Symbols, Uncovered, renumbered
from graph.plan.tree import (
    Built,
    Inside,
    Leaf,
    Listed,
    Nothing,
    Object,
    Page,
    Part,
    Reckoned,
    Single,
    Typename,
    parts_named,
)
from graph.schema.ids import tag_of
from settings import Settings

Build = Callable[[Sequence[Any]], dict[str, Any]]
_PLACE = re.compile(r"\[@(\d+)\.(\w+)\]")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan without values."""

    sql: str
    parameters: tuple[int, ...]
    """Which values go where: 0 for the account, 1 for its scopes, then those of the reading."""
    build: Build
    source: str
    """The text of the generated function."""


class Compiler:
    """Compiles one tree."""

    def __init__(self, schema: GraphQLSchema, symbols: Symbols, settings: Settings) -> None:
        self._schema, self._symbols, self._settings = schema, symbols, settings
        self._access = symbols.access()
        self._branches: list[Branch] = []
        self._aliases = count()
        self._names: dict[str, Any] = {
            "loads": render.loads,
            "missing": _missing,
            "whole": render.whole,
        }
        self._lines: list[str] = []
        self._made: dict[Any, str] = {}
        self._shapers: dict[type, Callable[[Any, Row | None], str]] = {
            Typename: lambda part, _row: repr(part.name),
            Nothing: lambda _part, _row: "None",
            Leaf: self._leaf,
            Inside: lambda part, row: self._object(part.content, row),
            Reckoned: self._reckoned,
            Built: self._built,
            Single: self._single,
            Listed: self._list,
            Page: self._list,
        }

    def compile(self, content: Object) -> Compiled:
        """The plan. Raises Uncovered."""
        shaped = self._object(content, None)
        sql, places = statement(self._branches) if self._branches else ("SELECT 1", {})
        lines = [*grouped(self._branches), *self._lines, f"return {shaped}"]
        source = "\n    ".join(["def build(rows):", *lines]) + "\n"
        source = _PLACE.sub(lambda match: f"[{places[int(match[1])][match[2]]}]", source)
        sql, parameters = renumbered(sql)
        exec(compile(source, "<plan>", "exec"), self._names)  # noqa: S102 - of our own making
        return Compiled(sql, parameters, self._names["build"], source)

    # Objects

    def _object(self, content: Object, row: Row | None) -> str:
        """The expression of an object: a dict display over `r`, the branch's row."""
        return paging.display([(f.key, self._field(f, row)) for f in content.fields])

    def _field(self, part: Any, row: Row | None) -> str:
        return self._shapers[type(part)](part, row)

    def _leaf(self, leaf: Leaf, at: Row | None) -> str:
        source, row = leaf.source, _required(at)
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

    def _flag(self, flag: Flag, row: Row) -> str:
        select = self._select(ONE[flag.source].select, row, flag.key)
        sql = f"EXISTS ({self._symbols.sql(select)})"
        return row.branch.value(sql, "BOOLEAN")

    def _single(self, part: Single, row: Row | None) -> str:
        source = ONE[part.source]
        if part.column is None or row is None:
            return self._root(part)
        select = self._select(source.select, row, part.column)
        alias = f"t{next(self._aliases)}"
        row.branch.joins.append(
            f"LEFT JOIN LATERAL ({self._symbols.sql(select)}) AS {alias} ON true"
        )
        inner = Row(row.branch, alias, kinds(select))
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
        return f"(o{n}(g{n}[0][0]) if g{n} else {missing})"

    # What Python functions make

    def _reckoned(self, part: Reckoned, at: Row | None) -> str:
        row = _required(at)
        of, shown = part.source.of, show(part.shown)
        name = self._given("m", lambda *values: shown(of(*values)))
        return f"{name}({', '.join(row.value(column) for column in part.source.columns)})"

    def _built(self, part: Built, row: Row | None) -> str:
        of, shown, settings = part.source.of, show(part.shown), self._settings
        name = self._given("m", lambda made: shown(of(made, settings)))
        return f"{name}({self._made_of(part, row)})"

    def _made_of(self, part: Built, row: Row | None) -> str:
        """The expression of what a source makes of its rows, which are read once."""
        column = part.source.key
        held = row if column is not None else None
        known = (part.source.source, part.wanted, column, held and (held.branch.number, held.alias))
        if known not in self._made:
            source = MADE[part.source.source]
            parent, key, own = self._hung(column, row)
            select = source.select(self._access, part.wanted, key)
            branch, inner = self._branch(parent, select, source.order)
            record = namedtuple("record", list(inner.kinds))  # type: ignore[misc]
            values = ", ".join(inner.value(name) for name in inner.kinds)
            rows = (
                f"[{self._given('r', record)}({values}) for r in g{branch.number}.get({own}, ())]"
            )
            make = self._given("m", lambda found: source.make(found, part.wanted))
            self._made[known] = f"{make}({rows})"
        return self._made[known]

    # Lists

    def _hung(self, column: str | None, row: Row | None) -> tuple[Branch | None, Any, str]:
        """What a list hangs on: the branch above, the key's stand-in, how its number is read."""
        if column is None:
            return None, None, "0"
        above = _required(row)
        key = self._reference(above, column)
        return above.branch, key, f"r[@{above.branch.number}.n]"

    def _list(self, part: Listed | Page, row: Row | None) -> str:
        source = MANY[part.source]
        parent, key, own = self._hung(part.column, row)
        if isinstance(part, Page):
            page = self._page(part, parent, key, own)
            return self._allowed(source, row, page)
        select = source.select(self._access, part.wanted, key)
        branch, inner = self._branch(parent, select, source.order(part.wanted))
        shaped = self._object(part.content, inner)
        return f"[{shaped} for r in g{branch.number}.get({own}, ())]"

    def _allowed(self, source: ManySource, row: Row | None, shaped: str) -> str:
        """A list that only some roles may read; for others it is an error."""
        if source.permission is None:
            return shaped
        roles = self._given("a", PERMISSIONS[source.permission])
        return f"({shaped} if {_required(row).value('role')} in {roles} else missing())"

    def _page(self, part: Page, parent: Branch | None, key: Any, own: str) -> str:
        source, asked = MANY[part.source], part.wanted
        if source.place is None:
            raise Uncovered
        total = (
            self._total(source, asked, parent, key, own)
            if parts_named(part, "totalCount")
            else "None"
        )
        rows, name, lines = "[]", f"p{next(self._aliases)}", []
        inner, cursor = None, ""
        if source.never_empty or parts_named(part, "edges", "nodes", "pageInfo"):
            select = source.select(self._access, asked, key)
            branch, inner = self._branch(parent, select, source.order(asked))
            rows = f"g{branch.number}.get({own}) or {'missing()' if source.never_empty else '[]'}"
            cursor = self._cursor(inner, source.place(asked))
            leading = "" if asked.number is None else inner.value("leading")
            lines = [f"    {line}" for line in paging.cut(asked, leading)]

        def node(of: Part) -> str:
            content = of.content[0]
            if isinstance(content, Object):
                return self._object(content, inner)
            return self._field(content, inner)

        shaped = paging.display([(p.key, paging.part(p, node, cursor)) for p in part.parts])
        self._lines += [f"def {name}(rows, total):", *lines, f"    return {shaped}"]
        return f"{name}({rows}, {total})"

    def _total(
        self, source: ManySource, asked: Any, parent: Branch | None, key: Any, own: str
    ) -> str:
        if source.count is None:
            raise Uncovered
        branch, _row = self._branch(parent, source.count(self._access, asked, key), ())
        branch.names = "(total)"
        value = branch.value(f"{branch.alias}.total", "BIGINT")
        return f"(lambda r: whole({value}))(g{branch.number}[{own}][0])"

    def _cursor(self, row: Row, place: Placed) -> str:
        name = self._given("c", render.CURSORS[place.kind](place.order))
        return f"{name}({row.value(place.column)}, {row.value(place.id)})"

    # Statements

    def _branch(
        self, parent: Branch | None, select: AnySelect, order: Sequence[tuple[str, bool]]
    ) -> tuple[Branch, Row]:
        alias = f"t{next(self._aliases)}"
        branch = Branch(len(self._branches), parent, alias, self._symbols.sql(select))
        branch.order = [f"{alias}.{column}{' DESC' * falls}" for column, falls in order]
        self._branches.append(branch)
        if parent is not None:
            parent.has_lists = True
        return branch, Row(branch, alias, kinds(select))

    def _select(self, select: Callable[[Any, Any], AnySelect], row: Row, column: str) -> AnySelect:
        """A select for the value of a column of the same row."""
        sql = f"{row.alias}.{column}"
        text = row.kinds.get(column) in {"TEXT", "VARCHAR"}
        reference = self._symbols.text_reference if text else self._symbols.reference
        return select(self._access, reference(sql))

    def _reference(self, row: Row, column: str) -> Any:
        """A stand-in for a column of a row of the list above."""
        place = row.branch.output(f"{row.alias}.{column}", row.kinds[column])
        return self._symbols.reference(f"b{row.branch.number}.c{place}")

    def _given(self, letter: str, value: Any) -> str:
        """The name under which the function finds something."""
        name = f"{letter}_{len(self._names)}"
        self._names[name] = value
        return name


def _missing() -> None:
    raise Uncovered


def _required(row: Row | None) -> Row:
    if row is None:
        raise Uncovered
    return row
