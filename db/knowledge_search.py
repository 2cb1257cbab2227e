"""Finding entries: by their words, else by words that look alike; all through indexes.

What a large push has just brought may not be in them yet: of such entries the texts are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Double,
    Text,
    cast,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from db.engine import Connection
from db.knowledge import COLUMNS
from db.knowledge_list import Filter, listed
from db.rows import AnyRow, AnySelect
from db.scope import Access, scoped
from db.tables import knowledge
from db.words import Term, terms, text_query

AnyCompound: TypeAlias = CompoundSelect[*tuple[Any, ...]]
SIMILAR_WORDS = 8
_SHORTEST = 3
# What the columns `search` and `fuzzy` of an entry will be that is not indexed yet.
_SEARCH_OF_TEXT = func.teamlore_search(
    *(knowledge.c[name] for name in ("summary", "tags", "details", "project", "related_files")),
    type_=TSVECTOR,
)
_LIKENESS_OF_TEXT = func.teamlore_likeness(knowledge.c.summary, knowledge.c.tags, type_=Text)


@dataclass(frozen=True, slots=True)
class RankKeyset:
    """A place in the order best match first."""

    rank: float
    id: UUID


def matching(access: Access, words: str, wanted: Filter) -> AnyCompound:
    """`id, rank` of what has these words; a word as it stands counts twice."""
    asked = terms(words)
    whole = [Term(t.text, True, t.negated, t.alternative) for t in asked]
    query = (
        select(
            type_coerce(text_query(asked), TSQUERY).label("words"),
            type_coerce(text_query(whole), TSQUERY).label("whole"),
        )
        .cte("asked")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )

    def among(search: ColumnElement[Any], *conditions: ColumnElement[bool]) -> AnySelect:
        rank = func.ts_rank_cd(search, query.c.words) + func.ts_rank_cd(search, query.c.whole)
        found = listed(access, wanted, knowledge.c.id, cast(rank, Double).label("rank"))
        # An expression of its own, which the planner evaluates beforehand, leads to the index.
        matches = search.op("@@")(text_query(asked))
        return found.join(query, true()).where(*conditions, matches)

    return union_all(among(knowledge.c.search), among(_SEARCH_OF_TEXT, ~knowledge.c.indexed))


def resembling(access: Access, words: str, wanted: Filter) -> AnyCompound | None:
    """`id, rank` of summaries and tags with words like these; None when none is long enough."""
    asked = [t.text for t in terms(words) if not t.negated and _has_trigrams(t.text)]
    if not asked:
        return None
    likes = [func.teamlore_fuzzy(literal(word)) for word in asked[:SIMILAR_WORDS]]

    def among(fuzzy: ColumnElement[Any], *conditions: ColumnElement[bool]) -> AnySelect:
        rank = sum((func.word_similarity(like, fuzzy) for like in likes), start=literal(0.0))
        found = listed(
            access, wanted, knowledge.c.id, cast(rank / len(likes), Double).label("rank")
        )
        return found.where(*conditions, *(fuzzy.op("%>")(like) for like in likes))

    return union_all(among(knowledge.c.fuzzy), among(_LIKENESS_OF_TEXT, ~knowledge.c.indexed))


def _has_trigrams(word: str) -> bool:
    """Whether it has enough letters of alphabets; without any, the whole index would be read."""
    letters = (c for c in word if c.isalnum() and (c < "\u0e00" or "\u10a0" <= c <= "\u11ff"))
    return sum(1 for _ in letters) >= _SHORTEST


async def page(
    connection: Connection,
    access: Access,
    words: str,
    wanted: Filter,
    *,
    limit: int,
    offset: int = 0,
    after: RankKeyset | None = None,
    similar: bool = False,
) -> Sequence[AnyRow]:
    """Matches, best first, each with `rank` as its last column.

    With `similar`, those that only look alike; none of them without the extension pg_trgm.
    """
    matches = await _matches(connection, access, words, wanted, similar=similar)
    if matches is None:
        return []
    found = matches.subquery("found")
    best = select(found.c.id, found.c.rank)
    if after is not None:
        place = tuple_(literal(after.rank, Double), literal(after.id))
        best = best.where(tuple_(found.c.rank, found.c.id) < place)
    order = (found.c.rank.desc(), found.c.id.desc())
    top = best.order_by(*order).limit(limit).offset(offset).subquery("top")
    query = scoped(knowledge, access, *COLUMNS, top.c.rank).join(top, knowledge.c.id == top.c.id)
    return (await connection.execute(query.order_by(top.c.rank.desc(), top.c.id.desc()))).all()


async def count(
    connection: Connection, access: Access, words: str, wanted: Filter, *, similar: bool = False
) -> int:
    """How many entries match in all."""
    matches = await _matches(connection, access, words, wanted, similar=similar)
    if matches is None:
        return 0
    query = select(func.count()).select_from(matches.subquery())
    return int((await connection.execute(query)).scalar_one())


async def _matches(
    connection: Connection, access: Access, words: str, wanted: Filter, *, similar: bool
) -> AnyCompound | None:
    if not similar:
        return matching(access, words, wanted)
    return resembling(access, words, wanted) if await knows_trigrams(connection) else None


async def knows_trigrams(connection: Connection) -> bool:
    """Whether the database has pg_trgm, without which nobody looks past typos."""
    query = text("SELECT to_regproc('word_similarity') IS NOT NULL")
    return bool((await connection.execute(query)).scalar_one())


_MARKED = "HighlightAll=true, StartSel={0}b, StopSel={0}e"
_CUT = (
    "MaxFragments=3, MaxWords=24, MinWords=8, StartSel={0}b, StopSel={0}e, FragmentDelimiter={0}c"
)


async def headlines(
    connection: Connection, access: Access, words: str, ids: Sequence[UUID], nonce: str
) -> Sequence[AnyRow]:
    """`id, summary, details` of entries with `nonce` + b and e around what matches.

    Of the details some fragments only, with `nonce` + c between them.
    """
    query: Any = type_coerce(text_query(terms(words)), TSQUERY)
    asked = (
        select(query.label("words")).cte("asked").prefix_with("MATERIALIZED", dialect="postgresql")
    )

    def marked(column: Any, options: str) -> Any:
        return func.ts_headline("russian", column, asked.c.words, options.format(nonce))

    selected = scoped(
        knowledge,
        access,
        knowledge.c.id,
        marked(knowledge.c.summary, _MARKED).label("summary"),
        marked(func.coalesce(knowledge.c.details, ""), _CUT).label("details"),
    )
    selected = selected.join(asked, true()).where(knowledge.c.id.in_(list(ids)))
    return (await connection.execute(selected)).all()
