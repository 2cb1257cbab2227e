"""Rows of session summaries, which the Cloud API's clients push; shared with a team or private."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select, text, update

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


def _listed(access: Access, wanted: Filter, *columns: Any) -> AnySelect:
    query = scoped(summaries, access, *columns)
    query = query.where(mine_or_team(summaries, access, wanted.team_id))
    return query if wanted.project is None else query.where(summaries.c.project == wanted.project)


async def page(
    connection: Connection, access: Access, wanted: Filter, limit: int, offset: int
) -> Sequence[AnyRow]:
    """Summaries, last changed first."""
    query = _listed(access, wanted, *COLUMNS).order_by(
        summaries.c.updated_at.desc(), summaries.c.id.desc()
    )
    return (await connection.execute(query.limit(limit).offset(offset))).all()


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
