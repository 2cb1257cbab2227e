"""Finding entries: by their words, else by words that look alike; all through indexes.

What a large push has just brought may not be in them yet: of such entries the texts are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    CTE,
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
    """As `matching_terms`, for words as they are typed."""
    return matching_terms(access, terms(words), wanted)


def matching_terms(access: Access, asked: Sequence[Term], wanted: Filter) -> AnyCompound:
    """Select `id, rank` of what has these words; a word as it stands counts twice."""
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
    query = ranked(access, matches, limit=limit, offset=offset, after=after)
    return (await connection.execute(query)).all()


def ranked(
    access: Access,
    matches: AnySelect | AnyCompound,
    *,
    limit: int,
    offset: int = 0,
    after: RankKeyset | None = None,
) -> AnySelect:
    """Select entries of which `matches` has the ids and the ranks, best first, and their `rank`."""
    found = matches.subquery("found")
    best = select(found.c.id, found.c.rank)
    if after is not None:
        place = tuple_(literal(after.rank, Double), literal(after.id))
        best = best.where(tuple_(found.c.rank, found.c.id) < place)
    order = (found.c.rank.desc(), found.c.id.desc())
    best = best.order_by(*order).limit(limit)
    top = (best.offset(offset) if offset else best).subquery("top")
    query = scoped(knowledge, access, *COLUMNS, top.c.rank).join(top, knowledge.c.id == top.c.id)
    return query.order_by(top.c.rank.desc(), top.c.id.desc())


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


# Between the words comes what nobody can know beforehand, in place of the braces.
_MARKED = "HighlightAll=true, StartSel={0}b, StopSel={0}e"
_CUT = (
    "MaxFragments=3, MaxWords=24, MinWords=8, StartSel={0}b, StopSel={0}e, FragmentDelimiter={0}c"
)


async def headlines(
    connection: Connection, access: Access, words: str, ids: Sequence[UUID], nonce: str
) -> Sequence[AnyRow]:
    """`id, marked_summary, marked_details` of entries with `nonce` + b and e around what matches.

    Of the details some fragments only, with `nonce` + c between them.
    """
    marks = _marks(terms(words), literal(nonce))
    selected = scoped(knowledge, access, knowledge.c.id, *_marked(marks)).join(marks, true())
    query = selected.where(knowledge.c.id.in_(list(ids)))
    return (await connection.execute(query)).all()


def _marks(asked: Sequence[Term], nonce: ColumnElement[str]) -> CTE:
    """What marks matches: the words that were asked for, and the nonce."""
    words: Any = type_coerce(text_query(asked), TSQUERY)
    marks = select(words.label("words"), nonce.label("nonce")).cte("marks")
    return marks.prefix_with("MATERIALIZED", dialect="postgresql")


def _marked(marks: CTE) -> Iterator[ColumnElement[Any]]:
    """The columns `marked_summary` and `marked_details`."""
    details = func.coalesce(knowledge.c.details, "")
    texts = (("summary", knowledge.c.summary, _MARKED), ("details", details, _CUT))
    for name, column, options in texts:
        chosen = func.replace(options, "{0}", marks.c.nonce)
        headline = func.ts_headline("russian", column, marks.c.words, chosen)
        yield headline.label(f"marked_{name}")


def highlighted(
    access: Access,
    typed: str,
    asked: Sequence[Term],
    wanted: Filter,
    *,
    limit: int,
    after: RankKeyset | None = None,
) -> AnySelect:
    """Select what has these terms, best first, with what `headlines` has of it.

    Besides, in each row, the `nonce` of its marks and what was `typed`.
    """
    nonce = func.replace(cast(func.gen_random_uuid(), Text), "-", "")
    marks = _marks(asked, nonce)
    query = ranked(access, matching_terms(access, asked, wanted), limit=limit, after=after)
    more = (*_marked(marks), marks.c.nonce, literal(typed, Text).label("typed"))
    return query.join(marks, true()).add_columns(*more)
