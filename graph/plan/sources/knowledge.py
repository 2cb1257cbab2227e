"""Entries, lists and searches of them, and what lists could be narrowed by."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select

from db import knowledge as entries
from db import knowledge_facets, knowledge_list, knowledge_search, words
from db.knowledge_search import RankKeyset
from db.rows import AnySelect
from db.scope import Access
from db.tables import knowledge, stars
from domain.finding import QUERY_MAX
from domain.knowledge import Filter
from graph.plan.sources.kinds import (
    Arguments,
    Asked,
    Chosen,
    ManySource,
    OneSource,
    PageOf,
    Placed,
    page_of,
    windowed,
)
from graph.plan.symbols import Uncovered
from graph.schema import ids
from graph.schema.knowledge_filters import order_of, wanted

_EXACT = 10
"""The number of the order of exact matches, as `graph.schema.knowledge_search` has it."""


def _team(arguments: Arguments, asked: Asked) -> UUID | None:
    """The team of the arguments, of which the caller has to be a member."""
    given = arguments.get("team_id")
    team_id = ids.decode("Team", given, "teamId") if given else None
    if team_id is not None:
        asked.teams.append(team_id)
    return team_id


def _about(arguments: Arguments, asked: Asked) -> Filter:
    return wanted(arguments.get("filter"), _team(arguments, asked), only_team=False)


def _knowledge(arguments: Arguments, asked: Asked) -> PageOf:
    """A list of entries; with a team of the arguments, its entries as well."""
    return _entries(arguments, _about(arguments, asked))


def _own_knowledge(arguments: Arguments, _asked: Asked) -> PageOf:
    return _entries(arguments, wanted(arguments.get("filter"), None, only_team=False))


def _team_knowledge(arguments: Arguments, _asked: Asked) -> PageOf:
    return _entries(arguments, wanted(arguments.get("filter"), None, only_team=True))


def _entries(arguments: Arguments, about: Filter) -> PageOf:
    by = order_of(arguments.get("order_by"))
    asked = windowed(arguments, (by.number,))
    after, before = by.keyset(asked.after, "after"), by.keyset(asked.before, "before")
    return page_of(about, asked, after, before, by)


def _in_team(page: PageOf, team_id: Any) -> Filter:
    about: Filter = page.about
    return about if team_id is None else replace(about, team_id=team_id)


def _entry_rows(access: Access, page: PageOf, team_id: Any) -> AnySelect:
    return knowledge_list.paged(
        access,
        _in_team(page, team_id),
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
            access, _in_team(page, team_id), func.count()
        ),
        _entry_place,
    )


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for, and where."""

    typed: str
    terms: tuple[words.Term, ...]
    filter: Filter


def _search(arguments: Arguments, asked: Asked) -> PageOf:
    about = _about(arguments, asked)
    query = arguments["query"]
    if not 1 <= len(query) <= QUERY_MAX:
        raise Uncovered
    terms = tuple(words.terms(query))
    if not terms:
        raise Uncovered
    window = windowed(arguments, (_EXACT,))
    after = None
    if window.after is not None:
        rank: float = struct.unpack(">d", struct.pack(">q", window.after.number))[0]
        after = RankKeyset(rank, window.after.id)
    return page_of(Search(query, terms, about), window, after, None)


def _matches(access: Access, page: PageOf) -> knowledge_search.AnyCompound:
    return knowledge_search.matching_terms(access, page.about.terms, page.about.filter)


def _match_rows(access: Access, page: PageOf, _key: Any) -> AnySelect:
    about: Search = page.about
    return knowledge_search.highlighted(
        access, about.typed, about.terms, about.filter, limit=page.limit + 1, after=page.after
    )


def _facets(arguments: Arguments, asked: Asked) -> Chosen:
    asked.above = _about(arguments, asked)
    return Chosen("facets", None, "KnowledgeFacets", required=True)


def _facet(name: knowledge_facets.Facet) -> ManySource:
    return ManySource(
        lambda _arguments, asked: asked.above,
        lambda access, about, _key: knowledge_facets.most_frequent(access, about, name),
        lambda _about: (("count", True), ("value", False)),
    )


ONE = {
    "entry": OneSource(lambda access, id: entries.readable(access).where(knowledge.c.id == id)),
    "star": OneSource(
        lambda access, id: knowledge_list.starring(access).where(stars.c.entry_id == id)
    ),
    "facets": OneSource(
        lambda _access, _wanted: select(func.now().label("at")), present="at", read=_facets
    ),
}
MANY = {
    "knowledge": _entry_list(_knowledge),
    "own knowledge": _entry_list(_own_knowledge),
    "team's knowledge": _entry_list(_team_knowledge),
    "matches": ManySource(
        _search,
        _match_rows,
        lambda _page: (("rank", True), ("id", True)),
        lambda access, page, _key: select(func.count()).select_from(
            _matches(access, page).subquery()
        ),
        lambda _page: Placed("rank", "rank", _EXACT),
        never_empty=True,
    ),
    "types of a list": _facet("types"),
    "projects of a list": _facet("projects"),
    "tags of a list": _facet("tags"),
    "authors of a list": _facet("authors"),
}
