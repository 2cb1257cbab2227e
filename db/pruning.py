"""Forgetting the old end of the log: entries, and the tombstones that they tell of.

`scopes.pruned` is the newest version that is gone. It changes in the transaction that deletes, so
a reader that reads a page and then `pruned`, or both in one statement, sees whether it missed any.

The newest of a scope's old entries stays: it says which version was current when what is kept
begins, and without it a pull by time of a quiet scope would begin at its very beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, Uuid, bindparam, text

from db.engine import Connection

_LOCK = 0x7EA310E5
"""The key of the advisory lock under which one process at a time prunes."""


class Old(NamedTuple):
    """A scope with something to prune, and the version of its newest old entry."""

    scope_id: UUID
    horizon: int


class Pruned(NamedTuple):
    """What one batch came to."""

    entries: int
    tombstones: int


async def alone(connection: Connection) -> bool:
    """Take the right to prune until this transaction ends; False when somebody else has it."""
    query = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool((await connection.execute(query, {"key": _LOCK})).scalar_one())


_OLD = text(
    """
    SELECT s.id, o.horizon, o.dead FROM (
        SELECT id FROM scopes WHERE id > :after ORDER BY id LIMIT :limit
    ) s LEFT JOIN LATERAL (
        SELECT h.horizon,
            EXISTS (SELECT FROM log e WHERE e.scope_id = s.id AND e.version < h.horizon)
            OR EXISTS (SELECT FROM knowledge k WHERE k.scope_id = s.id
                       AND k.version <= h.horizon AND k.deleted_at IS NOT NULL)
            OR EXISTS (SELECT FROM summaries u WHERE u.scope_id = s.id
                       AND u.version <= h.horizon AND u.deleted_at IS NOT NULL)
            OR EXISTS (SELECT FROM sessions x WHERE x.scope_id = s.id
                       AND x.version <= h.horizon AND x.deleted_at IS NOT NULL)
            OR EXISTS (SELECT FROM sealed_entries y WHERE y.scope_id = s.id
                       AND y.version <= h.horizon AND y.deleted_at IS NOT NULL) AS dead
        FROM (
            SELECT l.version AS horizon FROM log l WHERE l.scope_id = s.id AND l.at < :before
            ORDER BY l.at DESC, l.version DESC LIMIT 1
        ) h
    ) o ON true
    ORDER BY s.id
    """
).bindparams(
    bindparam("after", type_=Uuid),
    bindparam("before", type_=DateTime(timezone=True)),
    bindparam("limit", type_=Integer),
)


async def old(
    connection: Connection, before: datetime, after: UUID, limit: int
) -> tuple[Sequence[Old], UUID | None]:
    """Those of the next `limit` scopes behind `after` that have something older than `before`.

    With them the scope to go on behind; None when there are no more.
    """
    values = {"before": before, "after": after, "limit": limit}
    rows = (await connection.execute(_OLD, values)).all()
    last = rows[-1].id if len(rows) == limit else None
    return [Old(row.id, row.horizon) for row in rows if row.dead], last


_PRUNE = text(
    """
    WITH oldest AS (
        SELECT version FROM log WHERE scope_id = :scope AND version < :horizon
        ORDER BY version LIMIT :limit
    ), cut AS (
        SELECT CASE WHEN count(*) < :limit THEN :horizon ELSE max(version) END AS version
        FROM oldest
    ), entries AS (
        DELETE FROM log USING oldest
        WHERE log.scope_id = :scope AND log.version = oldest.version RETURNING log.version
    ), k AS (
        DELETE FROM knowledge USING cut WHERE scope_id = :scope AND deleted_at IS NOT NULL
        AND knowledge.version <= cut.version RETURNING knowledge.version
    ), u AS (
        DELETE FROM summaries USING cut WHERE scope_id = :scope AND deleted_at IS NOT NULL
        AND summaries.version <= cut.version RETURNING summaries.version
    ), x AS (
        DELETE FROM sessions USING cut WHERE scope_id = :scope AND deleted_at IS NOT NULL
        AND sessions.version <= cut.version RETURNING sessions.version
    ), y AS (
        DELETE FROM sealed_entries USING cut WHERE scope_id = :scope AND deleted_at IS NOT NULL
        AND sealed_entries.version <= cut.version RETURNING sealed_entries.version
    ), tombstones AS (
        SELECT version FROM k UNION ALL SELECT version FROM u UNION ALL SELECT version FROM x
        UNION ALL SELECT version FROM y
    ), gone AS (
        SELECT max(version) AS version
        FROM (SELECT version FROM entries UNION ALL SELECT version FROM tombstones) AS both_kinds
    ), noted AS (
        UPDATE scopes SET pruned = greatest(scopes.pruned, gone.version)
        FROM gone WHERE scopes.id = :scope AND gone.version IS NOT NULL
    )
    SELECT (SELECT count(*) FROM entries) AS entries, (SELECT count(*) FROM tombstones) AS dead
    """
).bindparams(
    bindparam("scope", type_=Uuid),
    bindparam("horizon", type_=BigInteger),
    bindparam("limit", type_=Integer),
)


_LOCK_SCOPE = text("SELECT id FROM scopes WHERE id = :scope FOR NO KEY UPDATE").bindparams(
    bindparam("scope", type_=Uuid)
)


async def prune(connection: Connection, scope: Old, limit: int) -> Pruned:
    """Delete up to `limit` of a scope's oldest entries, and the tombstones that they tell of.

    The scope is locked first, as writers do, so that neither waits for the other in a circle.
    """
    await connection.execute(_LOCK_SCOPE, {"scope": scope.scope_id})
    values = {"scope": scope.scope_id, "horizon": scope.horizon, "limit": limit}
    row = (await connection.execute(_PRUNE, values)).one()
    return Pruned(row.entries, row.dead)
