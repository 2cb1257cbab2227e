"""How much an account keeps."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, cast, func, select

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.scope import Access, scoped
from db.tables import accounts, knowledge, sessions, summaries


def _own(query: AnySelect, access: Access, table: Any) -> Any:
    return query.where(table.c.author_id == access.account_id).scalar_subquery()


async def of(connection: Connection, access: Access) -> AnyRow:
    """`(entries, summaries, sessions, conversation bytes, sync actions, tier)`."""
    size = cast(func.coalesce(func.sum(sessions.c.conversation_size), 0), BigInteger)
    query = select(
        _own(scoped(knowledge, access, func.count()), access, knowledge),
        _own(scoped(summaries, access, func.count()), access, summaries),
        scoped(sessions, access, func.count()).scalar_subquery(),
        scoped(sessions, access, size).scalar_subquery(),
        accounts.c.sync_actions,
        accounts.c.tier,
    ).where(accounts.c.id == access.account_id)
    return (await connection.execute(query)).one()
