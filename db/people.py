"""Accounts as their team-mates see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from db.engine import Connection
from db.rows import AnySelect
from db.scope import Access, in_scopes
from db.tables import accounts, memberships


def visible(access: Access) -> AnySelect:
    """Select `id, email, username` of those who share a scope with the caller, itself included."""
    together = (
        select(memberships.c.account_id)
        .where(in_scopes(memberships, access.scopes), memberships.c.account_id == accounts.c.id)
        .exists()
    )
    return select(accounts.c.id, accounts.c.email, accounts.c.username).where(together)


async def sharing(
    connection: Connection, access: Access, ids: Sequence[UUID]
) -> Sequence[Row[Any]]:
    """`id, email, username` of those among `ids` who share a scope with the caller.

    The caller is one of them.
    """
    query = visible(access).where(accounts.c.id.in_(list(ids)))
    return list(await connection.execute(query))


async def existing(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are accounts."""
    query = select(accounts.c.id).where(accounts.c.id.in_(list(ids)))
    return set((await connection.execute(query)).scalars())
