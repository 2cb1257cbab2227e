"""What a search for knowledge finds, and what there is to narrow it by."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterable
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry

from domain import finding, highlights
from domain.finding import After as SearchAfter
from domain.finding import MatchKind, RankKeyset
from domain.highlights import Highlights
from domain.knowledge import Filter
from graph.context import Info
from graph.fields import computed
from graph.mapping import Computed, GlobalId, Many, One, mapped
from graph.schema import ids
from graph.schema.knowledge import KnowledgeEntry
from graph.schema.paging import PageInfo, Place, page_info, place_cursor, window
from graph.schema.scalars import Cursor
from graph.schema.user import User

_ORDERS: dict[MatchKind, int] = {"exact": 10, "similar": 11}
_KINDS = {number: kind for kind, number in _ORDERS.items()}


@strawberry.enum(name="MatchKind", description="How a search came to an entry.")
class MatchKindType(Enum):
    """The kinds of `domain.finding`."""

    EXACT = strawberry.enum_value("exact", description="It has the words that were asked for.")
    SIMILAR = strawberry.enum_value(
        "similar",
        description="Nothing has the words, but this has ones that look alike: a typo perhaps, or "
        "a part of a longer word.",
    )


@strawberry.type(
    name="TextFragment",
    description="A piece of a text. The pieces in their order make the text; show the hits in bold "
    "or otherwise, and every piece as plain text.",
)
class TextFragment:
    """As `domain.highlights.Fragment`."""

    text: str = strawberry.field(description="The piece as it stands.")
    hit: bool = strawberry.field(description="Whether this is what was searched for.")


Marked = Callable[[], Awaitable[dict[UUID, Highlights]]]


def _pieces(found: Iterable[highlights.Fragment]) -> list[TextFragment]:
    return [TextFragment(text=piece.text, hit=piece.hit) for piece in found]


def _marked_in(
    of: Callable[[str, Any, str, str], Iterable[highlights.Fragment]], text: str
) -> Computed:
    """What `of` tells apart in a text."""
    columns = (f"marked_{text}", text, "nonce", "typed")
    return Computed(lambda *values: _pieces(of(*values)), *columns)


@mapped(
    "rank",
    match_kind=Computed(lambda: MatchKindType.EXACT),
    summary_fragments=_marked_in(highlights.summary_of, "summary"),
    details_fragments=_marked_in(highlights.details_of, "details"),
)
@strawberry.type(description="An entry that a search found.")
class KnowledgeMatch:
    """An edge of a search, with its rank."""

    cursor: Cursor = strawberry.field(description="The place of this match among the matches.")
    node: KnowledgeEntry = strawberry.field(description="The entry.")
    rank: float = strawberry.field(
        description="How well it matches: higher is better; only comparable within one search."
    )
    match_kind: MatchKindType = strawberry.field(
        description="Whether it has the words, or only words that look alike."
    )
    marked: strawberry.Private[Marked]

    @computed("The whole summary in pieces, with the hits told apart.")
    async def summary_fragments(self) -> list[TextFragment]:
        """The summary's highlights."""
        return _pieces((await self._highlights()).summary)

    @computed("The places of the details that matter, in pieces; empty when none does.")
    async def details_fragments(self) -> list[TextFragment]:
        """The details' highlights."""
        return _pieces((await self._highlights()).details)

    async def _highlights(self) -> Highlights:
        return (await self.marked()).get(self.node.uuid, Highlights((), ()))


