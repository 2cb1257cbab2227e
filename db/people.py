"""Accounts as their team-mates see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from db.engine import Connection
from db.scope import Access, in_scopes
from db.tables import accounts, memberships


async def sharing(
    connection: Connection, access: Access, ids: Sequence[UUID]
) -> Sequence[Row[Any]]:
    """`id, email, username` of those among `ids` who share a scope with the caller.

    The caller is one of them.
    """
    together = (
        select(memberships.c.account_id)
        .where(in_scopes(memberships, access.scopes), memberships.c.account_id == accounts.c.id)
        .exists()
    )
    query = select(accounts.c.id, accounts.c.email, accounts.c.username)
    query = query.where(accounts.c.id.in_(list(ids)), together)
    return list(await connection.execute(query))


async def existing(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are accounts."""
    query = select(accounts.c.id).where(accounts.c.id.in_(list(ids)))
    return set((await connection.execute(query)).scalars())
