"""Rows of knowledge: one statement an operation, each limited to what the caller may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Uuid,
    bindparam,
    exists,
    false,
    insert,
    or_,
    select,
    text,
    update,
)

from db.engine import Connection, translated
from db.log import From, starting_places
from db.rows import AnyRow, AnySelect, to_json
from db.scope import Access, scoped
from db.tables import knowledge

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
        "pinned_at",
    )
)


def readable(access: Access) -> AnySelect:
    """Select the entries that the caller may read."""
    return scoped(knowledge, access, *COLUMNS)


async def by_ids(connection: Connection, access: Access, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Those of the entries that the caller may read, in no particular order."""
    query = readable(access).where(knowledge.c.id.in_(list(ids)))
    return (await connection.execute(query)).all()


_UPSERT = text(
    """
    INSERT INTO knowledge (scope_id, id, author_id, type, timestamp, summary, project, session_id,
                           details, tags, related_files, sameness, version, created_at, updated_at,
                           indexed)
    SELECT :scope_id, gen_random_uuid(), :author_id, r.type, r.timestamp, r.summary, r.project,
           r.session_id, r.details, r.tags, r.related_files, decode(r.sameness, 'hex'), r.version,
           :at, :at, :indexed
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        type text, timestamp bigint, summary text, project text, session_id text,
        details text, tags text[], related_files text[], sameness text, version bigint)
    ORDER BY r.version
    ON CONFLICT (scope_id, author_id, sameness) WHERE deleted_at IS NULL DO UPDATE
    SET timestamp = excluded.timestamp, details = excluded.details, tags = excluded.tags,
        related_files = excluded.related_files, version = excluded.version,
        updated_at = excluded.updated_at, indexed = excluded.indexed
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
    *,
    indexed: bool = True,
) -> Sequence[AnyRow]:
    """Insert entries; one that the author has there already is brought up to date when newer.

    Unless `indexed`, the search columns stay empty until `db.indexing` fills them.
    `rows` must hold no two of the same `sameness` (hex). Returns `id, version, inserted` of each
    row that was written; the ones left out are stored already.
    """
    values = {"scope_id": scope_id, "author_id": author_id, "at": at, "indexed": indexed}
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
    """An entry that the caller wrote and deleted last; None for one that lives elsewhere now."""
    living = knowledge.alias("living")
    query = (
        select(*COLUMNS)
        .where(
            knowledge.c.scope_id.in_(access.scopes),
            knowledge.c.id == entry_id,
            knowledge.c.author_id == access.account_id,
            knowledge.c.deleted_at.is_not(None),
            knowledge.c.summary != "",  # else a place that it has left, where nothing stayed
            ~exists().where(living.c.id == entry_id, living.c.deleted_at.is_(None)),
        )
        .order_by(knowledge.c.deleted_at.desc())
        .limit(1)
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


_LEFT_BEHIND: dict[str, Any] = {
    "summary": "", "details": None, "project": None, "session_id": None, "tags": [],
    "related_files": [], "pinned_at": None,
}  # fmt: skip


async def leave(
    connection: Connection, scope_id: UUID, entry_id: UUID, version: int, at: datetime
) -> None:
    """Make a tombstone of an entry that moves away; nothing of what it said stays in the scope."""
    stamps = {"version": version, "updated_at": at, "deleted_at": at}
    place = (knowledge.c.scope_id == scope_id, knowledge.c.id == entry_id)
    await connection.execute(update(knowledge).where(*place).values(**_LEFT_BEHIND, **stamps))


async def arrive(
    connection: Connection, scope_id: UUID, entry: Mapping[str, Any], version: int, at: datetime
) -> AnyRow:
    """Store an entry that moves here under its own id, over the tombstone of an earlier stay.

    Raises DuplicateError when its author has an equal one here.
    """
    values = {**entry, "scope_id": scope_id, "version": version, "updated_at": at}
    values |= {"pinned_at": None, "deleted_at": None}
    with translated():
        gone = (knowledge.c.scope_id == scope_id, knowledge.c.id == entry["id"])
        again = update(knowledge).where(*gone).values(**values).returning(*COLUMNS)
        row = (await connection.execute(again)).one_or_none()
        if row is None:
            fresh = insert(knowledge).values(**values).returning(*COLUMNS)
            row = (await connection.execute(fresh)).one()
    return row


async def whole(connection: Connection, access: Access, entry_id: UUID) -> AnyRow | None:
    """A living entry, with its `sameness` as the last column."""
    query = scoped(knowledge, access, *COLUMNS, knowledge.c.sameness)
    return (await connection.execute(query.where(knowledge.c.id == entry_id))).one_or_none()


async def changes(
    connection: Connection, access: Access, places: Sequence[From], limit: int, *, tombstones: bool
) -> Sequence[AnyRow]:
    """Entries changed above the given places; see `db.log.starting_places`.

    The tombstone of an entry that has moved to where this very pull reads it is left out: it
    could come behind the entry, and the entry would be lost.
    """
    columns = (*COLUMNS, knowledge.c.deleted_at)
    query = starting_places(knowledge, columns, access, places, tombstones=tombstones)
    if tombstones:
        here = knowledge.alias("here")
        whole_scopes = [place.scope_id for place in places if place.everything]
        moved = exists().where(
            here.c.id == knowledge.c.id,
            here.c.scope_id.in_(access.scopes),
            here.c.deleted_at.is_(None),
            or_(
                here.c.author_id == access.account_id,
                here.c.scope_id.in_(whole_scopes) if whole_scopes else false(),
            ),
        )
        query = query.where(or_(knowledge.c.deleted_at.is_(None), ~moved))
    return (await connection.execute(query.limit(limit))).all()
