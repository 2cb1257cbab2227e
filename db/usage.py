"""How much an account keeps, and how much it does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, cast, func, select

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.scope import Access, in_scopes, scoped
from db.tables import (
    accounts,
    api_keys,
    conversation_versions,
    knowledge,
    log,
    memberships,
    scopes,
    sealed_entries,
    session_shares,
    sessions,
    summaries,
)


def _own(query: AnySelect, access: Access, table: Any) -> Any:
    return query.where(table.c.author_id == access.account_id).scalar_subquery()


def _sum(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


def _mine(table: Any, access: Access, column: ColumnElement[Any]) -> Any:
    return scoped(table, access, column, within=access.account_id).scalar_subquery()


async def of(connection: Connection, access: Access) -> AnyRow:
    """What the caller keeps, as one row of numbers by name, and its tier."""
    keys = select(func.count()).where(
        api_keys.c.account_id == access.account_id, api_keys.c.revoked_at.is_(None)
    )
    teams = (
        select(func.count())
        .join(scopes, scopes.c.id == memberships.c.scope_id)
        .where(
            memberships.c.account_id == access.account_id,
            scopes.c.kind == "team",
            scopes.c.deleted_at.is_(None),
        )
    )
    shares = scoped(session_shares, access, func.count()).where(
        session_shares.c.owner_id == access.account_id,
        func.coalesce(session_shares.c.expires_at > func.now(), True),
    )
    query = select(
        (
            _own(scoped(knowledge, access, func.count()), access, knowledge)
            + _own(scoped(sealed_entries, access, func.count()), access, sealed_entries)
        ).label("entries"),
        _own(scoped(summaries, access, func.count()), access, summaries).label("summaries"),
        _mine(sessions, access, func.count()).label("sessions"),
        _mine(sessions, access, _sum(sessions.c.conversation_size)).label("conversation_bytes"),
        _mine(conversation_versions, access, _sum(conversation_versions.c.size)).label(
            "version_bytes"
        ),
        keys.scalar_subquery().label("api_keys"),
        teams.scalar_subquery().label("teams"),
        shares.scalar_subquery().label("shared_sessions"),
        accounts.c.sync_actions,
        accounts.c.tier,
    ).where(accounts.c.id == access.account_id)
    return (await connection.execute(query)).one()


async def by_day(connection: Connection, access: Access, since: datetime) -> Sequence[AnyRow]:
    """`day, what, count` of the caller's changes since then; `what` is the first word of a kind."""
    day = cast(func.timezone("UTC", log.c.at), Date).label("day")
    what = func.split_part(log.c.kind, "_", 1).label("what")
    query = (
        select(day, what, func.count().label("count"))
        .where(
            in_scopes(log, access.scopes), log.c.actor_id == access.account_id, log.c.at >= since
        )
        .group_by(day, what)
    )
    return (await connection.execute(query)).all()
