"""The caller's sessions, and what is known of their conversations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import ColumnElement, func

from db import conversations, messages, session_shares, token_usage
from db import sessions as rows
from db.messages import Only, Part
from db.rows import AnySelect
from db.scope import Access
from db.sessions import Filter, Keyset
from db.tables import session_shares as shares
from db.tables import sessions
from domain.reading import conversation
from domain.reading import usage as token_sums
from graph.plan.sources.kinds import (
    Arguments,
    Asked,
    Chosen,
    MadeSource,
    ManySource,
    OneSource,
    PageOf,
    Placed,
    nothing_asked,
    page_of,
    windowed,
)
from graph.plan.symbols import Uncovered
from graph.schema import ids
from graph.schema.message import only_of
from graph.schema.paging import Place, instant_of
from graph.schema.session_list import SessionOrder


def named_session(arguments: Arguments, _asked: Asked) -> Chosen:
    """The session that the arguments name. Raises Uncovered and Invalid."""
    id, session_id = arguments.get("id"), arguments.get("session_id")
    if (id is None) == (session_id is None):
        raise Uncovered
    if session_id is not None:
        return Chosen("session_called", session_id, "Session", required=True)
    return Chosen("session", ids.decode("Session", id or "", "id"), "Session", required=True)


def _columns() -> tuple[ColumnElement[Any], ...]:
    directory = func.coalesce(func.nullif(sessions.c.cwd, ""), sessions.c.working_directory)
    return (directory.label("directory"),)


def _sessions(access: Access) -> AnySelect:
    return rows.own(access, *rows.COLUMNS, *_columns())


def _own_sessions(arguments: Arguments, _asked: Asked) -> PageOf:
    given, project = arguments.get("filter"), arguments.get("project")
    about = Filter() if given is None else given.to_domain()
    if project is not None:
        about = replace(about, project=project)
    if about.text is not None and set("%_/") & set(about.text):
        raise Uncovered  # such letters are escaped, which makes another value of it
    order = cast(rows.Order, arguments.get("order_by", SessionOrder.UPDATED).value)
    asked = windowed(arguments)

    def keyset(place: Place | None, name: str) -> Keyset | None:
        if place is None:
            return None
        value = place.number if order == "size" else instant_of(place, name)
        return Keyset(value, place.id)

    after, before = keyset(asked.after, "after"), keyset(asked.before, "before")
    return page_of(about, asked, after, before, order)


def _session_rows(access: Access, page: PageOf, _key: Any) -> AnySelect:
    return rows.paged(
        access,
        page.about,
        *_columns(),
        rows.ordered_by(page.order).label("place"),
        limit=page.limit + 1,
        order=page.order,
        after=page.after,
        before=page.before,
        backward=page.backward,
    )


def _shares(access: Access, _wanted: Any, session: Any) -> AnySelect:
    query = session_shares.visible(access, *session_shares.COLUMNS)
    query = query.where(shares.c.owner_id == access.account_id, shares.c.session == session)
    return query.order_by(shares.c.shared_at, shares.c.id)


@dataclass(frozen=True, slots=True)
class RecordsOf:
    """Which records, and of which file."""

    file: str
    only: Only
    line: int | None = None
    """The one that the page is to have in its middle."""


def _messages(arguments: Arguments, _asked: Asked) -> PageOf:
    given, line = arguments.get("filter"), arguments.get("around_line")
    if given is not None and given.text is not None and given.text.strip():
        raise Uncovered  # words are looked for under a tag of the account
    asked = windowed(arguments)
    about = RecordsOf(arguments.get("file", ""), only_of(given), line)
    if line is not None:
        if asked.after or asked.before or asked.backward:
            raise Uncovered
        return replace(page_of(about, asked, None, None), number=asked.limit)
    after, before = (None if p is None else p.number for p in (asked.after, asked.before))
    return page_of(about, asked, after, before)


def _message_rows(access: Access, page: PageOf, session: Any) -> AnySelect:
    about: RecordsOf = page.about
    part = Part(page.limit + 1, about.file, about.only)
    if about.line is not None:
        return messages.around(access, session, part, about.line)
    part = replace(part, after=page.after, before=page.before, backward=page.backward)
    return messages.part_of(access, session, part)


def _message_count(access: Access, page: PageOf, session: Any) -> AnySelect:
    only = replace(page.about.only, session=session)
    return messages.counted(access, only, page.about.file)


ONE = {
    "session": OneSource(lambda access, id: _sessions(access).where(sessions.c.id == id)),
    "session_called": OneSource(
        lambda access, id: _sessions(access).where(sessions.c.session_id == id)
    ),
}
MANY = {
    "sessions": ManySource(
        _own_sessions,
        _session_rows,
        lambda page: (("place", not page.backward), ("id", not page.backward)),
        lambda access, page, _key: rows.counted(access, page.about),
        lambda page: Placed("number" if page.order == "size" else "instant", "place"),
    ),
    "session's shares": ManySource(
        nothing_asked,
        _shares,
        lambda _wanted: (("shared_at", False), ("id", False)),
    ),
    "messages": ManySource(
        _messages,
        _message_rows,
        lambda page: (("line", page.backward),),
        _message_count,
        lambda _page: Placed("number", "line", id="session"),
    ),
    "session's versions": ManySource(
        nothing_asked,
        lambda access, _wanted, session: messages.kept_versions(access, session),
        lambda _wanted: (("number", False),),
    ),
    "session's files": ManySource(
        nothing_asked,
        lambda access, _wanted, session: conversations.further_files(access, session),
        lambda _wanted: (("path", False),),
    ),
}
MADE = {
    "reading": MadeSource(
        nothing_asked,
        lambda access, _wanted, session: messages.read_of(access, session),
        lambda found, _wanted: conversation.together(found),
        (("file", False),),
    ),
    "session's tokens": MadeSource(
        nothing_asked,
        lambda access, _wanted, session: token_usage.of_session(access, session),
        lambda found, _wanted: token_sums.model_days(found),
        (("day", False), ("model", False)),
    ),
}
