"""Rows of knowledge: one statement an operation, each limited to what the caller may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Uuid,
    bindparam,
    func,
    select,
    text,
    tuple_,
    update,
)

from db.engine import Connection, translated
from db.log import From, starting_places
from db.rows import AnyRow, AnySelect, to_json
from db.scope import Access, mine_or_team, scoped
from db.tables import knowledge
from db.words import words_query

COLUMNS = tuple(
    knowledge.c[name]
    for name in (
        "id",
        "scope_id",
        "author_id",
        "type",
        "timestamp",
        "summary",
        "project",
        "session_id",
        "details",
        "tags",
        "related_files",
        "version",
        "created_at",
        "updated_at",
    )
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries a list is about; every field narrows it."""

    team_id: UUID | None = None
    project: str | None = None
    type: str | None = None
    author_id: UUID | None = None
    tags: tuple[str, ...] = ()
    only_team: bool = False
    """Only what lives in the team's scope, without the caller's own entries elsewhere."""


@dataclass(frozen=True, slots=True)
class Keyset:
    """A place in the order newest `timestamp` first."""

    timestamp: int
    id: UUID


def _listed(access: Access, wanted: Filter, *columns: ColumnElement[Any]) -> AnySelect:
    query = scoped(knowledge, access, *columns)
    if wanted.only_team and wanted.team_id is not None:
        query = query.where(knowledge.c.scope_id == wanted.team_id)
    else:
        query = query.where(mine_or_team(knowledge, access, wanted.team_id))
    if wanted.project is not None:
        query = query.where(knowledge.c.project == wanted.project)
    if wanted.type is not None:
        query = query.where(knowledge.c.type == wanted.type)
    if wanted.author_id is not None:
        query = query.where(knowledge.c.author_id == wanted.author_id)
    if wanted.tags:
        query = query.where(knowledge.c.tags.contains(list(wanted.tags)))
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
    """Entries, newest timestamp first; `backward` takes the last `limit` of the range instead."""
    place = tuple_(knowledge.c.timestamp, knowledge.c.id)
    query = _listed(access, wanted, *COLUMNS)
    if after is not None:
        query = query.where(place < tuple_(after.timestamp, after.id))
    if before is not None:
        query = query.where(place > tuple_(before.timestamp, before.id))
    order = (knowledge.c.timestamp, knowledge.c.id)
    query = query.order_by(*(order if backward else (column.desc() for column in order)))
    rows = (await connection.execute(query.limit(limit).offset(offset))).all()
    return list(reversed(rows)) if backward else rows


async def count(connection: Connection, access: Access, wanted: Filter) -> int:
    """How many entries the list has in all."""
    query = _listed(access, wanted, func.count())
    total: int = (await connection.execute(query)).scalar_one()
    return total


async def search(
    connection: Connection, access: Access, words: str, wanted: Filter, limit: int, offset: int
) -> tuple[Sequence[AnyRow], int]:
    """Matches, best first, each with `rank` as its last column; and how many there are."""
    query = words_query(words)
    matches = knowledge.c.search.op("@@")(query)
    rank = func.ts_rank_cd(knowledge.c.search, query).label("rank")
    found = _listed(access, wanted, *COLUMNS, rank).where(matches)
    found = found.order_by(rank.desc(), knowledge.c.timestamp.desc(), knowledge.c.id.desc())
    rows = (await connection.execute(found.limit(limit).offset(offset))).all()
    total = await connection.execute(_listed(access, wanted, func.count()).where(matches))
    return rows, total.scalar_one()


