"""Machines as the server knows them: the API keys with which sessions were backed up."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, and_, cast, func, select

from db.engine import Connection
from db.rows import AnyRow
from db.scope import Access, in_scopes
from db.tables import api_keys, sessions


async def of(connection: Connection, access: Access, limit: int) -> Sequence[AnyRow]:
    """`id, label, prefix, revoked_at, sessions, conversation_bytes, last_at`, the last used first.

    Each is a key of the caller's with at least one living session.
    """
    last_at = func.max(sessions.c.updated_at)
    mine = and_(api_keys.c.id == sessions.c.key_id, api_keys.c.account_id == access.account_id)
    shown = (api_keys.c.id, api_keys.c.label, api_keys.c.prefix, api_keys.c.revoked_at)
    query = (
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
    return (await connection.execute(query)).all()
