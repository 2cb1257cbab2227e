"""Teams (scopes with members), memberships and invitations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import translated
from db.rows import AnyRow
from db.scope import Access
from db.tables import accounts, invitations, memberships, scopes


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


async def of(connection: AsyncConnection, access: Access) -> Sequence[AnyRow]:
    """`id, name, owner_id, created_at, role` of each team the caller belongs to, oldest first."""
    query = (
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
        .order_by(scopes.c.created_at, scopes.c.id)
    )
    return (await connection.execute(query)).all()


async def members(
    connection: AsyncConnection, access: Access, team_ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """`scope_id, id, email, username, role, joined_at` of the teams' members, first come first.

    Teams that the caller does not belong to have none.
    """
    readable = [team for team in team_ids if team in set(access.scopes)]
    query = (
        select(
            memberships.c.scope_id,
            accounts.c.id,
            accounts.c.email,
            accounts.c.username,
            memberships.c.role,
            memberships.c.joined_at,
        )
        .join(accounts, accounts.c.id == memberships.c.account_id)
        .where(memberships.c.scope_id.in_(readable))
        .order_by(memberships.c.joined_at, accounts.c.id)
    )
    return (await connection.execute(query)).all()


async def add_member(
    connection: AsyncConnection, team_id: UUID, account_id: UUID, role: str
) -> None:
    """Let an account into a team. Raises DuplicateError when it is in already."""
    with translated():
        await connection.execute(
            insert(memberships).values(scope_id=team_id, account_id=account_id, role=role)
        )


async def role_of(connection: AsyncConnection, team_id: UUID, account_id: UUID) -> str | None:
    """The role that an account has in a team at this moment."""
    query = select(memberships.c.role).where(
        memberships.c.scope_id == team_id, memberships.c.account_id == account_id
    )
    return (await connection.execute(query)).scalar_one_or_none()


async def remove_member(connection: AsyncConnection, team_id: UUID, account_id: UUID) -> bool:
    """End a membership; False when there was none."""
    query = delete(memberships).where(
        memberships.c.scope_id == team_id, memberships.c.account_id == account_id
    )
    return (await connection.execute(query)).rowcount == 1


async def rename(connection: AsyncConnection, team_id: UUID, name: str) -> None:
    """Give a team another name."""
    await connection.execute(update(scopes).where(scopes.c.id == team_id).values(name=name))


async def invite(
    connection: AsyncConnection,
    *,
    team_id: UUID,
    invitation_id: UUID,
    email: str,
    email_key: str,
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
            token_digest=token_digest,
            created_by=created_by,
            expires_at=expires_at,
        )
    )


async def claim_invitation(connection: AsyncConnection, token_digest: bytes) -> AnyRow | None:
    """Use up an invitation: the row when it was open and in time, else None."""
    query = (
        update(invitations)
        .where(
            invitations.c.token_digest == token_digest,
            invitations.c.accepted_at.is_(None),
            invitations.c.expires_at > func.now(),
        )
        .values(accepted_at=func.now())
        .returning(*invitations.c)
    )
    return (await connection.execute(query)).one_or_none()
