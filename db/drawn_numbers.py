"""The community's published numbers: what a draw goes by, what it left, and what draws have cost.

No other module reads the exact numbers. A line of the ledger is written in the transaction that
stores what was drawn, and its key is the week: of two servers that draw, one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.contributions import counts_by_now
from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.tables import contributions, contributors, patterns, privacy_ledger


@dataclass(frozen=True, slots=True)
class Sums:
    """The exact numbers of one pattern. Never shown."""

    pattern_id: UUID
    rated: bool
    """Whether three independent people rate it."""
    people: int
    """Contributors; those who share a team, if that is their first, are one."""
    praise: int
    """The ratings in hundredths, added up."""
    blame: int
    """What the ratings fall short of 1 by, likewise."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a draw says of one pattern."""

    pattern_id: UUID
    reach: int
    effectiveness: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger."""

    epoch: datetime
    epsilon: Decimal
    spent: Decimal
    """By this line and all before it."""
    budget: Decimal
    contributors: int
    margin: int


async def lock_ledger(connection: Connection) -> None:
    """Let no other transaction draw until this one ends; reading goes on."""
    await connection.execute(text("LOCK TABLE privacy_ledger IN SHARE ROW EXCLUSIVE MODE"))


def last_line() -> AnySelect:
    """Select the ledger's last line; none before the first draw."""
    named = (privacy_ledger.c[name] for name in Line.__slots__)
    return select(*named).order_by(privacy_ledger.c.epoch.desc()).limit(1)


async def latest(connection: Connection) -> Line | None:
    """The ledger's last line; None before the first draw."""
    row = (await connection.execute(last_line())).one_or_none()
    return None if row is None else Line(*row)


async def charge(connection: Connection, line: Line) -> None:
    """Write a line. Raises DuplicateError when its week has one already."""
    values = {name: getattr(line, name) for name in Line.__slots__}
    await connection.execute(insert(privacy_ledger).values(values))


async def any_shown(connection: Connection) -> bool:
    """Whether the community sees any pattern."""
    query = select(select(patterns.c.id).where(patterns.c.visible_at.is_not(None)).exists())
    return bool((await connection.execute(query)).scalar_one())


async def sums(connection: Connection) -> tuple[Sequence[Sums], int]:
    """The exact numbers of all patterns that are shown, locked, and how many have contributed.

    One contributor adds at most 1 to `people` and at most 100 to `praise` and `blame` together, and
    that in at most COUNTED_MAX patterns, as others of its contributions are not `counted`.
    """
    locked = select(patterns.c.id).where(patterns.c.visible_at.is_not(None))
    # In the order in which everybody locks several of them.
    await connection.execute(locked.order_by(patterns.c.sameness).with_for_update())
    found: Sequence[AnyRow] = (await connection.execute(_sums())).all()
    people = select(func.count()).select_from(contributors)
    return [Sums(*row) for row in found], (await connection.execute(people)).scalar_one()


def _sums() -> Any:
    # Each stands for its first team or for itself: one who joins or leaves changes this number of
    # different ones by one at most, which is not so of the groups that teams in common make.
    stands_for = func.coalesce(contributions.c.groups[1], contributions.c.contributor)
    rating = cast(func.round(contributions.c.effectiveness * 100), BigInteger)
    counted = and_(
        contributions.c.pattern_id == patterns.c.id, contributions.c.counted, counts_by_now()
    )
    return (
        select(
            patterns.c.id,
            patterns.c.rated,
            func.count(stands_for.distinct()),
            cast(func.coalesce(func.sum(rating), 0), BigInteger),
            cast(func.coalesce(func.sum(100 - rating), 0), BigInteger),
        )
        .select_from(patterns.outerjoin(contributions, counted))
        .where(patterns.c.visible_at.is_not(None))
        .group_by(patterns.c.id, patterns.c.rated)
        .order_by(patterns.c.id)
    )


async def store(connection: Connection, drawn: Sequence[Drawn], epoch: datetime) -> None:
    """Keep what was drawn as what is shown."""

    def listed(name: str, kind: Any) -> ColumnElement[Any]:
        return bindparam(f"{name}s", [getattr(d, name) for d in drawn], type_=ARRAY(kind))

    given = (
        func.unnest(
            listed("pattern_id", Uuid), listed("reach", BigInteger), listed("effectiveness", Double)
        )
        .table_valued(
            column("id", Uuid), column("reach", BigInteger), column("rating", Double), name="given"
        )
        .render_derived()
    )
    query = update(patterns).where(patterns.c.id == given.c.id)
    await connection.execute(
        query.values(reach=given.c.reach, effectiveness=given.c.rating, numbers_from=epoch)
    )
