"""Community patterns. Nothing here belongs to a scope: contributors are known only as digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.tables import contributions, contributors, patterns
from db.words import words_query

COLUMNS = tuple(
    patterns.c[name]
    for name in (
        "id",
        "type",
        "category",
        "platform",
        "approach",
        "tags",
        "effectiveness",
        "independent",
        "first_seen",
        "last_seen",
    )
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which published patterns a list is about."""

    category: str | None = None
    platform: str | None = None
    tags: tuple[str, ...] = ()
    words: str | None = None


async def open_pattern(
    connection: Connection, sameness: bytes, values: Mapping[str, Any]
) -> tuple[UUID, bool]:
    """Find or make the pattern of that sameness and lock it; its id and whether it is new."""
    made = (
        insert(patterns)
        .values(sameness=sameness, **values)
        .on_conflict_do_nothing(index_elements=["sameness"])
        .returning(patterns.c.id)
    )
    new_id: UUID | None = (await connection.execute(made)).scalar_one_or_none()
    if new_id is not None:
        return new_id, True
    found = select(patterns.c.id).where(patterns.c.sameness == sameness).with_for_update()
    existing: UUID = (await connection.execute(found)).scalar_one()
    return existing, False


async def contribute(
    connection: Connection, pattern_id: UUID, contributor: bytes, values: Mapping[str, Any]
) -> None:
    """Keep what one contributor says of a pattern, replacing what it said before."""
    made = insert(contributions).values(pattern_id=pattern_id, contributor=contributor, **values)
    replaced = {name: made.excluded[name] for name in values if name != "first_seen"}
    first = func.least(contributions.c.first_seen, made.excluded.first_seen)
    await connection.execute(
        made.on_conflict_do_update(
            index_elements=["pattern_id", "contributor"],
            set_={**replaced, "first_seen": first},
        )
    )


async def contributions_to(connection: Connection, pattern_id: UUID) -> Sequence[AnyRow]:
    """What everybody who has an account says of a pattern."""
    query = select(contributions).where(
        contributions.c.pattern_id == pattern_id, contributions.c.anonymous.is_(False)
    )
    return (await connection.execute(query)).all()


async def publish(connection: Connection, pattern_id: UUID, values: Mapping[str, Any]) -> None:
    """Set what the community is shown of a pattern."""
    await connection.execute(
        update(patterns).where(patterns.c.id == pattern_id).values(updated_at=func.now(), **values)
    )


def first_shown() -> ColumnElement[Any]:
    """The value of `visible_at` for a pattern that may be shown: the first time stays."""
    return func.coalesce(patterns.c.visible_at, func.now())


async def note_contributor(connection: Connection, digest: bytes) -> None:
    """Count somebody as a contributor, once."""
    await connection.execute(insert(contributors).values(digest=digest).on_conflict_do_nothing())


def _visible(wanted: Filter, *columns: ColumnElement[Any]) -> AnySelect:
    query = select(*columns).where(patterns.c.visible_at.is_not(None))
    if wanted.category is not None:
        query = query.where(func.lower(patterns.c.category) == wanted.category.lower())
    if wanted.platform is not None:
        query = query.where(func.lower(patterns.c.platform) == wanted.platform.lower())
    if wanted.tags:
        query = query.where(patterns.c.tags.overlap(list(wanted.tags)))
    if wanted.words is not None:
        query = query.where(patterns.c.search.op("@@")(words_query(wanted.words)))
    return query


async def page(
    connection: Connection, wanted: Filter, limit: int, offset: int
) -> tuple[Sequence[AnyRow], int]:
    """Visible patterns, best match or most shared first, and how many there are."""
    order: list[ColumnElement[Any]] = [patterns.c.independent.desc(), patterns.c.id]
    if wanted.words is not None:
        order.insert(0, func.ts_rank_cd(patterns.c.search, words_query(wanted.words)).desc())
    query = _visible(wanted, *COLUMNS).order_by(*order).limit(limit).offset(offset)
    rows = (await connection.execute(query)).all()
    total = (await connection.execute(_visible(wanted, func.count()))).scalar_one()
    return rows, total


async def statistics(connection: Connection, top: int) -> tuple[AnyRow, Sequence[AnyRow]]:
    """`(total, last_seen, contributors)` and `(category, count)` of the largest categories."""
    people = select(func.count()).select_from(contributors).scalar_subquery()
    sums = _visible(Filter(), func.count().label("total"), func.max(patterns.c.last_seen), people)
    number = func.count().label("count")
    categories = (
        _visible(Filter(), patterns.c.category, number)
        .group_by(patterns.c.category)
        .order_by(number.desc(), patterns.c.category)
        .limit(top)
    )
    return (await connection.execute(sums)).one(), (await connection.execute(categories)).all()
