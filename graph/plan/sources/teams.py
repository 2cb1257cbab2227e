"""Teams, their members, their invitations, what members share with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, tuple_

from db import audit, invitations, people, session_shares, teams
from db.invitations import Place as InvitationPlace
from db.rows import AnySelect
from db.scope import Access
from db.session_shares import Keyset as ShareKeyset
from db.tables import accounts, memberships, scopes
from db.tables import session_shares as shares
from graph.plan.sources.accounts import audit_page, events_of
from graph.plan.sources.kinds import (
    Arguments,
    Asked,
    ManySource,
    OneSource,
    PageOf,
    Placed,
    PlaceOf,
    by_instant,
    nothing_asked,
    page_of,
    windowed,
)
from graph.schema.team import MemberOrder


@dataclass(frozen=True, slots=True)
class RosterOf:
    """Which members of a team, in which order (both are structure)."""

    order: tuple[str | None, str]


def _members(arguments: Arguments, _asked: Asked) -> PageOf:
    role, order = arguments.get("role"), arguments.get("order_by", MemberOrder.OLDEST_FIRST)
    roster = RosterOf((None if role is None else str(role.value), str(order.value)))
    asked = windowed(arguments)
    after = None if asked.after is None else PlaceOf(asked.after.number, asked.after.id)
    return page_of(roster, asked, after, None)


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


def _shared_rows(access: Access, page: PageOf, team_id: Any) -> AnySelect:
    return session_shares.paged(
        access,
        team_id,
        limit=page.limit + 1,
        after=page.after,
        before=page.before,
        backward=page.backward,
    )


ONE = {
    "person": OneSource(lambda access, id: people.visible(access).where(accounts.c.id == id)),
    "team": OneSource(lambda access, id: teams.mine(access).where(scopes.c.id == id)),
    "share": OneSource(
        lambda access, id: session_shares.visible(access, *session_shares.COLUMNS).where(
            shares.c.id == id
        )
    ),
}
MANY = {
    "my teams": ManySource(
        nothing_asked,
        lambda access, _wanted, _key: teams.mine(access).order_by(scopes.c.created_at, scopes.c.id),
        lambda _wanted: (("created_at", False), ("id", False)),
    ),
    "members": ManySource(
        _members,
        _member_rows,
        lambda _page: (("number", False), ("id", False)),
        _member_count,
        lambda _page: Placed("number", "number"),
    ),
    "team's shares": ManySource(
        lambda arguments, _asked: by_instant(None, windowed(arguments), ShareKeyset),
        _shared_rows,
        lambda page: (("shared_at", not page.backward), ("id", not page.backward)),
        lambda access, _page, team_id: session_shares.visible(
            access, func.count(), team_id=team_id
        ),
        lambda _page: Placed("instant", "shared_at"),
    ),
    "team's invitations": ManySource(
        lambda arguments, _asked: by_instant(None, windowed(arguments), InvitationPlace),
        lambda _access, page, team_id: invitations.paged(
            team_id, limit=page.limit + 1, after=page.after
        ),
        lambda _page: (("created_at", False), ("id", False)),
        lambda _access, _page, team_id: invitations.counted(team_id),
        lambda _page: Placed("instant", "created_at"),
        permission="team.invite",
    ),
    "team's audit": events_of(
        audit_page,
        lambda _access, page, team_id: audit.events_of_team(
            team_id, page.about.wanted, page.about.part
        ),
        lambda _access, page, team_id: audit.counted_of_team(team_id, page.about.wanted),
        permission="team.audit",
    ),
}
