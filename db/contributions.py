"""Who says what of community patterns; people are known only as digests, one for each pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    patterns.c.category,
    patterns.c.approach,
    contributions.c.type,
    contributions.c.platform,
    contributions.c.tags,
    contributions.c.effectiveness,
    contributions.c.first_seen,
    contributions.c.last_seen,
    contributions.c.counts_from,
)


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
    """What everybody says of a pattern who has an account that counts by now."""
    query = select(contributions).where(
        contributions.c.pattern_id == pattern_id,
        contributions.c.anonymous.is_(False),
        or_(contributions.c.counts_from.is_(None), contributions.c.counts_from <= func.now()),
    )
    return (await connection.execute(query)).all()


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


async def note_contributor(connection: Connection, digest: bytes) -> None:
    """Count somebody as a contributor, once."""
    await connection.execute(insert(contributors).values(digest=digest).on_conflict_do_nothing())


async def is_contributor(connection: Connection, digest: bytes) -> bool:
    """Whether somebody has ever contributed anything that was taken."""
    query = select(exists().where(contributors.c.digest == digest))
    return bool((await connection.execute(query)).scalar_one())


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


async def withdraw(connection: Connection, pattern_id: UUID, contributor: bytes) -> bool:
    """Take back what somebody says of a pattern; False when that was nothing."""
    query = delete(contributions).where(
        contributions.c.pattern_id == pattern_id, contributions.c.contributor == contributor
    )
    return (await connection.execute(query)).rowcount == 1
