"""Accounts, their API keys and the scopes they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.rows import AnyRow, AnySelect
from db.tables import accounts, api_keys, memberships, scopes


async def create(
    connection: AsyncConnection, account_id: UUID, name: str, values: Mapping[str, Any]
) -> datetime:
    """Create an account with its own scope, of which it is the owner; returns when.

    Raises DuplicateError when the e-mail address or the username is taken.
    """
    await connection.execute(
        insert(scopes).values(id=account_id, kind="person", name=name, owner_id=account_id)
    )
    query = insert(accounts).values(id=account_id, **values).returning(accounts.c.created_at)
    created_at: datetime = (await connection.execute(query)).scalar_one()
    await connection.execute(
        insert(memberships).values(scope_id=account_id, account_id=account_id, role="owner")
    )
    return created_at


async def add_key(
    connection: AsyncConnection,
    key_id: UUID,
    account_id: UUID,
    digest: bytes,
    prefix: str,
    label: str,
) -> datetime:
    """Keep a new API key's digest; returns when."""
    query = (
        insert(api_keys)
        .values(id=key_id, account_id=account_id, digest=digest, prefix=prefix, label=label)
        .returning(api_keys.c.created_at)
    )
    created_at: datetime = (await connection.execute(query)).scalar_one()
    return created_at


async def by_email(connection: AsyncConnection, email_key: str) -> AnyRow | None:
    """The account with that normalised address."""
    query = select(accounts).where(accounts.c.email_key == email_key)
    return (await connection.execute(query)).one_or_none()


async def by_id(connection: AsyncConnection, account_id: UUID) -> AnyRow | None:
    """The account itself, with every column."""
    return (
        await connection.execute(select(accounts).where(accounts.c.id == account_id))
    ).one_or_none()


def _with_scopes() -> AnySelect:
    """An account together with `{scope: role}` of its memberships, in one row."""
    roles = (
        select(func.json_object_agg(memberships.c.scope_id, memberships.c.role))
        .join(scopes, scopes.c.id == memberships.c.scope_id)
        .where(memberships.c.account_id == accounts.c.id, scopes.c.deleted_at.is_(None))
        .scalar_subquery()
    )
    return select(
        accounts.c.id,
        accounts.c.email,
        accounts.c.username,
        accounts.c.token_epoch,
        roles.label("roles"),
    )


async def by_key_digest(connection: AsyncConnection, digest: bytes) -> AnyRow | None:
    """The account of an unrevoked API key, with its roles, `key_id` and `last_used_at`."""
    query = (
        _with_scopes()
        .add_columns(api_keys.c.id.label("key_id"), api_keys.c.last_used_at)
        .join(api_keys, api_keys.c.account_id == accounts.c.id)
        .where(api_keys.c.digest == digest, api_keys.c.revoked_at.is_(None))
    )
    return (await connection.execute(query)).one_or_none()


async def by_id_with_roles(connection: AsyncConnection, account_id: UUID) -> AnyRow | None:
    """The account with its roles."""
    query = _with_scopes().where(accounts.c.id == account_id)
    return (await connection.execute(query)).one_or_none()


async def touch_key(connection: AsyncConnection, key_id: UUID) -> None:
    """Note that a key was used now."""
    await connection.execute(
        update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=func.now())
    )


async def keys_of(connection: AsyncConnection, account_id: UUID) -> Sequence[AnyRow]:
    """The account's keys that are not revoked, oldest first; never a digest."""
    query = (
        select(
            api_keys.c.id,
            api_keys.c.prefix,
            api_keys.c.label,
            api_keys.c.created_at,
            api_keys.c.last_used_at,
        )
        .where(api_keys.c.account_id == account_id, api_keys.c.revoked_at.is_(None))
        .order_by(api_keys.c.created_at, api_keys.c.id)
    )
    return (await connection.execute(query)).all()


async def revoke_key(connection: AsyncConnection, account_id: UUID, key_id: UUID) -> bool:
    """Make a key of the account useless; False when there is no such living key."""
    query = (
        update(api_keys)
        .where(
            api_keys.c.id == key_id,
            api_keys.c.account_id == account_id,
            api_keys.c.revoked_at.is_(None),
        )
        .values(revoked_at=func.now())
    )
    return (await connection.execute(query)).rowcount == 1


async def advance_epoch(connection: AsyncConnection, account_id: UUID) -> None:
    """Make every token of the account that was signed so far useless."""
    await connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(token_epoch=accounts.c.token_epoch + 1)
    )


async def count_sync(connection: AsyncConnection, account_id: UUID) -> None:
    """Count one push or pull of the account."""
    await connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(sync_actions=accounts.c.sync_actions + 1)
    )


async def named(connection: AsyncConnection, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """`id, email, username, created_at` of the accounts among `ids`."""
    query = select(
        accounts.c.id, accounts.c.email, accounts.c.username, accounts.c.created_at
    ).where(accounts.c.id.in_(list(ids)))
    return (await connection.execute(query)).all()
