"""Where objects come from: for each name in a mapping the select of `db` that has its rows.

A source that takes arguments reads them with the functions that the resolvers use, so that both
refuse the same; what a resolver would answer with an error is left to the resolver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, cast
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_

from db import accounts as account_rows
from db import knowledge as knowledge_rows
from db import knowledge_list, people, session_shares, teams
from db import sessions as session_rows
from db.rows import AnySelect
from db.scope import Access
from db.session_shares import Keyset as ShareKeyset
from db.sessions import Filter as SessionFilter
from db.sessions import Keyset as SessionKeyset
from db.tables import accounts, knowledge, memberships, scopes, sessions, stars
from db.tables import session_shares as shares
from domain.knowledge import Filter
from graph.plan.symbols import Uncovered
from graph.schema import ids
from graph.schema.knowledge_filters import order_of, wanted
from graph.schema.paging import Place, Window, instant_of, window
from graph.schema.session_list import SessionOrder
from graph.schema.team import MemberOrder

Arguments = Mapping[str, Any]
_PAGING = ("first", "after", "last", "before")


@dataclass(slots=True)
class Asked:
    """What must hold of the caller for the plan to answer."""

    teams: list[UUID] = field(default_factory=list)
    """Teams that it must be in; whoever is not gets the resolver's error."""


class Chosen(NamedTuple):
    """The object that arguments name."""

    source: str
    wanted: UUID | str | None
    kind: str
    required: bool = False
    """Whether it is an error when there is no such row."""


@dataclass(frozen=True, slots=True)
class OneSource:
    """At most one row; none where `present` is null."""

    select: Callable[[Access, Any], AnySelect]
    present: str = "id"
    read: Callable[[Arguments, Asked], Chosen | None] | None = None


class Placed(NamedTuple):
    """What the cursors of a list are made of."""

    kind: Literal["number", "instant"]
    column: str
    order: int = 0


@dataclass(frozen=True, slots=True)
class PageOf:
    """A page of a list."""

    about: Any
    limit: int
    backward: bool
    after: Any
    before: Any
    order: Any = None


@dataclass(frozen=True, slots=True)
class ManySource:
    """Several rows, in an order. `key` is the value of the column that leads here, if any does."""

    read: Callable[[Arguments, Asked], Any]
    select: Callable[[Access, Any, Any], AnySelect]
    order: Callable[[Any], tuple[tuple[str, bool], ...]]
    """Columns, and whether they fall."""
    count: Callable[[Access, Any, Any], AnySelect] | None = None
    place: Callable[[Any], Placed] | None = None


def _window(arguments: Arguments, orders: tuple[int, ...] = (0,)) -> Window:
    first, after, last, before = (arguments.get(name) for name in _PAGING)
    return window(first, after, last, before, orders=orders)


def _page(about: Any, asked: Window, after: Any, before: Any, order: Any = None) -> PageOf:
    return PageOf(about, asked.limit, asked.backward, after, before, order)


def _node(arguments: Arguments, _asked: Asked) -> Chosen | None:
    named = ids.split(arguments["id"])
    if named is None:
        return None
    source = {
        "User": "person",
        "Team": "team",
        "KnowledgeEntry": "entry",
        "Session": "session",
        "SharedSession": "share",
    }.get(named[0])
    if source is None:
        raise Uncovered
    return Chosen(source, named[1], named[0])


def _named(kind: ids.Kind, source: str) -> Callable[[Arguments, Asked], Chosen]:
    return lambda arguments, _asked: Chosen(
        source, ids.decode(kind, arguments["id"], "id"), kind, required=True
    )


def _session(arguments: Arguments, _asked: Asked) -> Chosen:
    id, session_id = arguments.get("id"), arguments.get("session_id")
    if (id is None) == (session_id is None):
        raise Uncovered
    if session_id is not None:
        return Chosen("session_called", session_id, "Session", required=True)
    return Chosen("session", ids.decode("Session", id or "", "id"), "Session", required=True)


def _nothing(_access: Access, _id: Any) -> AnySelect:
    raise Uncovered


def _session_columns() -> tuple[ColumnElement[Any], ...]:
    directory = func.coalesce(func.nullif(sessions.c.cwd, ""), sessions.c.working_directory)
    return (directory.label("directory"),)