@strawberry.type(description="What a search found, best match first.")
class KnowledgeMatches:
    """A page of matches."""

    edges: list[KnowledgeMatch] = strawberry.field(description="The matches with their ranks.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @computed("The entries alone.")
    def nodes(self) -> list[KnowledgeEntry]:
        """The nodes of the edges."""
        return [edge.node for edge in self.edges]

    @computed("How many entries match in all. Counted only when you ask for it.")
    async def total_count(self) -> int:
        """The size of the result without its paging."""
        return await self.count()


async def search_page(
    info: Info, words: str, wanted_: Filter, first: int | None, after: str | None
) -> KnowledgeMatches:
    """A page of matches, by rank; ids break ties."""
    db, actor = info.context.services.db, info.context.actor
    asked = window(first, after, orders=tuple(_KINDS))
    place = asked.after and _rank_place(asked.after)
    found = await finding.search(db, actor, words, wanted_, limit=asked.fetch, after=place or None)
    kept, before, behind = asked.cut(found.matches)
    entries = [entry for entry, _rank in kept]
    marked = _once(lambda: highlights.highlights(db, actor, words, entries))
    edges = [
        KnowledgeMatch(
            cursor=_cursor(found.kind, entry.id, rank),
            node=KnowledgeEntry.of(entry),
            rank=rank,
            match_kind=MatchKindType(found.kind),
            marked=marked,
        )
        for entry, rank in kept
    ]
    return KnowledgeMatches(
        edges=edges,
        page_info=page_info(edges, before, behind),
        count=lambda: finding.count(db, actor, words, wanted_, found.kind),
    )


def _cursor(kind: MatchKind, entry_id: UUID, rank: float) -> Cursor:
    number: int = struct.unpack(">q", struct.pack(">d", rank))[0]
    return place_cursor(Place(number, entry_id, _ORDERS[kind]))


def _rank_place(place: Place) -> SearchAfter:
    rank: float = struct.unpack(">d", struct.pack(">q", place.number))[0]
    return SearchAfter(_KINDS[place.order], RankKeyset(rank, place.id))


def _once(make: Marked) -> Marked:
    """What `make` makes, made when it is first asked for and then kept."""
    made: asyncio.Future[dict[UUID, Highlights]] | None = None

    def get() -> Awaitable[dict[UUID, Highlights]]:
        nonlocal made
        if made is None:
            made = asyncio.ensure_future(make())
        return made

    return get


@mapped("value", "count")
@strawberry.type(description="A value, and how many entries have it.")
class FacetValue:
    """As `domain.finding.Facet`."""

    value: str = strawberry.field(description="The value.")
    count: int = strawberry.field(description="How many entries of the list have it.")


@mapped("count", author_id=GlobalId("User", "value"), author=One("person", "value"))
@strawberry.type(description="A person, and how many entries are theirs.")
class AuthorFacet:
    """A facet of authors."""

    count: int = strawberry.field(description="How many entries of the list they wrote.")
    author_uuid: strawberry.Private[UUID]

    @computed("The id of the author, as the filter takes it.")
    def author_id(self) -> strawberry.ID:
        """The global id."""
        return ids.encode("User", self.author_uuid)

    @computed("Who it is; null when you no longer share a team with that person.")
    async def author(self, info: Info) -> User | None:
        """The author, if the caller may see who that is."""
        person = await info.context.loaders.people.load(self.author_uuid)
        return None if person is None else User.of(person)


@mapped(
    types=Many("types of a list"),
    projects=Many("projects of a list"),
    tags=Many("tags of a list"),
    authors=Many("authors of a list"),
)
@strawberry.type(
    description="What a list could be narrowed by: the most frequent values first, up to 50 each."
)
class KnowledgeFacets:
    """The facets of a list."""

    types: list[FacetValue] = strawberry.field(description="The kinds of knowledge.")
    projects: list[FacetValue] = strawberry.field(description="The projects.")
    tags: list[FacetValue] = strawberry.field(description="The tags.")
    authors: list[AuthorFacet] = strawberry.field(description="The people who wrote.")

    @classmethod
    def of(cls, found: dict[str, list[finding.Facet]]) -> KnowledgeFacets:
        """The GraphQL view of facets."""

        def values(name: str) -> list[FacetValue]:
            return [FacetValue(value=f.value, count=f.count) for f in found[name]]

        authors = [AuthorFacet(count=f.count, author_uuid=UUID(f.value)) for f in found["authors"]]
        return cls(
            types=values("types"),
            projects=values("projects"),
            tags=values("tags"),
            authors=authors,
        )
