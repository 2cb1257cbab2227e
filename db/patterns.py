"""Community patterns. Nothing here belongs to a scope: contributors are known only as digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.tables import patterns
from db.words import words_query

REACH_MIN = 3
"""At least so many share a pattern that is shown; more is told only by a draw."""
_REACH = func.coalesce(patterns.c.reach, REACH_MIN)
_PUBLISHED = cast(func.extract("epoch", patterns.c.visible_at) * 1000, BigInteger)
COLUMNS: tuple[ColumnElement[Any], ...] = (
    patterns.c.id,
    patterns.c.type,
    patterns.c.category,
    patterns.c.platform,
    patterns.c.approach,
    patterns.c.tags,
    patterns.c.effectiveness,
    _REACH.label("reach"),
    patterns.c.first_seen,
    patterns.c.last_seen,
    patterns.c.visible_at,
    patterns.c.numbers_from,
)
Order = Literal["reach", "newest"]
_ORDERS: dict[Order, ColumnElement[Any]] = {
    "reach": cast(_REACH, BigInteger) * 10**13 + _PUBLISHED,
    "newest": _PUBLISHED,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which published patterns a list is about."""

    category: str | None = None
    platform: str | None = None
    tags: tuple[str, ...] = ()
    words: str | None = None
    type: str | None = None
    terms: tuple[str, ...] | None = None
    """For `words`: what a match has all of, when it matches in no other way."""


@dataclass(frozen=True, slots=True)
class Keyset:
    """A place in an order: the number that it goes by, and the id."""

    number: int
    id: UUID


async def open_pattern(
    connection: Connection, sameness: bytes, values: Mapping[str, Any]
) -> tuple[UUID, bool]:
    """Find or make the pattern of that sameness and lock it; its id and whether it is shown."""
    made = insert(patterns).values(sameness=sameness, **values)
    query = made.on_conflict_do_update(
        index_elements=["sameness"], set_={"updated_at": func.now()}
    ).returning(patterns.c.id, patterns.c.visible_at)
    row = (await connection.execute(query)).one()
    return row.id, row.visible_at is not None


async def locked(connection: Connection, pattern_id: UUID) -> AnyRow | None:
    """Lock a pattern until commit: `category, approach, visible_at`; None when it is gone."""
    query = select(patterns.c.category, patterns.c.approach, patterns.c.visible_at)
    query = query.where(patterns.c.id == pattern_id).with_for_update()
    return (await connection.execute(query)).one_or_none()