def _sessions(access: Access) -> AnySelect:
    return session_rows.own(access, *session_rows.COLUMNS, *_session_columns())


ONE: dict[str, OneSource] = {
    "viewer": OneSource(
        lambda access, _id: account_rows.itself(access.account_id),
        read=lambda _arguments, _asked: Chosen("viewer", None, "Viewer", required=True),
    ),
    "person": OneSource(lambda access, id: people.visible(access).where(accounts.c.id == id)),
    "team": OneSource(lambda access, id: teams.mine(access).where(scopes.c.id == id)),
    "entry": OneSource(
        lambda access, id: knowledge_rows.readable(access).where(knowledge.c.id == id)
    ),
    "star": OneSource(
        lambda access, id: knowledge_list.starring(access).where(stars.c.entry_id == id)
    ),
    "session": OneSource(lambda access, id: _sessions(access).where(sessions.c.id == id)),
    "session_called": OneSource(
        lambda access, id: _sessions(access).where(sessions.c.session_id == id)
    ),
    "share": OneSource(
        lambda access, id: session_shares.visible(access, *session_shares.COLUMNS).where(
            shares.c.id == id
        )
    ),
    "node": OneSource(_nothing, read=_node),
    "named team": OneSource(_nothing, read=_named("Team", "team")),
    "named person": OneSource(_nothing, read=_named("User", "person")),
    "named session": OneSource(_nothing, read=_session),
}


def _knowledge(arguments: Arguments, asked: Asked) -> PageOf:
    """A list of entries; with a team of the arguments, its entries as well."""
    given = arguments.get("team_id")
    team_id = ids.decode("Team", given, "teamId") if given else None
    if team_id is not None:
        asked.teams.append(team_id)
    return _entries(arguments, wanted(arguments.get("filter"), team_id, only_team=False))


def _own_knowledge(arguments: Arguments, _asked: Asked) -> PageOf:
    return _entries(arguments, wanted(arguments.get("filter"), None, only_team=False))


def _team_knowledge(arguments: Arguments, _asked: Asked) -> PageOf:
    return _entries(arguments, wanted(arguments.get("filter"), None, only_team=True))


def _entries(arguments: Arguments, about: Filter) -> PageOf:
    by = order_of(arguments.get("order_by"))
    asked = _window(arguments, (by.number,))
    after, before = by.keyset(asked.after, "after"), by.keyset(asked.before, "before")
    return _page(about, asked, after, before, by)


def _about(page: PageOf, team_id: Any) -> Filter:
    about: Filter = page.about
    return about if team_id is None else replace(about, team_id=team_id)


def _entry_rows(access: Access, page: PageOf, team_id: Any) -> AnySelect:
    return knowledge_list.paged(
        access,
        _about(page, team_id),
        limit=page.limit + 1,
        order=page.order.order,
        after=page.after,
        before=page.before,
        backward=page.backward,
    )


def _entry_place(page: PageOf) -> Placed:
    column = page.order.order.column
    kind: Literal["number", "instant"] = "number" if column == "timestamp" else "instant"
    return Placed(kind, column, page.order.number)


def _entry_order(page: PageOf) -> tuple[tuple[str, bool], ...]:
    falls = page.order.order.descending != page.backward
    return ((page.order.order.column, falls), ("id", falls))


def _entry_list(read: Callable[[Arguments, Asked], PageOf]) -> ManySource:
    return ManySource(
        read,
        _entry_rows,
        _entry_order,
        lambda access, page, team_id: knowledge_list.listed(
            access, _about(page, team_id), func.count()
        ),
        _entry_place,
    )


def _own_sessions(arguments: Arguments, _asked: Asked) -> PageOf:
    given, project = arguments.get("filter"), arguments.get("project")
    about = SessionFilter() if given is None else given.to_domain()
    if project is not None:
        about = _about_project(about, project)
    if about.text is not None and set("%_/") & set(about.text):
        raise Uncovered  # such letters are escaped, which makes another value of it
    order = cast(session_rows.Order, arguments.get("order_by", SessionOrder.UPDATED).value)
    asked = _window(arguments)

    def keyset(place: Place | None, name: str) -> SessionKeyset | None:
        if place is None:
            return None
        value = place.number if order == "size" else instant_of(place, name)
        return SessionKeyset(value, place.id)

    return _page(about, asked, keyset(asked.after, "after"), keyset(asked.before, "before"), order)


