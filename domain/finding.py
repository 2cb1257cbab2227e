"""Search in knowledge: by words in any script, else by words that look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from db import knowledge_facets, knowledge_list, knowledge_search
from db.engine import Database
from db.knowledge_list import Filter
from db.knowledge_search import RankKeyset as RankKeyset
from domain.actor import Actor
from domain.entries import Entry
from domain.errors import Invalid
from domain.policy import reading_team

QUERY_MAX = 500
Ranked = tuple[Entry, float]
MatchKind = Literal["exact", "similar"]


@dataclass(frozen=True, slots=True)
class After:
    """Where a search goes on: behind this match, of this kind."""

    kind: MatchKind
    place: RankKeyset


@dataclass(frozen=True, slots=True)
class Found:
    """A page of matches, all of one kind."""

    kind: MatchKind
    matches: Sequence[Ranked]


async def search(
    db: Database,
    actor: Actor,
    words: str,
    wanted: Filter,
    *,
    limit: int,
    after: After | None = None,
) -> Found:
    """Matches, best first. Where no entry has the words, those with words that look alike.

    `words` is what a person types: quoted phrases, `or` and `-not` are understood, nothing else
    is special. Raises Invalid for an empty or overlong query, Forbidden for a foreign team.
    """
    _check(actor, words, wanted, "query")
    place = after.place if after else None
    kinds: tuple[MatchKind, ...] = (after.kind,) if after else ("exact", "similar")
    async with db.read(actor) as connection:
        for kind in kinds:
            rows = await knowledge_search.page(
                connection,
                actor.access,
                words,
                wanted,
                limit=limit,
                after=place,
                similar=kind == "similar",
            )
            if rows:
                return Found(kind, [(Entry(*row[:-1]), float(row.rank)) for row in rows])
    return Found(after.kind if after else "exact", [])


async def count(
    db: Database, actor: Actor, words: str, wanted: Filter, kind: MatchKind = "exact"
) -> int:
    """How many matches of that kind there are in all."""
    similar = kind == "similar"
    async with db.read(actor) as connection:
        return await knowledge_search.count(
            connection, actor.access, words, wanted, similar=similar
        )


async def exact_page(
    db: Database, actor: Actor, words: str, wanted: Filter, *, limit: int, offset: int = 0
) -> tuple[list[Ranked], int]:
    """As the Cloud API has it: entries with these words, by offset, and how many there are."""
    _check(actor, words, wanted, "q")
    async with db.read(actor) as connection:
        found = await knowledge_search.page(
            connection, actor.access, words, wanted, limit=limit, offset=offset
        )
        total = await knowledge_search.count(connection, actor.access, words, wanted)
    return [(Entry(*row[:-1]), float(row.rank)) for row in found], total


@dataclass(frozen=True, slots=True)
class Facet:
    """A value and how many entries have it."""

    value: str
    count: int


async def facets(db: Database, actor: Actor, wanted: Filter) -> dict[str, list[Facet]]:
    """The most frequent `types`, `projects`, `tags` and `authors` (ids) of a list.

    Raises Forbidden for a foreign team.
    """
    reading_team(actor, wanted.team_id)
    async with db.read(actor) as connection:
        rows = await knowledge_facets.facets(connection, actor.access, wanted)
    found: dict[str, list[Facet]] = {"types": [], "projects": [], "tags": [], "authors": []}
    for facet, value, amount in rows:
        found[facet].append(Facet(value, amount))
    return {k: sorted(v, key=lambda f: (-f.count, f.value)) for k, v in found.items()}


async def starred(db: Database, actor: Actor, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the entries that the actor has a star at."""
    async with db.read(actor) as connection:
        return await knowledge_list.starred(connection, actor.access, ids)


def _check(actor: Actor, words: str, wanted: Filter, field: str) -> None:
    reading_team(actor, wanted.team_id)
    if not 1 <= len(words) <= QUERY_MAX:
        raise Invalid.at(field, f"must be 1 to {QUERY_MAX} characters")
