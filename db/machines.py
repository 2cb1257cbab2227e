"""Machines as the server knows them: the API keys with which sessions were backed up."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, and_, cast, func, select

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.scope import Access, in_scopes
from db.tables import api_keys, sessions


def heard_of(access: Access, limit: int) -> AnySelect:
    """Select the caller's keys with at least one living session, the last used first.

    Columns: id, label, prefix, revoked_at, sessions, conversation_bytes, last_at.
    """
    last_at = func.max(sessions.c.updated_at)
    mine = and_(api_keys.c.id == sessions.c.key_id, api_keys.c.account_id == access.account_id)
    shown = (api_keys.c.id, api_keys.c.label, api_keys.c.prefix, api_keys.c.revoked_at)
    return (
        select(
            *shown,
            func.count().label("sessions"),
            cast(func.sum(sessions.c.conversation_size), BigInteger).label("conversation_bytes"),
            last_at.label("last_at"),
        )
        .select_from(sessions.join(api_keys, mine))
        .where(
            in_scopes(sessions, access.scopes),
            sessions.c.scope_id == access.account_id,
            sessions.c.deleted_at.is_(None),
        )
        .group_by(*shown)
        .order_by(last_at.desc(), api_keys.c.id)
        .limit(limit)
    )


async def of(connection: Connection, access: Access, limit: int) -> Sequence[AnyRow]:
    """The rows of `heard_of`."""
    return (await connection.execute(heard_of(access, limit))).all()
