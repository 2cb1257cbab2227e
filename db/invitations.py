"""Invitations by link: open until used, revoked or too old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.rows import AnyRow, AnySelect
from db.tables import invitations, scopes

_SHOWN = (
    invitations.c.id,
    invitations.c.scope_id,
    invitations.c.email,
    invitations.c.role,
    invitations.c.created_by,
    invitations.c.created_at,
    invitations.c.expires_at,
    scopes.c.name,
)


class Place(NamedTuple):
    """Where an invitation stands in the list of its team's."""

    created_at: datetime
    id: UUID


def _open() -> ColumnElement[bool]:
    return and_(invitations.c.accepted_at.is_(None), invitations.c.expires_at > func.now())


async def add(
    connection: AsyncConnection,
    *,
    team_id: UUID,
    invitation_id: UUID,
    email: str,
    email_key: str,
    role: str,
    token_digest: bytes,
    created_by: UUID,
    expires_at: datetime,
) -> None:
    """Keep an invitation; earlier open ones to the same address end."""
    await connection.execute(
        delete(invitations).where(
            invitations.c.scope_id == team_id,
            invitations.c.email_key == email_key,
            invitations.c.accepted_at.is_(None),
        )
    )
    await connection.execute(
        insert(invitations).values(
            scope_id=team_id,
            id=invitation_id,
            email=email,
            email_key=email_key,
            role=role,
            token_digest=token_digest,
            created_by=created_by,
            expires_at=expires_at,
        )
    )


async def count(connection: AsyncConnection, team_id: UUID) -> int:
    """How many invitations of a team are open."""
    total: int = (await connection.execute(counted(team_id))).scalar_one()
    return total


async def by_token(connection: AsyncConnection, token_digest: bytes) -> AnyRow | None:
    """The open invitation of a link."""
    query = select(invitations).where(invitations.c.token_digest == token_digest, _open())
    return (await connection.execute(query)).one_or_none()


async def use(connection: AsyncConnection, team_id: UUID, invitation_id: UUID) -> bool:
    """Use up an invitation; False when it is not open any more."""
    query = (
        update(invitations)
        .where(invitations.c.scope_id == team_id, invitations.c.id == invitation_id, _open())
        .values(accepted_at=func.now())
    )
    return (await connection.execute(query)).rowcount == 1


async def revoke(connection: AsyncConnection, team_id: UUID, invitation_id: UUID) -> AnyRow | None:
    """End an open invitation; the row as it was, None when there is no such open one."""
    query = (
        delete(invitations)
        .where(
            invitations.c.scope_id == team_id,
            invitations.c.id == invitation_id,
            invitations.c.accepted_at.is_(None),
        )
        .returning(*invitations.c)
    )
    return (await connection.execute(query)).one_or_none()


async def end_those_of(connection: AsyncConnection, team_id: UUID, account_id: UUID) -> None:
    """End the open invitations that somebody has made who may not invite any more."""
    await connection.execute(
        delete(invitations).where(
            invitations.c.scope_id == team_id,
            invitations.c.created_by == account_id,
            invitations.c.accepted_at.is_(None),
        )
    )


async def team_of(connection: AsyncConnection, invitation_id: UUID) -> UUID | None:
    """Whose invitation it is."""
    query = select(invitations.c.scope_id).where(invitations.c.id == invitation_id)
    return (await connection.execute(query)).scalar_one_or_none()


def _listed(condition: ColumnElement[bool]) -> AnySelect:
    return (
        select(*_SHOWN)
        .join(scopes, scopes.c.id == invitations.c.scope_id)
        .where(condition, _open())
        .order_by(invitations.c.created_at, invitations.c.id)
    )


async def of_teams(connection: AsyncConnection, team_ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """The open invitations of teams, oldest first."""
    query = _listed(invitations.c.scope_id.in_(list(team_ids)))
    return (await connection.execute(query)).all()


def paged(team_id: UUID, *, limit: int, after: Place | None = None) -> AnySelect:
    """Select the first `limit` open invitations of a team behind a place, oldest first."""
    query = _listed(invitations.c.scope_id == team_id)
    if after is not None:
        query = query.where(tuple_(invitations.c.created_at, invitations.c.id) > tuple_(*after))
    return query.limit(limit)


def counted(team_id: UUID) -> AnySelect:
    """Select how many invitations of a team are open."""
    open_ones = select(func.count()).select_from(invitations)
    return open_ones.where(invitations.c.scope_id == team_id, _open())


async def to(connection: AsyncConnection, email_key: str, limit: int) -> Sequence[AnyRow]:
    """The open invitations to an address, oldest first."""
    query = _listed(invitations.c.email_key == email_key).where(scopes.c.deleted_at.is_(None))
    return (await connection.execute(query.limit(limit))).all()
