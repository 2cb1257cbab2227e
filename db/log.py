"""The one log: every change of an owned row gets the next version of its scope.

`advance` takes the scope rows' locks, which last until commit. Within a scope, therefore, the order
of versions is the order of commits, and a reader that asks for `version > cursor` cannot miss a row
whatever other writers do meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Table,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    exists,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.errors import NotAMemberError
from db.rows import AnySelect
from db.scope import Access
from db.tables import log, memberships, scopes

CHANNEL = "teamlore_log"


@dataclass(slots=True)
class Head:
    """The versions that one transaction may hand out in one scope.

    `at` is the instant of everything that the transaction does, in all its scopes.
    """

    scope_id: UUID
    next: int
    at: datetime

    def take(self) -> int:
        """The next version."""
        self.next += 1
        return self.next - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `detail` says what the subject's row cannot: a role, an old name."""

    scope_id: UUID
    version: int
    at: datetime
    kind: str
    subject_id: UUID
    actor_id: UUID
    detail: Mapping[str, Any] | None = None


_ADVANCE = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(:ids, :counts) AS w(id, n)
    ), locked AS (
        SELECT s.id, s.head_at FROM scopes s WHERE s.id = ANY(:ids) AND s.deleted_at IS NULL
        ORDER BY s.id FOR UPDATE
    ), moment AS (
        SELECT greatest(clock_timestamp(), max(head_at) + interval '1 microsecond') AS at
        FROM locked
    )
    UPDATE scopes s SET head = s.head + w.n, head_at = m.at
    FROM wanted w, locked l, moment m
    WHERE s.id = w.id AND l.id = s.id
    RETURNING s.id, s.head - w.n + 1 AS first, s.head_at
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("counts", type_=ARRAY(BigInteger)))


async def advance(
    connection: AsyncConnection, actor_id: UUID | None, counts: Mapping[UUID, int]
) -> dict[UUID, Head]:
    """Move the heads of the scopes in `counts` on by so many versions, locking them until commit.

    Unused versions are simply gaps. With an `actor_id`, membership is looked at again once the
    locks are held, so that nobody writes to a team after its removal: NotAMemberError.
    """
    ids = sorted(counts)
    rows = await connection.execute(_ADVANCE, {"ids": ids, "counts": [counts[i] for i in ids]})
    heads = {row.id: Head(row.id, row.first, row.head_at) for row in rows}
    if len(heads) != len(ids):
        raise NotAMemberError
    if actor_id is not None:
        query = select(func.count()).where(
            memberships.c.account_id == actor_id, memberships.c.scope_id.in_(ids)
        )
        if (await connection.execute(query)).scalar_one() != len(ids):
            raise NotAMemberError
    return heads


async def roles(
    connection: AsyncConnection, account_id: UUID, scope_ids: Iterable[UUID]
) -> dict[UUID, Any]:
    """The role that an account has at this moment in each of the scopes that it belongs to."""
    query = select(memberships.c.scope_id, memberships.c.role).where(
        memberships.c.account_id == account_id, memberships.c.scope_id.in_(list(scope_ids))
    )
    return {row.scope_id: row.role for row in await connection.execute(query)}