async def lock_all(connection: Connection, pattern_ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Lock several patterns, in the order in which everybody does: `id, sameness` of each."""
    query = (
        select(patterns.c.id, patterns.c.sameness)
        .where(patterns.c.id.in_(list(pattern_ids)))
        .order_by(patterns.c.sameness)
        .with_for_update()
    )
    return (await connection.execute(query)).all()


async def delete_one(connection: Connection, pattern_id: UUID) -> None:
    """Delete a pattern with its text."""
    await connection.execute(delete(patterns).where(patterns.c.id == pattern_id))


async def publish(connection: Connection, pattern_id: UUID, values: Mapping[str, Any]) -> None:
    """Set what the community is shown of a pattern."""
    await connection.execute(
        update(patterns).where(patterns.c.id == pattern_id).values(updated_at=func.now(), **values)
    )


async def this_week(connection: Connection) -> datetime:
    """When this week began: the time under which the community's log keeps its entries."""
    week: datetime = (await connection.execute(select(_this_week()))).scalar_one()
    return week


def _this_week() -> ColumnElement[Any]:
    return func.date_trunc("week", func.now(), "UTC")


def first_shown() -> ColumnElement[Any]:
    """The value of `visible_at` for a pattern that may be shown: the first week stays."""
    return func.coalesce(patterns.c.visible_at, _this_week())


def _listed(wanted: Filter, *columns: ColumnElement[Any]) -> AnySelect:
    query = select(*columns).where(patterns.c.visible_at.is_not(None))
    if wanted.category is not None:
        query = query.where(func.lower(patterns.c.category) == func.lower(wanted.category))
    if wanted.platform is not None:
        query = query.where(func.lower(patterns.c.platform) == func.lower(wanted.platform))
    if wanted.type is not None:
        query = query.where(patterns.c.type == wanted.type)
    if wanted.tags:
        query = query.where(patterns.c.tags.overlap(list(wanted.tags)))
    if wanted.words is not None:
        found = patterns.c.search.op("@@")(words_query(wanted.words))
        query = query.where(or_(found, _has_terms(wanted)) if wanted.terms else found)
    return query


def _has_terms(wanted: Filter) -> ColumnElement[bool]:
    value = bindparam(None, list(wanted.terms or ()), type_=ARRAY(Text), unique=True)
    return patterns.c.grams.contains(value)


def _rank(wanted: Filter) -> ColumnElement[Any]:
    """How well a pattern matches: by the words, and by the part of it that the terms make up."""
    if wanted.words is None:
        return literal(0.0)
    rank: ColumnElement[Any] = func.ts_rank_cd(patterns.c.search, words_query(wanted.words))
    if wanted.terms:
        count = float(len(wanted.terms))
        part = count / (count + func.cardinality(patterns.c.grams))
        rank = rank + case((_has_terms(wanted), part), else_=0.0)
    return rank


async def page(
    connection: Connection, wanted: Filter, limit: int, offset: int
) -> tuple[Sequence[AnyRow], int]:
    """Visible patterns with their `rank`, best match or most shared first; how many there are."""
    rank = _rank(wanted).label("rank")
    order: list[ColumnElement[Any]] = [_REACH.desc(), patterns.c.id]
    if wanted.words is not None:
        order.insert(0, rank.desc())
    query = _listed(wanted, *COLUMNS, rank).order_by(*order).limit(limit).offset(offset)
    return (await connection.execute(query)).all(), await count(connection, wanted)


def counted(wanted: Filter) -> AnySelect:
    """Select how many visible patterns a list has in all."""
    return _listed(wanted, func.count())


async def count(connection: Connection, wanted: Filter) -> int:
    """How many visible patterns a list has in all."""
    total: int = (await connection.execute(counted(wanted))).scalar_one()
    return total


def paged(
    wanted: Filter,
    order: Order,
    *,
    limit: int,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> AnySelect:
    """Select the first `limit` visible patterns of a range, each with its `number` in the order.

    Most shared or newest first; `backward` turns the order round.
    """
    number = _ORDERS[order]
    place = tuple_(number, patterns.c.id)
    query = _listed(wanted, *COLUMNS, number.label("number"))
    if after is not None:
        query = query.where(place < tuple_(after.number, after.id))
    if before is not None:
        query = query.where(place > tuple_(before.number, before.id))
    columns = (number, patterns.c.id)
    query = query.order_by(*(columns if backward else (part.desc() for part in columns)))
    return query.limit(limit)


async def between(
    connection: Connection,
    wanted: Filter,
    order: Order,
    *,
    limit: int,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> Sequence[AnyRow]:
    """The rows of `paged`, most shared or newest first.

    `backward` takes the last `limit` of the range instead.
    """
    query = paged(wanted, order, limit=limit, after=after, before=before, backward=backward)
    rows = (await connection.execute(query)).all()
    return list(reversed(rows)) if backward else rows


def visible(pattern_id: UUID) -> AnySelect:
    """Select a pattern, if the community sees it."""
    return _listed(Filter(), *COLUMNS).where(patterns.c.id == pattern_id)


async def by_ids(connection: Connection, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Those of the patterns that are visible, in no particular order."""
    query = _listed(Filter(), *COLUMNS).where(patterns.c.id.in_(list(ids)))
    return (await connection.execute(query)).all()


def sums() -> AnySelect:
    """Select `total, last_seen` of what is shown."""
    last_seen = func.max(patterns.c.last_seen).label("last_seen")
    return _listed(Filter(), func.count().label("total"), last_seen)


def largest_categories(limit: int) -> AnySelect:
    """Select `category, count` of what is shown, the largest first."""
    number = func.count().label("count")
    query = _listed(Filter(), patterns.c.category, number).group_by(patterns.c.category)
    return query.order_by(number.desc(), patterns.c.category).limit(limit)


async def statistics(connection: Connection, top: int) -> tuple[AnyRow, Sequence[AnyRow]]:
    """The row of `sums`, and those of `largest_categories`."""
    total = (await connection.execute(sums())).one()
    return total, (await connection.execute(largest_categories(top))).all()


async def batch(connection: Connection, after: UUID, limit: int) -> Sequence[AnyRow]:
    """`id, sameness` of the next patterns behind `after`, seen by everybody or not."""
    query = select(patterns.c.id, patterns.c.sameness).where(patterns.c.id > after)
    return (await connection.execute(query.order_by(patterns.c.id).limit(limit))).all()
