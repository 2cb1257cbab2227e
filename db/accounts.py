"""Accounts and the scopes they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import translated
from db.rows import AnyRow, AnySelect
from db.tables import accounts, memberships, scopes


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


async def by_email(connection: AsyncConnection, email_key: str) -> AnyRow | None:
    """The account with that normalised address."""
    query = select(accounts).where(accounts.c.email_key == email_key)
    return (await connection.execute(query)).one_or_none()


def itself(account_id: UUID) -> AnySelect:
    """Select an account, with every column."""
    return select(accounts).where(accounts.c.id == account_id)


async def by_id(connection: AsyncConnection, account_id: UUID) -> AnyRow | None:
    """The account itself, with every column."""
    return (await connection.execute(itself(account_id))).one_or_none()


async def advance_epoch(connection: AsyncConnection, account_id: UUID) -> int:
    """Make every token of the account that was signed so far useless; returns the new epoch."""
    query = (
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(token_epoch=accounts.c.token_epoch + 1)
        .returning(accounts.c.token_epoch)
    )
    epoch: int = (await connection.execute(query)).scalar_one()
    return epoch


async def replace_password(
    connection: AsyncConnection,
    account_id: UUID,
    former: str | None,
    new: str,
    values: Mapping[str, Any] | None = None,
) -> AnyRow | None:
    """Replace the password's hash (and other `values`), end all tokens, and return the account.

    None when the hash is not `former` any more. Raises DuplicateError for an address that is taken.
    """
    query = (
        update(accounts)
        .where(accounts.c.id == account_id, accounts.c.password_hash.is_not_distinct_from(former))
        .values(password_hash=new, token_epoch=accounts.c.token_epoch + 1, **(values or {}))
        .returning(*accounts.c)
    )
    with translated():
        return (await connection.execute(query)).one_or_none()


async def hold(connection: AsyncConnection, account_id: UUID) -> bool:
    """Keep an account from being deleted until the transaction ends; False when it is gone."""
    query = select(accounts.c.id).where(accounts.c.id == account_id)
    held = await connection.execute(query.with_for_update(read=True, key_share=True))
    return held.one_or_none() is not None


async def by_username(connection: AsyncConnection, username_key: str) -> AnyRow | None:
    """The account with that normalised username."""
    query = select(accounts).where(accounts.c.username_key == username_key)
    return (await connection.execute(query)).one_or_none()


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
