"""How much an account keeps, and how much it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    cast,
    column,
    func,
    literal,
    or_,
    select,
)

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


def kept(access: Access) -> AnySelect:
    """Select what the caller keeps, as one row of numbers by name, and its tier."""
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
    return select(
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


async def of(connection: Connection, access: Access) -> AnyRow:
    """The row of `kept`."""
    return (await connection.execute(kept(access))).one()


_WORDS = {"knowledge": ("knowledge", "sealed"), "sessions": ("session",), "summaries": ("summary",)}
"""By what a change is of: the first words of its kinds in the log."""


def days(access: Access, last: int) -> AnySelect:
    """Select `date, knowledge, sessions, summaries, total` of the last days by UTC, oldest first.

    So many changes of the caller's has the log of each; today is the last of them.
    """
    length = literal(last, Integer)
    first = cast(func.timezone("UTC", func.now()), Date) - length + 1
    day = cast(func.timezone("UTC", log.c.at), Date).label("day")
    what = func.split_part(log.c.kind, "_", 1)
    sums = (
        func.count().filter(or_(*(what == word for word in words))).label(name)
        for name, words in _WORDS.items()
    )
    changes = (
        select(day, *sums, func.count().label("total"))
        .where(
            in_scopes(log, access.scopes),
            log.c.actor_id == access.account_id,
            log.c.at >= func.timezone("UTC", cast(first, DateTime)),
        )
        .group_by(day)
        .subquery()
    )
    series = func.generate_series(0, length - 1)
    places = series.table_valued(column("n", Integer), name="places").render_derived()
    date = cast(first + places.c.n, Date)
    numbers = (func.coalesce(changes.c[name], 0).label(name) for name in (*_WORDS, "total"))
    query = select(date.label("date"), *numbers)
    return query.select_from(places.outerjoin(changes, changes.c.day == date)).order_by(date)


async def by_day(connection: Connection, access: Access, last: int) -> Sequence[AnyRow]:
    """The rows of `days`."""
    return (await connection.execute(days(access, last))).all()