def _about_project(about: SessionFilter, project: str) -> SessionFilter:
    return replace(about, project=project)


def _session_rows(access: Access, page: PageOf, _key: Any) -> AnySelect:
    return session_rows.paged(
        access,
        page.about,
        *_session_columns(),
        session_rows.ordered_by(page.order).label("place"),
        limit=page.limit + 1,
        order=page.order,
        after=page.after,
        before=page.before,
        backward=page.backward,
    )


def _shared(arguments: Arguments, _asked: Asked) -> PageOf:
    asked = _window(arguments)

    def keyset(place: Place | None, name: str) -> ShareKeyset | None:
        return None if place is None else ShareKeyset(instant_of(place, name), place.id)

    return _page(None, asked, keyset(asked.after, "after"), keyset(asked.before, "before"))


def _shared_rows(access: Access, page: PageOf, team_id: Any) -> AnySelect:
    return session_shares.paged(
        access,
        team_id,
        limit=page.limit + 1,
        after=page.after,
        before=page.before,
        backward=page.backward,
    )


def _shares_of_session(access: Access, _wanted: Any, session: Any) -> AnySelect:
    query = session_shares.visible(access, *session_shares.COLUMNS)
    query = query.where(shares.c.owner_id == access.account_id, shares.c.session == session)
    return query.order_by(shares.c.shared_at, shares.c.id)


@dataclass(frozen=True, slots=True)
class RosterOf:
    """Which members of a team, in which order (both are structure)."""

    order: tuple[str | None, str]


def _members(arguments: Arguments, _asked: Asked) -> PageOf:
    role, order = arguments.get("role"), arguments.get("order_by", MemberOrder.OLDEST_FIRST)
    roster = RosterOf((None if role is None else str(role.value), str(order.value)))
    asked = _window(arguments)
    after = None if asked.after is None else PlaceOf(asked.after.number, asked.after.id)
    return _page(roster, asked, after, None)


@dataclass(frozen=True, slots=True)
class PlaceOf:
    """A place with its number as a value."""

    value: int
    id: UUID


def _roster(access: Access, page: PageOf, team_id: Any, *columns: Any) -> AnySelect:
    role, _order = page.about.order
    query = teams.roster(access, *columns, team_id=team_id)
    return query if role is None else query.where(memberships.c.role == role)


def _member_rows(access: Access, page: PageOf, team_id: Any) -> AnySelect:
    number = teams.member_number(page.about.order[1])
    query = _roster(access, page, team_id, number.label("number"))
    if page.after is not None:
        query = query.where(tuple_(number, accounts.c.id) > tuple_(page.after.value, page.after.id))
    return query.order_by(number, accounts.c.id).limit(page.limit + 1)


def _member_count(access: Access, page: PageOf, team_id: Any) -> AnySelect:
    return select(func.count()).select_from(_roster(access, page, team_id).subquery())


MANY: dict[str, ManySource] = {
    "members": ManySource(
        _members,
        _member_rows,
        lambda _page: (("number", False), ("id", False)),
        _member_count,
        lambda _page: Placed("number", "number"),
    ),
    "my teams": ManySource(
        lambda _arguments, _asked: None,
        lambda access, _wanted, _key: teams.mine(access).order_by(scopes.c.created_at, scopes.c.id),
        lambda _wanted: (("created_at", False), ("id", False)),
    ),
    "knowledge": _entry_list(_knowledge),
    "own knowledge": _entry_list(_own_knowledge),
    "team's knowledge": _entry_list(_team_knowledge),
    "sessions": ManySource(
        _own_sessions,
        _session_rows,
        lambda page: (("place", not page.backward), ("id", not page.backward)),
        lambda access, page, _key: session_rows.counted(access, page.about),
        lambda page: Placed("number" if page.order == "size" else "instant", "place"),
    ),
    "team's shares": ManySource(
        _shared,
        _shared_rows,
        lambda page: (("shared_at", not page.backward), ("id", not page.backward)),
        lambda access, _page, team_id: session_shares.visible(
            access, func.count(), team_id=team_id
        ),
        lambda _page: Placed("instant", "shared_at"),
    ),
    "session's shares": ManySource(
        lambda _arguments, _asked: None,
        _shares_of_session,
        lambda _wanted: (("shared_at", False), ("id", False)),
    ),
}
