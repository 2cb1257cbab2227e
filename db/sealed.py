"""Sealed entries: what members of an encrypted team keep, which only they can open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    and_,
    cast,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.scope import Access, scoped
from db.tables import sealed_entries

COLUMNS = tuple(
    sealed_entries.c[name]
    for name in (
        "id",
        "scope_id",
        "author_id",
        "kind",
        "epoch",
        "revision",
        "nonce",
        "ciphertext",
        "version",
        "created_at",
        "updated_at",
    )
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sealed entries of a team a list is about."""

    team_id: UUID
    kind: str | None = None
    tokens: tuple[tuple[int, tuple[bytes, ...]], ...] | None = None
    """For each epoch the tokens that an entry of it must have, all of them; None for any entry."""


def _listed(access: Access, wanted: Filter, *columns: ColumnElement[Any]) -> AnySelect:
    query = scoped(sealed_entries, access, *columns, within=wanted.team_id)
    if wanted.kind is not None:
        query = query.where(sealed_entries.c.kind == wanted.kind)
    if wanted.tokens is not None:
        query = query.where(or_(false(), *(_has(epoch, t) for epoch, t in wanted.tokens)))
    return query


def _has(epoch: int, tokens: Sequence[bytes]) -> ColumnElement[bool]:
    asked = cast(list(tokens), ARRAY(LargeBinary))
    return and_(sealed_entries.c.epoch == epoch, sealed_entries.c.tokens.contains(asked))


async def page(
    connection: Connection,
    access: Access,
    wanted: Filter,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    backward: bool = False,
) -> Sequence[AnyRow]:
    """Entries, last changed first, between two versions; `backward` takes the last `limit`."""
    version = sealed_entries.c.version
    query = _listed(access, wanted, *COLUMNS)
    if after is not None:
        query = query.where(version < after)
    if before is not None:
        query = query.where(version > before)
    query = query.order_by(version if backward else version.desc()).limit(limit)
    rows = (await connection.execute(query)).all()
    return list(reversed(rows)) if backward else rows


async def count(connection: Connection, access: Access, wanted: Filter) -> int:
    """How many entries the list has in all."""
    query = _listed(access, wanted, func.count())
    return int((await connection.execute(query)).scalar_one())


async def by_ids(connection: Connection, access: Access, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Those of the entries that the caller may read, in no particular order."""
    query = scoped(sealed_entries, access, *COLUMNS).where(sealed_entries.c.id.in_(list(ids)))
    return (await connection.execute(query)).all()


async def stored(connection: Connection, scope_id: UUID, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """What a team has under these ids, tombstones included; `deleted_at` is the last column."""
    query = select(*COLUMNS, sealed_entries.c.deleted_at).where(
        sealed_entries.c.scope_id == scope_id, sealed_entries.c.id.in_(list(ids))
    )
    return (await connection.execute(query)).all()


async def put(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[AnyRow]:
    """Store new entries, and new revisions over the ones before; the rows as they are now.

    The caller holds the scope's lock and has compared authors and revisions.
    """
    if not rows:
        return []
    query = insert(sealed_entries).values(list(rows))
    kept = {"scope_id", "id", "author_id", "kind", "created_at", "deleted_at"}
    changed = {c.name: query.excluded[c.name] for c in sealed_entries.c if c.name not in kept}
    query = query.on_conflict_do_update(index_elements=["scope_id", "id"], set_=changed)
    return (await connection.execute(query.returning(*COLUMNS))).all()


async def bury(
    connection: Connection, scope_id: UUID, entry_id: UUID, version: int, at: datetime
) -> bool:
    """Leave a tombstone without ciphertext and tokens; False when the entry is gone already."""
    nothing = {"ciphertext": b"", "nonce": b"", "tokens": []}
    query = (
        update(sealed_entries)
        .where(
            sealed_entries.c.scope_id == scope_id,
            sealed_entries.c.id == entry_id,
            sealed_entries.c.deleted_at.is_(None),
        )
        .values(**nothing, deleted_at=at, updated_at=at, version=version)
    )
    return (await connection.execute(query)).rowcount == 1