async def append(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Write `entries` and wake whoever tails their scopes (when the transaction commits)."""
    if not entries:
        return
    columns = {
        "scope_id": [e.scope_id for e in entries],
        "version": [e.version for e in entries],
        "at": [e.at for e in entries],
        "kind": [e.kind for e in entries],
        "subject_id": [e.subject_id for e in entries],
        "actor_id": [e.actor_id for e in entries],
        "detail": [None if e.detail is None else json.dumps(e.detail) for e in entries],
    }
    await connection.execute(_APPEND, columns)
    for scope_id in {e.scope_id for e in entries}:
        await connection.execute(_NOTIFY, {"channel": CHANNEL, "scope": str(scope_id)})


_APPEND = text(
    """
    INSERT INTO log (scope_id, version, at, kind, subject_id, actor_id, detail)
    SELECT u.scope_id, u.version, u.at, u.kind, u.subject_id, u.actor_id, u.detail::jsonb
    FROM unnest(
        CAST(:scope_id AS uuid[]), CAST(:version AS bigint[]), CAST(:at AS timestamptz[]),
        CAST(:kind AS text[]), CAST(:subject_id AS uuid[]), CAST(:actor_id AS uuid[]),
        CAST(:detail AS text[])
    ) AS u(scope_id, version, at, kind, subject_id, actor_id, detail)
    """
)
_NOTIFY = text("SELECT pg_notify(:channel, :scope)")


async def heads(connection: AsyncConnection, scope_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The newest version of each scope that exists."""
    query = select(scopes.c.id, scopes.c.head).where(scopes.c.id.in_(list(scope_ids)))
    return {row.id: row.head for row in await connection.execute(query)}


async def pruned(connection: AsyncConnection, scope_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The newest version of each scope whose entry or tombstone is no longer kept."""
    query = select(scopes.c.id, scopes.c.pruned).where(scopes.c.id.in_(list(scope_ids)))
    return {row.id: row.pruned for row in await connection.execute(query)}


async def positions_at(
    connection: AsyncConnection, scope_ids: Iterable[UUID], instant: datetime
) -> dict[UUID, int]:
    """For each scope the version that was newest at `instant`; 0 where nothing was there yet.

    0 also where what was newest then is no longer kept.
    """
    query = (
        select(log.c.scope_id, func.max(log.c.version).label("version"))
        .where(log.c.scope_id.in_(list(scope_ids)), log.c.at <= instant)
        .group_by(log.c.scope_id)
    )
    return {row.scope_id: row.version for row in await connection.execute(query)}


async def page(
    connection: AsyncConnection, scope_id: UUID, after: int, limit: int
) -> Sequence[Entry]:
    """Up to `limit` entries of one scope with a version above `after`, oldest first."""
    query = (
        select(log)
        .where(log.c.scope_id == scope_id, log.c.version > after)
        .order_by(log.c.version)
        .limit(limit)
    )
    return [Entry(*row) for row in await connection.execute(query)]


@dataclass(frozen=True, slots=True)
class From:
    """Where a pull goes on in one scope: above `version`; everything there, or the caller's own."""

    scope_id: UUID
    version: int
    everything: bool
    floor: int = 0
    """What was pruned when the reader began; see `domain.cursor`."""


def starting_places(
    table: Table,
    columns: Sequence[ColumnElement[Any]],
    access: Access,
    places: Sequence[From],
    *,
    tombstones: bool,
) -> AnySelect:
    """Select rows of an authored table changed above `places`, oldest change first.

    Places outside the caller's scopes yield nothing. Tombstones come only where something was
    pulled before, and not for a row that was moved to where the same pull shows it. Within a scope
    the order is that of versions, because a scope's `head_at` only grows.
    """
    readable = [place for place in places if place.scope_id in set(access.scopes)]
    superseded = _superseded(table, access, readable)
    start = (
        func.unnest(
            bindparam("scope_ids", [p.scope_id for p in readable], type_=ARRAY(Uuid)),
            bindparam("versions", [p.version for p in readable], type_=ARRAY(BigInteger)),
            bindparam("everything", [p.everything for p in readable], type_=ARRAY(Boolean)),
        )
        .table_valued(
            column("scope_id", Uuid),
            column("version", BigInteger),
            column("everything", Boolean),
            name="start",
        )
        .render_derived()
    )
    living = table.c.deleted_at.is_(None)
    above = and_(table.c.scope_id == start.c.scope_id, table.c.version > start.c.version)
    return (
        select(*columns)
        .select_from(table.join(start, above))
        .where(
            or_(living, and_(start.c.version > 0, ~superseded)) if tombstones else living,
            or_(start.c.everything, table.c.author_id == access.account_id),
        )
        .order_by(table.c.updated_at, table.c.scope_id, table.c.version)
    )


def _superseded(table: Table, access: Access, places: Sequence[From]) -> ColumnElement[bool]:
    """That a tombstone's row has gone to another scope from which the same pull brings it."""
    other = table.alias("other")
    everywhere = [place.scope_id for place in places]
    whole = [place.scope_id for place in places if place.everything]
    return exists().where(
        other.c.id == table.c.id,
        other.c.scope_id != table.c.scope_id,
        other.c.scope_id == any_(bindparam("everywhere", everywhere, type_=ARRAY(Uuid))),
        or_(
            other.c.author_id == access.account_id,
            other.c.scope_id == any_(bindparam("whole", whole, type_=ARRAY(Uuid))),
        ),
        or_(other.c.deleted_at.is_(None), other.c.deleted_at > table.c.deleted_at),
    )
