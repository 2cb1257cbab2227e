"""Public keys of members: every one that an account ever set stays, the newest counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, insert, or_, select

from db.engine import Connection
from db.rows import AnyRow
from db.scope import Access, in_scopes
from db.tables import (
    encryptions,
    key_epochs,
    memberships,
    public_keys,
    scopes,
    sealed_entries,
)

COLUMNS = tuple(public_keys.c)


async def newest_number(connection: Connection, account_id: UUID) -> int:
    """The number of the account's newest keys; 0 when it has none."""
    query = select(func.max(public_keys.c.number)).where(public_keys.c.account_id == account_id)
    return (await connection.execute(query)).scalar_one() or 0


async def add(connection: Connection, values: Mapping[str, Any]) -> AnyRow:
    """Store keys under their number. Raises DuplicateError through the caller's transaction."""
    query = insert(public_keys).values(**values).returning(*COLUMNS)
    return (await connection.execute(query)).one()


async def of_people(
    connection: Connection, access: Access, account_ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """All keys of those among the accounts whom the caller has to do with, newest first.

    That is who shares a scope with it, or has made an epoch or a sealed entry in one of its scopes.
    """
    together = (
        select(memberships.c.account_id)
        .where(
            in_scopes(memberships, access.scopes),
            memberships.c.account_id == public_keys.c.account_id,
        )
        .exists()
    )
    makes = exists().where(
        in_scopes(key_epochs, access.scopes), key_epochs.c.created_by == public_keys.c.account_id
    )
    writes = exists().where(
        in_scopes(sealed_entries, access.scopes),
        sealed_entries.c.author_id == public_keys.c.account_id,
    )
    query = (
        select(*COLUMNS)
        .where(public_keys.c.account_id.in_(list(account_ids)), or_(together, makes, writes))
        .order_by(public_keys.c.account_id, public_keys.c.number.desc())
    )
    return (await connection.execute(query)).all()


async def newest_of_members(connection: Connection, team_id: UUID) -> dict[UUID, int]:
    """For each member of a team that has keys, the number of its newest."""
    query = (
        select(memberships.c.account_id, func.max(public_keys.c.number).label("number"))
        .join(public_keys, public_keys.c.account_id == memberships.c.account_id)
        .where(memberships.c.scope_id == team_id)
        .group_by(memberships.c.account_id)
    )
    return {row.account_id: row.number for row in await connection.execute(query)}


async def encrypted_teams_of(connection: Connection, account_id: UUID) -> list[UUID]:
    """The encrypted teams that an account belongs to."""
    query = (
        select(encryptions.c.scope_id)
        .join(memberships, memberships.c.scope_id == encryptions.c.scope_id)
        .join(scopes, scopes.c.id == encryptions.c.scope_id)
        .where(memberships.c.account_id == account_id, scopes.c.deleted_at.is_(None))
    )
    return list((await connection.execute(query)).scalars())
