"""Who says what of community patterns; people are known only as digests, one for each pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Uuid,
    and_,
    bindparam,
    column,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from db.engine import Connection
from db.rows import AnyRow
from db.tables import contributions, contributors, patterns

OWN_COLUMNS: tuple[ColumnElement[Any], ...] = (
    contributions.c.pattern_id,
    func.coalesce(contributions.c.category, func.lower(patterns.c.category)).label("category"),
    func.coalesce(contributions.c.approach, func.lower(patterns.c.approach)).label("approach"),
    contributions.c.type,
    contributions.c.platform,
    contributions.c.tags,
    contributions.c.effectiveness,
    contributions.c.first_seen,
    contributions.c.last_seen,
    contributions.c.counts_from,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What keeping a contribution changed."""

    new: bool
    """Whether the contributor had said nothing of the pattern before."""
    counted: bool
    """Whether the drawn numbers know of it only from now on."""


async def contribute(
    connection: Connection, pattern_id: UUID, contributor: bytes, values: Mapping[str, Any]
) -> Kept:
    """Keep what one contributor says of a pattern, replacing what it said before.

    What was `counted` stays so.
    """
    made = insert(contributions).values(pattern_id=pattern_id, contributor=contributor, **values)
    replaced: dict[str, ColumnElement[Any]] = {name: made.excluded[name] for name in values}
    replaced["first_seen"] = func.least(contributions.c.first_seen, made.excluded.first_seen)
    replaced["counted"] = or_(contributions.c.counted, made.excluded.counted)
    earlier = contributions.alias("earlier")
    # A subquery of RETURNING sees the row as it was before the statement.
    was_counted = (
        select(earlier.c.counted)
        .where(earlier.c.pattern_id == pattern_id, earlier.c.contributor == contributor)
        .scalar_subquery()
    )
    query = made.on_conflict_do_update(
        index_elements=["pattern_id", "contributor"], set_=replaced
    ).returning(contributions.c.counted, was_counted.label("was_counted"))
    row = (await connection.execute(query)).one()
    return Kept(row.was_counted is None, row.counted and not row.was_counted)


async def contributions_to(connection: Connection, pattern_id: UUID) -> Sequence[AnyRow]:
    """What everybody says of a pattern who has an account that counts by now."""
    query = select(contributions).where(contributions.c.pattern_id == pattern_id, counts_by_now())
    return (await connection.execute(query)).all()


def counts_by_now() -> ColumnElement[bool]:
    """That a contribution is by an account, one that is old enough."""
    started = or_(contributions.c.counts_from.is_(None), contributions.c.counts_from <= func.now())
    return and_(contributions.c.anonymous.is_(False), started)


async def is_shared(connection: Connection, pattern_id: UUID) -> bool:
    """Whether anybody contributes a pattern, whether that counts or not."""
    query = select(exists().where(contributions.c.pattern_id == pattern_id))
    return bool((await connection.execute(query)).scalar_one())


async def due(connection: Connection, limit: int) -> list[UUID]:
    """Patterns with contributions that count only since a while ago, and were not counted yet."""
    query = (
        select(contributions.c.pattern_id)
        .where(contributions.c.counts_from <= func.now())
        .distinct()
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())


async def let_count(connection: Connection, pattern_id: UUID) -> None:
    """Forget when the contributions to a pattern began to count that do so by now."""
    query = update(contributions).where(
        contributions.c.pattern_id == pattern_id, contributions.c.counts_from <= func.now()
    )
    await connection.execute(query.values(counts_from=None))


async def note_contributor(connection: Connection, digest: bytes) -> int:
    """Count somebody as a contributor, once, and lock that until commit.

    In the drawn numbers of how many patterns the contributor counts. Of the locks that a
    transaction takes this is the first.
    """
    made = insert(contributors).values(digest=digest)
    query = made.on_conflict_do_update(
        index_elements=["digest"], set_={"digest": made.excluded.digest}
    ).returning(contributors.c.counted)
    counted: int = (await connection.execute(query)).scalar_one()
    return counted


async def count_contributor(connection: Connection, digest: bytes, more: int) -> None:
    """Note that a contributor counts in the drawn numbers of so many more patterns, or less."""
    if more:
        query = update(contributors).where(contributors.c.digest == digest)
        await connection.execute(query.values(counted=contributors.c.counted + more))


async def is_contributor(connection: Connection, digest: bytes, *, lock: bool = False) -> bool:
    """Whether somebody has ever contributed anything that was taken.

    With `lock` that stays so until commit, and nothing is contributed meanwhile.
    """
    query = select(contributors.c.digest).where(contributors.c.digest == digest)
    found = await connection.execute(query.with_for_update() if lock else query)
    return found.one_or_none() is not None


async def forget_contributor(connection: Connection, digest: bytes) -> None:
    """Count somebody as a contributor no longer."""
    await connection.execute(delete(contributors).where(contributors.c.digest == digest))


async def contributed(connection: Connection, digests: Mapping[UUID, bytes]) -> Sequence[AnyRow]:
    """What somebody says of patterns, who is seen as these digests there; by pattern's id."""
    given = (
        func.unnest(
            bindparam("ids", list(digests), type_=ARRAY(Uuid)),
            bindparam("digests", list(digests.values()), type_=ARRAY(LargeBinary)),
        )
        .table_valued(column("id", Uuid), column("digest", LargeBinary), name="given")
        .render_derived()
    )
    same = and_(
        contributions.c.pattern_id == given.c.id, contributions.c.contributor == given.c.digest
    )
    query = (
        select(*OWN_COLUMNS)
        .select_from(given)
        .join(contributions, same)
        .join(patterns, patterns.c.id == contributions.c.pattern_id)
        .order_by(contributions.c.pattern_id)
    )
    return (await connection.execute(query)).all()


async def withdraw(connection: Connection, pattern_id: UUID, contributor: bytes) -> bool | None:
    """Take back what somebody says of a pattern; None when that was nothing.

    Else whether the drawn numbers knew of it.
    """
    query = delete(contributions).where(
        contributions.c.pattern_id == pattern_id, contributions.c.contributor == contributor
    )
    counted: bool | None = (
        await connection.execute(query.returning(contributions.c.counted))
    ).scalar_one_or_none()
    return counted
