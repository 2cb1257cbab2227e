"""What models were paid for: sums over answers, each of which counts once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from db.engine import Connection
from db.rows import AnyRow
from db.scope import Access, in_scope, scoped
from db.sessions import project
from db.tables import sessions, token_usage

By = Literal["day", "model", "project"]
_UTC_DAY = cast(func.timezone("UTC", token_usage.c.at), Date)
_SUMS = tuple(
    func.sum(token_usage.c[name]).cast(token_usage.c.input.type).label(name)
    for name in ("input", "output", "cache_creation", "cache_creation_1h", "cache_read")
)
_LIVING = and_(
    sessions.c.scope_id == token_usage.c.scope_id,
    sessions.c.id == token_usage.c.session,
    sessions.c.deleted_at.is_(None),
)


async def of_sessions(
    connection: Connection, access: Access, ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """Per session, model and day: what its files together cost, each answer once.

    Columns: session, model, day, messages and the five sums.
    """
    t = token_usage.c
    once = (
        scoped(token_usage, access)
        .where(t.scope_id == access.account_id, t.session.in_(list(ids)))
        .ext(distinct_on(t.session, t.key))
        .order_by(t.session, t.key, t.at.desc().nulls_last(), t.output.desc(), t.file)
        .subquery()
    )
    day = cast(func.timezone("UTC", once.c.at), Date)
    sums = tuple(
        func.sum(once.c[column.name]).cast(token_usage.c.input.type).label(column.name)
        for column in _SUMS
    )
    group = (once.c.session, once.c.model, day.label("day"))
    query = (
        select(*group, func.count().label("messages"), *sums)
        .group_by(*group)
        .order_by(once.c.session, day.nulls_last(), once.c.model)
    )
    return (await connection.execute(query)).all()


async def totals(
    connection: Connection,
    access: Access,
    by: By,
    first: date | None,
    last: date | None,
    limit: int,
) -> Sequence[AnyRow]:
    """What all the caller's sessions cost, from the day `first` to the day `last` (UTC).

    Columns: name (of the day, model or project; None where there is none), model, messages and the
    sums.
    """
    t = token_usage.c
    name: ColumnElement[Any] = {"day": _UTC_DAY, "model": t.model, "project": project()}[by]
    query = (
        select(name.label("name"), t.model, func.count().label("messages"), *_SUMS)
        .select_from(token_usage.join(sessions, _LIVING))
        .where(in_scope(token_usage, access, access.account_id), t.counted)
        .group_by(name, t.model)
        .order_by(name.desc().nulls_last() if by == "day" else func.sum(t.output).desc())
        .limit(limit)
    )
    if first is not None:
        query = query.where(t.at >= _midnight(first))
    if last is not None:
        query = query.where(t.at < _midnight(last) + timedelta(days=1))
    return (await connection.execute(query)).all()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
