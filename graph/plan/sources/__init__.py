"""Where objects come from: for each name in a mapping the select of `db` that has its rows.

A source that takes arguments reads them with the functions that the resolvers use, so that both
refuse the same; what a resolver would answer with an error is left to the resolver. Each of the
modules has the sources of one noun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from db.rows import AnySelect
from db.scope import Access
from graph.plan.sources import accounts, knowledge, patterns, sessions, teams
from graph.plan.sources.kinds import (
    Arguments,
    Asked,
    Chosen,
    MadeSource,
    ManySource,
    OneSource,
)
from graph.plan.symbols import Uncovered
from graph.schema import ids

_OF_KIND = {
    "User": "person",
    "Team": "team",
    "KnowledgeEntry": "entry",
    "Session": "session",
    "SharedSession": "share",
    "CommunityPattern": "visible pattern",
}


def _node(arguments: Arguments, _asked: Asked) -> Chosen | None:
    named = ids.split(arguments["id"])
    if named is None:
        return None
    source = _OF_KIND.get(named[0])
    if source is None:
        raise Uncovered
    return Chosen(source, named[1], named[0])


def _named(kind: ids.Kind, source: str) -> Callable[[Arguments, Asked], Chosen]:
    return lambda arguments, _asked: Chosen(
        source, ids.decode(kind, arguments["id"], "id"), kind, required=True
    )


def _nothing(_access: Access, _id: Any) -> AnySelect:
    raise Uncovered


ONE: dict[str, OneSource] = {
    **accounts.ONE,
    **teams.ONE,
    **knowledge.ONE,
    **sessions.ONE,
    **patterns.ONE,
    "node": OneSource(_nothing, read=_node),
    "named team": OneSource(_nothing, read=_named("Team", "team")),
    "named person": OneSource(_nothing, read=_named("User", "person")),
    "named session": OneSource(_nothing, read=sessions.named_session),
}
MANY: dict[str, ManySource] = {
    **accounts.MANY,
    **teams.MANY,
    **knowledge.MANY,
    **sessions.MANY,
    **patterns.MANY,
}
MADE: dict[str, MadeSource] = {**accounts.MADE, **sessions.MADE}
