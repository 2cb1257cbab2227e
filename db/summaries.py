"""Rows of session summaries, which the Cloud API's clients push; shared with a team or private."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select, text, tuple_, update

from db.engine import Connection
from db.log import From, starting_places
from db.rows import AnyRow, AnySelect, to_json
from db.scope import Access, in_scopes, mine_or_team, scoped
from db.tables import summaries

COLUMNS = tuple(
    summaries.c[name]
    for name in (
        "id",
        "scope_id",
        "author_id",
        "session_id",
        "project",
        "summary",
        "version",
        "created_at",
        "updated_at",
    )
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which summaries a list is about."""

    team_id: UUID | None = None
    project: str | None = None
    session_id: str | None = None
    author_id: UUID | None = None
    since: datetime | None = None
    """Only what was saved at this instant or later."""
    until: datetime | None = None
    """Only what was saved before this instant."""


@dataclass(frozen=True, slots=True)
class Keyset:
    """A place in the order last changed first."""

    updated_at: datetime
    id: UUID


def _listed(access: Access, wanted: Filter, *columns: Any) -> AnySelect:
    query = scoped(summaries, access, *columns)
    query = query.where(mine_or_team(summaries, access, wanted.team_id))
    if wanted.project is not None:
        query = query.where(summaries.c.project == wanted.project)
    if wanted.session_id is not None:
        query = query.where(summaries.c.session_id == wanted.session_id)
    if wanted.author_id is not None:
        query = query.where(summaries.c.author_id == wanted.author_id)
    if wanted.since is not None:
        query = query.where(summaries.c.updated_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(summaries.c.updated_at < wanted.until)
    return query


async def page(
    connection: Connection,
    access: Access,
    wanted: Filter,
    *,
    limit: int,
    offset: int = 0,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> Sequence[AnyRow]:
    """Summaries, last changed first; `backward` takes the last `limit` of the range instead."""
    place = tuple_(summaries.c.updated_at, summaries.c.id)
    query = _listed(access, wanted, *COLUMNS)
    if after is not None:
        query = query.where(place < tuple_(after.updated_at, after.id))
    if before is not None:
        query = query.where(place > tuple_(before.updated_at, before.id))
    order = (summaries.c.updated_at, summaries.c.id)
    query = query.order_by(*(order if backward else (column.desc() for column in order)))
    rows = (await connection.execute(query.limit(limit).offset(offset))).all()
    return list(reversed(rows)) if backward else rows


async def by_ids(connection: Connection, access: Access, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Those of the summaries that the caller may read, in no particular order."""
    query = scoped(summaries, access, *COLUMNS).where(summaries.c.id.in_(list(ids)))
    return (await connection.execute(query)).all()


async def count(connection: Connection, access: Access, wanted: Filter) -> int:
    """How many summaries the list has in all."""
    query = _listed(access, wanted, func.count())
    total: int = (await connection.execute(query)).scalar_one()
    return total


async def by_session(connection: Connection, access: Access, session_id: str) -> AnyRow | None:
    """The summary of a session: the caller's own before a team-mate's, the newest of several."""
    query = (
        scoped(summaries, access, *COLUMNS)
        .where(summaries.c.session_id == session_id)
        .order_by(
            (summaries.c.author_id == access.account_id).desc(), summaries.c.updated_at.desc()
        )
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


async def scopes_of(
    connection: Connection, access: Access, session_ids: Sequence[str]
) -> dict[str, UUID]:
    """Where the caller's own summaries of these sessions live now; `{session_id: scope_id}`."""
    query = select(summaries.c.session_id, summaries.c.scope_id).where(
        in_scopes(summaries, access.scopes),
        summaries.c.author_id == access.account_id,
        summaries.c.session_id.in_(list(session_ids)),
        summaries.c.deleted_at.is_(None),
    )
    return {row.session_id: row.scope_id for row in await connection.execute(query)}


_UPSERT = text(
    """
    INSERT INTO summaries (scope_id, id, author_id, session_id, project, summary, version,
                           created_at, updated_at)
    SELECT r.scope_id, r.id, :author_id, r.session_id, r.project, r.summary, r.version, r.at, r.at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        scope_id uuid, id uuid, session_id text, project text, summary jsonb, version bigint,
        at timestamptz)
    ON CONFLICT (scope_id, author_id, session_id) WHERE deleted_at IS NULL DO UPDATE
    SET project = coalesce(excluded.project, summaries.project), summary = excluded.summary,
        version = excluded.version, updated_at = excluded.updated_at
    RETURNING id, scope_id, version, (xmax = 0) AS inserted
    """
).bindparams(bindparam("author_id", type_=Uuid))


async def upsert(
    connection: Connection, author_id: UUID, rows: Sequence[Mapping[str, Any]]
) -> Sequence[AnyRow]:
    """Insert or replace; `id, scope_id, version, inserted` of each. One row a session and scope."""
    encoded = to_json(rows)
    return (await connection.execute(_UPSERT, {"author_id": author_id, "rows": encoded})).all()


async def bury(
    connection: Connection,
    author_id: UUID,
    scope_id: UUID,
    session_id: str,
    version: int,
    at: datetime,
) -> UUID | None:
    """Leave a tombstone where a summary was moved away from; its id, None when it is gone."""
    query = (
        update(summaries)
        .where(
            summaries.c.scope_id == scope_id,
            summaries.c.author_id == author_id,
            summaries.c.session_id == session_id,
            summaries.c.deleted_at.is_(None),
        )
        .values(deleted_at=at, updated_at=at, version=version, summary={}, project=None)
        .returning(summaries.c.id)
    )
    buried: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    return buried


async def changes(
    connection: Connection,
    access: Access,
    places: Sequence[From],
    limit: int,
    *,
    tombstones: bool,
) -> Sequence[AnyRow]:
    """Summaries changed above the given places; see `db.log.starting_places`."""
    columns = (*COLUMNS, summaries.c.deleted_at)
    query = starting_places(summaries, columns, access, places, tombstones=tombstones)
    return (await connection.execute(query.limit(limit))).all()