async def by_ids(connection: Connection, access: Access, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Those of the entries that the caller may read, in no particular order."""
    query = scoped(knowledge, access, *COLUMNS).where(knowledge.c.id.in_(list(ids)))
    return (await connection.execute(query)).all()


_UPSERT = text(
    """
    INSERT INTO knowledge (scope_id, id, author_id, type, timestamp, summary, project, session_id,
                           details, tags, related_files, sameness, version, created_at, updated_at)
    SELECT :scope_id, r.id, :author_id, r.type, r.timestamp, r.summary, r.project, r.session_id,
           r.details, r.tags, r.related_files, decode(r.sameness, 'hex'), r.version, :at, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        id uuid, type text, timestamp bigint, summary text, project text, session_id text,
        details text, tags text[], related_files text[], sameness text, version bigint)
    ORDER BY r.version
    ON CONFLICT (scope_id, author_id, sameness) WHERE deleted_at IS NULL DO UPDATE
    SET timestamp = excluded.timestamp, details = excluded.details, tags = excluded.tags,
        related_files = excluded.related_files, version = excluded.version,
        updated_at = excluded.updated_at
    WHERE knowledge.timestamp < excluded.timestamp
    RETURNING id, version, (xmax = 0) AS inserted
    """
).bindparams(bindparam("scope_id", type_=Uuid), bindparam("author_id", type_=Uuid))


async def upsert(
    connection: Connection,
    scope_id: UUID,
    author_id: UUID,
    at: datetime,
    rows: Sequence[Mapping[str, Any]],
) -> Sequence[AnyRow]:
    """Insert entries; one that the author has there already is brought up to date when newer.

    `rows` must hold no two of the same `sameness` (hex). Returns `id, version, inserted` of each
    row that was written; the ones left out are stored already.
    """
    values = {"scope_id": scope_id, "author_id": author_id, "at": at}
    encoded = to_json(rows)
    return (await connection.execute(_UPSERT, {**values, "rows": encoded})).all()


async def same(connection: Connection, scope_id: UUID, author_id: UUID, sameness: bytes) -> AnyRow:
    """The author's living entry of that sameness in the scope."""
    query = select(*COLUMNS).where(
        knowledge.c.scope_id == scope_id,
        knowledge.c.author_id == author_id,
        knowledge.c.sameness == sameness,
        knowledge.c.deleted_at.is_(None),
    )
    return (await connection.execute(query)).one()


async def change(
    connection: Connection, scope_id: UUID, entry_id: UUID, values: Mapping[str, Any]
) -> AnyRow | None:
    """Change a living entry; the row as it is now, None when it is gone.

    Raises DuplicateError when the author has the same entry already.
    """
    query = (
        update(knowledge)
        .where(
            knowledge.c.scope_id == scope_id,
            knowledge.c.id == entry_id,
            knowledge.c.deleted_at.is_(None),
        )
        .values(**values)
        .returning(*COLUMNS)
    )
    with translated():
        return (await connection.execute(query)).one_or_none()


async def deleted_by(connection: Connection, access: Access, entry_id: UUID) -> AnyRow | None:
    """A deleted entry that the caller wrote: `scope_id` and its columns."""
    query = select(*COLUMNS).where(
        knowledge.c.scope_id.in_(access.scopes),
        knowledge.c.id == entry_id,
        knowledge.c.author_id == access.account_id,
        knowledge.c.deleted_at.is_not(None),
    )
    return (await connection.execute(query)).one_or_none()


async def undelete(
    connection: Connection, scope_id: UUID, entry_id: UUID, version: int, at: datetime
) -> AnyRow | None:
    """Bring a deleted entry back. Raises DuplicateError when an equal one was made meanwhile."""
    query = (
        update(knowledge)
        .where(
            knowledge.c.scope_id == scope_id,
            knowledge.c.id == entry_id,
            knowledge.c.deleted_at.is_not(None),
        )
        .values(deleted_at=None, version=version, updated_at=at)
        .returning(*COLUMNS)
    )
    with translated():
        return (await connection.execute(query)).one_or_none()


async def changes(
    connection: Connection, access: Access, places: Sequence[From], limit: int, *, tombstones: bool
) -> Sequence[AnyRow]:
    """Entries changed above the given places; see `db.log.starting_places`."""
    columns = (*COLUMNS, knowledge.c.deleted_at)
    query = starting_places(knowledge, columns, access, places, tombstones=tombstones)
    return (await connection.execute(query.limit(limit))).all()
