"""What the tail of the log reads: new entries of many scopes, and who may still see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Row, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from db.engine import Connection
from db.knowledge import COLUMNS
from db.scope import Access
from db.tables import scopes

LOG_COLUMN_NAMES = ("scope_id", "version", "at", "kind", "subject_id", "actor_id", "detail")
LOG_COLUMNS = len(LOG_COLUMN_NAMES)
"""A row of `page` begins with these."""


class Standing(NamedTuple):
    """By what right somebody follows a scope: an account's membership, and its key or token."""

    account_id: UUID
    scope_id: UUID
    key_id: UUID | None
    token_epoch: int | None


COLUMNS_SQL = ", ".join(
    (
        *(f"l.{name}" for name in LOG_COLUMN_NAMES),
        *(f"k.{column.name} AS k_{column.name}" for column in COLUMNS),
    )
)
"""What an event is made of: the log entry `l`, and what `SUBJECT_JOIN` finds for it."""
SUBJECT_JOIN = """
    LEFT JOIN knowledge k ON starts_with(l.kind, 'knowledge_') AND k.scope_id = l.scope_id
        AND k.id = l.subject_id AND k.deleted_at IS NULL
        AND EXISTS (SELECT FROM scopes s WHERE s.id = k.scope_id AND s.deleted_at IS NULL)
"""
"""Of a deleted team nothing is shown any more, also while its contents are still being buried."""
_PAGE = (
    text(
        f"""
    SELECT {COLUMNS_SQL}
    FROM unnest(:ids, :afters) AS w(scope_id, after)
    CROSS JOIN LATERAL (
        SELECT * FROM log WHERE log.scope_id = w.scope_id AND log.version > w.after
        ORDER BY log.version LIMIT :limit
    ) AS l
    {SUBJECT_JOIN}
    ORDER BY l.scope_id, l.version
    """  # noqa: S608 - the interpolated part is the declared column names
    )
    .bindparams(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("afters", type_=ARRAY(BigInteger)),
        bindparam("limit", type_=Integer),
    )
    .columns(detail=JSONB)
)


async def page(
    connection: Connection, positions: Mapping[UUID, int], limit: int
) -> Sequence[Row[Any]]:
    """Up to `limit` entries of each scope above its position, in version order.

    After the log's own columns come those of `db.knowledge.COLUMNS`, as the entry is now; all
    None where the subject is no living entry.
    """
    values = {"ids": list(positions), "afters": list(positions.values()), "limit": limit}
    return (await connection.execute(_PAGE, values)).all()


class Bounds(NamedTuple):
    """Where a scope's log ends, and up to which version it was pruned."""

    head: int
    pruned: int
    deleted: bool


async def bounds(connection: Connection, scope_ids: Collection[UUID]) -> dict[UUID, Bounds]:
    """The bounds of each scope that exists, or did."""
    query = select(
        scopes.c.id, scopes.c.head, scopes.c.pruned, scopes.c.deleted_at.is_not(None).label("gone")
    ).where(scopes.c.id.in_(list(scope_ids)))
    return {
        row.id: Bounds(row.head, row.pruned, row.gone) for row in await connection.execute(query)
    }


async def teams(connection: Connection, access: Access) -> Sequence[Row[Any]]:
    """`id, name, owner_id, created_at` of the teams among the scopes that `access` may read."""
    query = select(scopes.c.id, scopes.c.name, scopes.c.owner_id, scopes.c.created_at).where(
        scopes.c.id.in_(access.scopes), scopes.c.kind == "team", scopes.c.deleted_at.is_(None)
    )
    return list(await connection.execute(query))


_STANDING = text(
    """
    SELECT w.place
    FROM unnest(:accounts, :scopes, :keys, :epochs)
        WITH ORDINALITY AS w(account_id, scope_id, key_id, epoch, place)
    JOIN accounts a ON a.id = w.account_id
    LEFT JOIN memberships m ON m.scope_id = w.scope_id AND m.account_id = w.account_id
    JOIN scopes s ON s.id = w.scope_id
        AND (m.account_id IS NOT NULL OR s.kind = 'community')
    LEFT JOIN api_keys k ON k.id = w.key_id AND k.account_id = a.id AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now())
    WHERE (w.key_id IS NULL OR k.id IS NOT NULL) AND (w.epoch IS NULL OR a.token_epoch = w.epoch)
    """
).bindparams(
    bindparam("accounts", type_=ARRAY(Uuid)),
    bindparam("scopes", type_=ARRAY(Uuid)),
    bindparam("keys", type_=ARRAY(Uuid)),
    bindparam("epochs", type_=ARRAY(Integer)),
)


async def still_standing(connection: Connection, standings: Collection[Standing]) -> set[Standing]:
    """Those that hold at this moment: member, key neither revoked nor expired, epoch current.

    The members of a deleted team are its members still: what they may see of it is how it ended.
    """
    asked = list(standings)
    columns = zip(*asked, strict=True) if asked else ((), (), (), ())
    names = ("accounts", "scopes", "keys", "epochs")
    values = {name: list(column) for name, column in zip(names, columns, strict=True)}
    rows = await connection.execute(_STANDING, values)
    return {asked[row.place - 1] for row in rows}
