"""Teams (scopes with members) and memberships."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    TextClause,
    case,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import translated
from db.rows import AnyRow, AnySelect
from db.scope import Access, in_scope, in_scopes
from db.tables import (
    accounts,
    invitations,
    knowledge,
    memberships,
    scopes,
    sealed_entries,
    sessions,
    summaries,
)

_CONTENTS = (knowledge, summaries, sessions, sealed_entries)


async def create(connection: AsyncConnection, team_id: UUID, name: str, owner_id: UUID) -> datetime:
    """Create a team's scope with its owner as the first member; returns when."""
    query = (
        insert(scopes)
        .values(id=team_id, kind="team", name=name, owner_id=owner_id)
        .returning(scopes.c.created_at)
    )
    created_at: datetime = (await connection.execute(query)).scalar_one()
    await connection.execute(
        insert(memberships).values(scope_id=team_id, account_id=owner_id, role="owner")
    )
    return created_at


def mine(access: Access) -> AnySelect:
    """Select `id, name, owner_id, created_at, role` of each team that the caller belongs to."""
    return (
        select(
            scopes.c.id,
            scopes.c.name,
            scopes.c.owner_id,
            scopes.c.created_at,
            memberships.c.role,
        )
        .join(memberships, memberships.c.scope_id == scopes.c.id)
        .where(
            memberships.c.account_id == access.account_id,
            scopes.c.kind == "team",
            scopes.c.deleted_at.is_(None),
        )
    )


async def of(connection: AsyncConnection, access: Access) -> Sequence[AnyRow]:
    """`id, name, owner_id, created_at, role` of each team the caller belongs to, oldest first."""
    query = mine(access).order_by(scopes.c.created_at, scopes.c.id)
    return (await connection.execute(query)).all()


def roster(access: Access, *more: ColumnElement[Any], team_id: UUID | None = None) -> AnySelect:
    """Select `scope_id, id, email, username, role, joined_at` (and `more`) of the members of all
    scopes that the caller may read, or of the one named."""
    if team_id is None:
        readable = in_scopes(memberships, access.scopes)
    else:
        readable = in_scope(memberships, access, team_id)
    return (
        select(
            memberships.c.scope_id,
            accounts.c.id,
            accounts.c.email,
            accounts.c.username,
            memberships.c.role,
            memberships.c.joined_at,
            *more,
        )
        .join(accounts, accounts.c.id == memberships.c.account_id)
        .where(readable)
    )


async def members(
    connection: AsyncConnection, access: Access, team_ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """`scope_id, id, email, username, role, joined_at` of the teams' members, first come first.

    Teams that the caller does not belong to have none.
    """
    query = (
        roster(access)
        .where(memberships.c.scope_id.in_(list(team_ids)))
        .order_by(memberships.c.joined_at, accounts.c.id)
    )
    return (await connection.execute(query)).all()


_MICROSECONDS = cast(func.extract("epoch", memberships.c.joined_at) * 1_000_000, BigInteger)
_RANK = case({"owner": 0, "admin": 1, "member": 2, "viewer": 3}, value=memberships.c.role)
RANK_BITS = 52
"""More than the microseconds since 1970 take for a century to come."""
_NUMBERS: dict[str, ColumnElement[int]] = {
    "oldest": _MICROSECONDS,
    "newest": -_MICROSECONDS,
    "role": cast(_RANK, BigInteger) * (1 << RANK_BITS) + _MICROSECONDS,
}


def member_number(order: str) -> ColumnElement[int]:
    """The number that members are in order by: first come first, last come first, or by role."""
    return _NUMBERS[order]


async def add_member(
    connection: AsyncConnection, team_id: UUID, account_id: UUID, role: str
) -> None:
    """Let an account into a team. Raises DuplicateError when it is in already."""
    with translated():
        await connection.execute(
            insert(memberships).values(scope_id=team_id, account_id=account_id, role=role)
        )


async def remove_member(connection: AsyncConnection, team_id: UUID, account_id: UUID) -> bool:
    """End a membership; False when there was none."""
    query = delete(memberships).where(
        memberships.c.scope_id == team_id, memberships.c.account_id == account_id
    )
    return (await connection.execute(query)).rowcount == 1


async def rename(connection: AsyncConnection, team_id: UUID, name: str) -> str:
    """Give a team another name; returns the former one. The caller holds the scope's lock."""
    former = select(scopes.c.name).where(scopes.c.id == team_id)
    name_so_far: str = (await connection.execute(former)).scalar_one()
    await connection.execute(update(scopes).where(scopes.c.id == team_id).values(name=name))
    return name_so_far


async def change_role(
    connection: AsyncConnection, team_id: UUID, account_id: UUID, role: str
) -> None:
    """Give a member another role."""
    await connection.execute(
        update(memberships)
        .where(memberships.c.scope_id == team_id, memberships.c.account_id == account_id)
        .values(role=role)
    )


async def change_owner(connection: AsyncConnection, team_id: UUID, account_id: UUID) -> None:
    """Note whose the team is; the roles are another matter."""
    await connection.execute(
        update(scopes).where(scopes.c.id == team_id).values(owner_id=account_id)
    )


async def one(connection: AsyncConnection, access: Access, team_id: UUID) -> AnyRow | None:
    """As `of`, a single team."""
    found = await of(connection, access)
    return next((row for row in found if row.id == team_id), None)


async def delete_team(connection: AsyncConnection, team_id: UUID) -> None:
    """End a team for all; its invitations go. Memberships stay, to tell whose copies are stale."""
    await connection.execute(
        update(scopes).where(scopes.c.id == team_id).values(deleted_at=func.clock_timestamp())
    )
    await connection.execute(delete(invitations).where(invitations.c.scope_id == team_id))


async def bury_contents(connection: AsyncConnection, team_id: UUID, limit: int) -> bool:
    """Turn what lives in a team into tombstones, each with a version of its own.

    Takes up to `limit` rows, and returns whether there may be more.
    """
    for table in _CONTENTS:
        done = await connection.execute(_bury(table), {"team": team_id, "limit": limit})
        limit -= done.rowcount
        if limit <= 0:
            return True
    return False


def _bury(table: Table) -> TextClause:
    return text(
        f"""
        WITH living AS (
            SELECT id, row_number() OVER (ORDER BY version) AS n
            FROM (
                SELECT id, version FROM {table.name}
                WHERE scope_id = :team AND deleted_at IS NULL ORDER BY version LIMIT :limit
            ) AS oldest
        ), scope AS (
            UPDATE scopes SET head = head + (SELECT count(*) FROM living) WHERE id = :team
            RETURNING head, head_at
        )
        UPDATE {table.name} t
        SET deleted_at = s.head_at, updated_at = s.head_at,
            version = s.head - (SELECT count(*) FROM living) + l.n
        FROM living l, scope s WHERE t.scope_id = :team AND t.id = l.id
        """  # noqa: S608 - the interpolated part is a declared table's name
    )


async def left_behind(
    connection: AsyncConnection, account_id: UUID, scope_ids: Sequence[UUID]
) -> list[UUID]:
    """Those of the scopes that are deleted teams and that the account was in to the end."""
    query = (
        select(scopes.c.id)
        .join(memberships, memberships.c.scope_id == scopes.c.id)
        .where(
            scopes.c.id.in_(list(scope_ids)),
            scopes.c.deleted_at.is_not(None),
            memberships.c.account_id == account_id,
        )
    )
    return list((await connection.execute(query)).scalars())
