"""Which entries a list is about, in which order, and what there is of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    Text,
    cast,
    exists,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.engine import Connection
from db.knowledge import COLUMNS
from db.rows import AnyRow, AnySelect
from db.scope import Access, mine_or_team, scoped
from db.tables import knowledge, stars

Instant = datetime | int
OrderColumn = Literal["timestamp", "created_at", "updated_at"]


@dataclass(frozen=True, slots=True)
class Range:
    """From (with it) to (without it), of a column; either end may be open."""

    column: OrderColumn
    start: Instant | None = None
    end: Instant | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries a list is about; every field narrows it."""

    team_id: UUID | None = None
    project: str | None = None
    type: str | None = None
    author_id: UUID | None = None
    tags: tuple[str, ...] = ()
    only_team: bool = False
    """Only what lives in the team's scope, without the caller's own entries elsewhere."""
    every_team: bool = False
    """All that the caller may read, without a team named."""
    any_tags: tuple[str, ...] = ()
    """Entries with at least one of them."""
    ranges: tuple[Range, ...] = ()
    pinned: bool | None = None
    starred: bool | None = None
    """Whether the caller has a star at it."""


@dataclass(frozen=True, slots=True)
class Order:
    """By which instant a list is ordered; ids break ties."""

    column: OrderColumn = "timestamp"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Keyset:
    """A place in the order of a list: the instant of the order's column, and an id."""

    instant: Instant
    id: UUID


NEWEST = Order()


def starring(access: Access) -> AnySelect:
    """Select the stars that the caller has put, by `entry_id`."""
    return select(stars.c.entry_id).where(stars.c.scope_id == access.account_id)


def _starred(access: Access) -> ColumnElement[bool]:
    return exists().where(stars.c.scope_id == access.account_id, stars.c.entry_id == knowledge.c.id)


def _conditions(access: Access, wanted: Filter) -> list[ColumnExpressionArgument[bool]]:
    found: list[ColumnExpressionArgument[bool]] = [
        knowledge.c[name] == value
        for name in ("project", "type", "author_id")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.tags:
        found.append(knowledge.c.tags.contains(list(wanted.tags)))
    if wanted.any_tags:
        found.append(knowledge.c.tags.overlap(cast(list(wanted.any_tags), ARRAY(Text))))
    for span in wanted.ranges:
        column = knowledge.c[span.column]
        if span.start is not None:
            found.append(column >= span.start)
        if span.end is not None:
            found.append(column < span.end)
    if wanted.pinned is not None:
        pinned = knowledge.c.pinned_at.is_not(None)
        found.append(pinned if wanted.pinned else ~pinned)
    if wanted.starred is not None:
        found.append(_starred(access) if wanted.starred else ~_starred(access))
    return found


def listed(access: Access, wanted: Filter, *columns: ColumnElement[Any]) -> AnySelect:
    """Select `columns` of the entries that a list is about, as far as the caller may read them."""
    within = wanted.team_id if wanted.only_team else None
    query = scoped(knowledge, access, *columns, within=within)
    if within is None and (not wanted.every_team or wanted.team_id is not None):
        query = query.where(mine_or_team(knowledge, access, wanted.team_id))
    return query.where(*_conditions(access, wanted))


def paged(
    access: Access,
    wanted: Filter,
    *,
    limit: int,
    order: Order = NEWEST,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> AnySelect:
    """Select the first `limit` entries of a range in `order`; `backward` turns the order round."""
    by = (knowledge.c[order.column], knowledge.c.id)
    place = tuple_(*by)
    query = listed(access, wanted, *COLUMNS)
    for end, behind in ((after, not order.descending), (before, order.descending)):
        if end is not None:
            there = tuple_(literal(end.instant, by[0].type), literal(end.id))
            query = query.where(place > there if behind else place < there)
    falling = order.descending != backward
    return query.order_by(*(column.desc() if falling else column for column in by)).limit(limit)


async def page(
    connection: Connection,
    access: Access,
    wanted: Filter,
    *,
    limit: int,
    offset: int = 0,
    order: Order = NEWEST,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> Sequence[AnyRow]:
    """Entries in `order`; `backward` takes the last `limit` of the range instead."""
    query = paged(
        access, wanted, limit=limit, order=order, after=after, before=before, backward=backward
    )
    rows = (await connection.execute(query.offset(offset) if offset else query)).all()
    return list(reversed(rows)) if backward else rows


async def count(connection: Connection, access: Access, wanted: Filter) -> int:
    """How many entries the list has in all."""
    query = listed(access, wanted, func.count())
    total: int = (await connection.execute(query)).scalar_one()
    return total


async def starred(connection: Connection, access: Access, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the entries that the caller has a star at."""
    query = starring(access).where(stars.c.entry_id.in_(list(ids)))
    return set((await connection.execute(query)).scalars())
