"""What `changes` reads: a page of several scopes' logs, merged into one order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Row, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from db.engine import Connection
from db.feed import COLUMNS_SQL, SUBJECT_JOIN, Bounds
from db.scope import Access
from db.tables import memberships, scopes

_PAGE = (
    text(
        f"""
    WITH place AS (
        SELECT w.scope_id, w.after
        FROM unnest(:ids, :afters) AS w(scope_id, after)
        JOIN memberships m ON m.scope_id = w.scope_id AND m.account_id = :account_id
        JOIN scopes s ON s.id = w.scope_id AND s.deleted_at IS NULL AND s.pruned <= w.after
    ), timed AS (
        SELECT e.*, max(e.at) OVER (PARTITION BY e.scope_id ORDER BY e.version) AS moment
        FROM place p CROSS JOIN LATERAL (
            SELECT * FROM log WHERE log.scope_id = p.scope_id AND log.version > p.after
            ORDER BY log.version LIMIT :limit
        ) AS e
    ), page AS (
        SELECT t.*, bool_or(right(t.kind, 8) = '_deleted')
            OVER (PARTITION BY t.scope_id, t.moment) AS leaving
        FROM timed t ORDER BY moment, leaving DESC, scope_id, version LIMIT :limit
    )
    SELECT {COLUMNS_SQL} FROM page l {SUBJECT_JOIN}
    ORDER BY l.moment, l.leaving DESC, l.scope_id, l.version
    """  # noqa: S608 - the interpolated parts are declared column names
    )
    .bindparams(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("afters", type_=ARRAY(BigInteger)),
        bindparam("account_id", type_=Uuid),
        bindparam("limit", type_=Integer),
    )
    .columns(detail=JSONB)
)


async def page(
    connection: Connection, access: Access, positions: Mapping[UUID, int], limit: int
) -> Sequence[Row[Any]]:
    """Up to `limit` entries in all above these positions, oldest first; rows as `db.feed.page`'s.

    Of each scope they are the next ones without a gap, in version order: the merging goes by the
    running maximum of their times, which cannot go back whatever the times are. Of a transaction
    in several scopes, a scope that something left comes first: it is moved, not gone. A scope
    yields nothing to whom does not belong to it at this moment, and nothing where the log was
    pruned beyond the position.
    """
    values = {"ids": list(positions), "afters": list(positions.values()), "limit": limit}
    result = await connection.execute(_PAGE, {**values, "account_id": access.account_id})
    return result.all()


async def bounds(
    connection: Connection, access: Access, scope_ids: Collection[UUID]
) -> dict[UUID, Bounds]:
    """The bounds of those of the scopes that the caller belongs to at this moment."""
    query = (
        select(scopes.c.id, scopes.c.head, scopes.c.pruned)
        .join(memberships, memberships.c.scope_id == scopes.c.id)
        .where(
            memberships.c.account_id == access.account_id,
            scopes.c.id.in_(list(scope_ids)),
            scopes.c.deleted_at.is_(None),
        )
    )
    return {
        row.id: Bounds(row.head, row.pruned, deleted=False)
        for row in await connection.execute(query)
    }
