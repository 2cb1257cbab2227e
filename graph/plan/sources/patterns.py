"""What the community shares."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import select, true

from db import drawn_numbers, patterns
from db.patterns import Filter, Keyset, Order
from db.rows import AnySelect
from db.scope import Access
from domain.patterns import TOP_CATEGORIES
from graph.plan.sources.kinds import (
    Arguments,
    Asked,
    Chosen,
    ManySource,
    OneSource,
    PageOf,
    Placed,
    nothing_asked,
    page_of,
    windowed,
)
from graph.plan.symbols import Uncovered
from graph.schema import ids
from graph.schema.paging import Place
from graph.schema.pattern import PatternOrder


def _patterns(arguments: Arguments, _asked: Asked) -> PageOf:
    given = arguments.get("filter")
    about = Filter() if given is None else given.to_domain()
    order = arguments.get("order_by") or PatternOrder.REACH
    if about.words is not None or order is PatternOrder.RELEVANCE:
        raise Uncovered  # words are looked for in several ways, which are found out beforehand
    asked = windowed(arguments)

    def keyset(place: Place | None) -> Keyset | None:
        return None if place is None else Keyset(place.number, place.id)

    by = cast(Order, order.value)
    return page_of(about, asked, keyset(asked.after), keyset(asked.before), by)


def _pattern_rows(_access: Access, page: PageOf, _key: Any) -> AnySelect:
    return patterns.paged(
        page.about,
        page.order,
        limit=page.limit + 1,
        after=page.after,
        before=page.before,
        backward=page.backward,
    )


def _numbers() -> AnySelect:
    """What is shown in numbers, with the last draw's where there is one."""
    sums, line = patterns.sums().subquery("sums"), drawn_numbers.last_line().subquery("line")
    drawn = (line.c.contributors, line.c.epoch, line.c.margin)
    return select(*sums.c, *drawn).select_from(sums.outerjoin(line, true()))


def _pattern(arguments: Arguments, _asked: Asked) -> Chosen:
    id = ids.decode("CommunityPattern", arguments["id"], "id")
    return Chosen("visible pattern", id, "CommunityPattern")


ONE = {
    "visible pattern": OneSource(lambda _access, id: patterns.visible(id)),
    "named pattern": OneSource(lambda _access, id: patterns.visible(id), read=_pattern),
    "pattern statistics": OneSource(
        lambda _access, _id: _numbers(),
        present="total",
        read=lambda _arguments, _asked: Chosen(
            "pattern statistics", None, "PatternStatistics", required=True
        ),
    ),
}
MANY = {
    "patterns": ManySource(
        _patterns,
        _pattern_rows,
        lambda page: (("number", not page.backward), ("id", not page.backward)),
        lambda _access, page, _key: patterns.counted(page.about),
        lambda _page: Placed("number", "number"),
    ),
    "top categories": ManySource(
        nothing_asked,
        lambda _access, _wanted, _key: patterns.largest_categories(TOP_CATEGORIES),
        lambda _wanted: (("count", True), ("category", False)),
    ),
}
