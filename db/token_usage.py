"""What models were paid for: sums over answers, each of which counts once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from db.engine import Connection
from db.rows import AnyRow, AnySelect
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


class Span(NamedTuple):
    """From (with it) to (without it); either end may be open."""

    start: datetime | None
    end: datetime | None


def _by_model_and_day(access: Access, which: ColumnElement[bool]) -> AnySelect:
    t = token_usage.c
    once = (
        scoped(token_usage, access)
        .where(t.scope_id == access.account_id, which)
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
    order = (once.c.session, day.nulls_last(), once.c.model)
    query = select(*group, func.count().label("messages"), *sums)
    return query.group_by(*group).order_by(*order)


async def of_sessions(
    connection: Connection, access: Access, ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """Per session, model and day: what its files together cost, each answer once.

    Columns: session, model, day, messages and the five sums.
    """
    query = _by_model_and_day(access, token_usage.c.session.in_(list(ids)))
    return (await connection.execute(query)).all()


def of_session(access: Access, session: UUID) -> AnySelect:
    """Select the same of one session."""
    return _by_model_and_day(access, token_usage.c.session == session)


def summed(access: Access, by: By, span: Span, limit: int) -> AnySelect:
    """Select what all the caller's sessions cost in a span of time.

    Columns: name (of the day, model or project; None where there is none), model, messages and the
    sums.
    """
    t = token_usage.c
    name: ColumnElement[Any] = {"day": _UTC_DAY, "model": t.model, "project": project()}[by]
    order = name.desc().nulls_last() if by == "day" else func.sum(t.output).desc()
    query = (
        select(name.label("name"), t.model, func.count().label("messages"), *_SUMS)
        .select_from(token_usage.join(sessions, _LIVING))
        .where(in_scope(token_usage, access, access.account_id), t.counted)
        .group_by(name, t.model)
        .order_by(order, name, t.model)
        .limit(limit)
    )
    if span.start is not None:
        query = query.where(t.at >= span.start)
    return query if span.end is None else query.where(t.at < span.end)


async def totals(
    connection: Connection, access: Access, by: By, span: Span, limit: int
) -> Sequence[AnyRow]:
    """The rows of `summed`."""
    return (await connection.execute(summed(access, by, span, limit))).all()
