"""What a list of entries could be narrowed by: the most frequent values of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Text, cast, func, literal, select, union_all

from db.engine import Connection
from db.knowledge_list import Filter, listed
from db.rows import AnyRow, AnySelect
from db.scope import Access
from db.tables import knowledge

Facet = Literal["types", "projects", "tags", "authors"]
VALUES = 50
"""At most so many of each."""
_SOURCES: dict[Facet, ColumnElement[Any]] = {
    "types": knowledge.c.type.collate("C"),
    "projects": knowledge.c.project.collate("C"),
    "tags": func.unnest(knowledge.c.tags, type_=Text()).collate("C"),
    "authors": knowledge.c.author_id,
}


def most_frequent(access: Access, wanted: Filter, facet: Facet) -> AnySelect:
    """Select `value, count` of a list, the most frequent first, equal ones by code points.

    The values of authors are their ids.
    """
    values = listed(access, wanted, _SOURCES[facet].label("value")).subquery()
    amount = func.count().label("count")
    return (
        select(values.c.value, amount)
        .where(values.c.value.is_not(None))
        .group_by(values.c.value)
        .order_by(amount.desc(), values.c.value)
        .limit(VALUES)
    )


async def facets(connection: Connection, access: Access, wanted: Filter) -> Sequence[AnyRow]:
    """`facet, value, count` of all of them, each in its order."""
    parts = []
    for facet in get_args(Facet):
        found = most_frequent(access, wanted, facet).subquery()
        value = cast(found.c.value, Text).label("value")
        parts.append(select(literal(facet).label("facet"), value, found.c.count))
    return (await connection.execute(union_all(*parts))).all()
