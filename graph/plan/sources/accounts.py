"""The caller's account: its keys, its machines, what it keeps and does, its audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from db import accounts, audit, keys, machines, token_usage, usage
from db.audit import AuditFilter, AuditPlace, AuditRange
from db.keys import KeyPlace
from db.rows import AnySelect
from db.scope import Access
from domain.errors import Invalid
from domain.machines import MACHINES_MAX
from domain.policy import Permission
from domain.reading import usage as token_sums
from domain.usage import DAYS_MAX
from graph.plan.sources.kinds import (
    Arguments,
    Asked,
    Chosen,
    MadeSource,
    ManySource,
    OneSource,
    PageOf,
    Placed,
    by_instant,
    nothing_asked,
    windowed,
)
from graph.schema.token_usage import TokenUsageBy


def _key_rows(access: Access, page: PageOf, _key: Any) -> AnySelect:
    return keys.paged(
        access.account_id,
        limit=page.limit + 1,
        after=page.after,
        before=page.before,
        backward=page.backward,
    )


@dataclass(frozen=True, slots=True)
class EventsOf:
    """Which events, and which part of them."""

    wanted: AuditFilter
    part: AuditRange


def audit_page(arguments: Arguments, _asked: Asked) -> PageOf:
    """The page of an audit log that the arguments ask for."""
    given, asked = arguments.get("filter"), windowed(arguments)
    wanted = AuditFilter() if given is None else given.to_domain()
    page = by_instant(None, asked, AuditPlace)
    part = AuditRange(page.limit + 1, page.after, page.before, page.backward)
    return replace(page, about=EventsOf(wanted, part))


def _own_audit(arguments: Arguments, asked: Asked) -> PageOf:
    asked.scopes.add("admin")
    return audit_page(arguments, asked)


def events_of(
    read: Callable[[Arguments, Asked], PageOf],
    select: Callable[[Access, Any, Any], AnySelect],
    count: Callable[[Access, Any, Any], AnySelect],
    permission: Permission | None = None,
) -> ManySource:
    """A list of events, newest first."""
    return ManySource(
        read,
        select,
        lambda page: (("at", not page.backward), ("id", not page.backward)),
        count,
        lambda _page: Placed("instant", "at"),
        permission=permission,
    )


@dataclass(frozen=True, slots=True)
class DaysOf:
    """How many days, up to today."""

    last: int


def _days(arguments: Arguments, _asked: Asked) -> DaysOf:
    last = arguments.get("last", 30)
    if not 1 <= last <= DAYS_MAX:
        raise Invalid.at("last", f"must be from 1 to {DAYS_MAX}")
    return DaysOf(last)


@dataclass(frozen=True, slots=True)
class SumsOf:
    """What is summed up by what, from when to when."""

    order: token_usage.By
    span: token_usage.Span


def _sums(arguments: Arguments, _asked: Asked) -> SumsOf:
    by = cast(token_usage.By, arguments.get("by", TokenUsageBy.DAY).value)
    return SumsOf(by, token_sums.span(arguments.get("first"), arguments.get("last")))


ONE = {
    "viewer": OneSource(
        lambda access, _id: accounts.itself(access.account_id),
        read=lambda _arguments, _asked: Chosen("viewer", None, "Viewer", required=True),
    ),
    "usage": OneSource(
        lambda access, _id: usage.kept(access),
        present="tier",
        read=lambda _arguments, _asked: Chosen("usage", None, "Usage", required=True),
    ),
}
MANY = {
    "keys": ManySource(
        lambda arguments, _asked: by_instant(None, windowed(arguments), KeyPlace),
        _key_rows,
        lambda page: (("created_at", page.backward), ("id", page.backward)),
        lambda access, _page, _key: keys.counted(access.account_id),
        lambda _page: Placed("instant", "created_at"),
    ),
    "machines": ManySource(
        nothing_asked,
        lambda access, _wanted, _key: machines.heard_of(access, MACHINES_MAX),
        lambda _wanted: (("last_at", True), ("id", False)),
    ),
    "own audit": events_of(
        _own_audit,
        lambda access, page, _key: audit.events_of_account(
            access.account_id, page.about.wanted, page.about.part
        ),
        lambda access, page, _key: audit.counted_of_account(access.account_id, page.about.wanted),
    ),
    "days": ManySource(
        _days,
        lambda access, wanted, _key: usage.days(access, wanted.last),
        lambda _wanted: (("date", False),),
    ),
}
MADE = {
    "token sums": MadeSource(
        _sums,
        lambda access, wanted, _key: token_usage.summed(
            access, wanted.order, wanted.span, token_sums.ROWS_MAX
        ),
        lambda rows, wanted: token_sums.grouped(rows, wanted.order),
    ),
}
