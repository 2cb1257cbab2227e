"""Knowledge entries, lists of them, and search."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry import ID

from domain import knowledge
from domain.entries import Entry
from domain.knowledge import Filter, Keyset
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.paging import (
    Connection,
    PageInfo,
    Place,
    Window,
    connection,
    page_info,
    place_cursor,
)
from graph.schema.scalars import Cursor, EpochMillis
from graph.schema.user import User

if TYPE_CHECKING:
    from graph.schema.team import Team

MAX_OFFSET = 10_000
"""How deep into the matches of a search one can page."""


@strawberry.type(
    description="Something that was learned in a coding session: a decision, a solution, an error "
    "and its fix."
)
class KnowledgeEntry(ids.Node):
    """An entry as the caller may read it."""

    kind = "KnowledgeEntry"

    type: str = strawberry.field(
        description="What kind of knowledge it is, such as decision, solution or error_fix."
    )
    timestamp: EpochMillis = strawberry.field(
        description="When it was learned, by the clock of the machine that sent it."
    )
    summary: str = strawberry.field(description="What was learned, in short.")
    project: str | None = strawberry.field(description="The project that it belongs to.")
    session_id: str | None = strawberry.field(
        description="The Claude Code session in which it was learned."
    )
    details: str | None = strawberry.field(description="The long version.")
    tags: list[str] = strawberry.field(description="Free words to find it by.")
    related_files: list[str] = strawberry.field(description="Files that it is about.")
    created_at: datetime = strawberry.field(description="When this server first stored it.")
    updated_at: datetime = strawberry.field(description="When this server last stored a change.")
    author_uuid: strawberry.Private[UUID]
    team_uuid: strawberry.Private[UUID | None]

    @computed("Who learned it; null when you no longer share a team with that person.")
    async def author(self, info: Info) -> User | None:
        """The author, if the caller may see who that is."""
        person = await info.context.loaders.people.load(self.author_uuid)
        return None if person is None else User.of(person)

    @computed("The team that it is shared with; null for a private entry.")
    async def team(
        self, info: Info
    ) -> Annotated[Team, strawberry.lazy("graph.schema.team")] | None:
        """The team, of which the caller is a member."""
        from graph.schema.team import Team  # noqa: PLC0415 - teams have knowledge, too

        if self.team_uuid is None:
            return None
        team = await info.context.loaders.teams.load(self.team_uuid)
        return None if team is None else Team.of(team)

    @classmethod
    def of(cls, entry: Entry) -> KnowledgeEntry:
        """The GraphQL view of an entry."""
        return cls(
            uuid=entry.id,
            type=entry.type,
            timestamp=EpochMillis(entry.timestamp),
            summary=entry.summary,
            project=entry.project,
            session_id=entry.session_id,
            details=entry.details,
            tags=list(entry.tags),
            related_files=list(entry.related_files),
            created_at=entry.created_at,
            updated_at=entry.updated_at,
            author_uuid=entry.author_id,
            team_uuid=entry.team_id,
        )


@strawberry.input(description="Which entries a list is about; every field narrows it.")
class KnowledgeFilter:
    """The filter of lists and of search."""

    type: str | None = strawberry.field(default=None, description="Only this kind of knowledge.")
    project: str | None = strawberry.field(default=None, description="Only of this project.")
    author_id: ID | None = strawberry.field(default=None, description="Only by this person.")
    tags: list[str] | None = strawberry.field(
        default=None, description="Only with all of these tags."
    )

    def to_domain(self) -> Filter:
        """What the operations take. Raises Invalid for an id of something else."""
        author = self.author_id and ids.decode("User", self.author_id, "filter", "authorId")
        return Filter(
            type=self.type,
            project=self.project,
            author_id=author or None,
            tags=tuple(self.tags or ()),
        )


def wanted(given: KnowledgeFilter | None, team_id: UUID | None, *, only_team: bool) -> Filter:
    """The filter of an operation: what was asked for, within a team or not."""
    base = Filter() if given is None else given.to_domain()
    return replace(base, team_id=team_id, only_team=only_team)


async def knowledge_page(info: Info, wanted_: Filter, asked: Window) -> Connection[KnowledgeEntry]:
    """A page of entries, newest first."""
    db, actor = info.context.services.db, info.context.actor
    rows = await knowledge.page(
        db,
        actor,
        wanted_,
        limit=asked.fetch,
        after=_keyset(asked.after),
        before=_keyset(asked.before),
        backward=asked.backward,
    )
    return connection(
        rows, asked, KnowledgeEntry.of, _place, lambda: knowledge.count(db, actor, wanted_)
    )


def _keyset(place: Place | None) -> Keyset | None:
    return None if place is None else Keyset(place.number, place.id)


def _place(entry: Entry) -> Place:
    return Place(entry.timestamp, entry.id)


@strawberry.type(description="An entry that a search found.")
class KnowledgeMatch:
    """An edge of a search, with its rank."""

    cursor: Cursor = strawberry.field(description="The place of this match among the matches.")
    node: KnowledgeEntry = strawberry.field(description="The entry.")
    rank: float = strawberry.field(
        description="How well it matches: higher is better; only comparable within one search."
    )


@strawberry.type(description="What a search found, best match first.")
class KnowledgeMatches:
    """A page of matches."""

    edges: list[KnowledgeMatch] = strawberry.field(description="The matches with their ranks.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="How many entries match in all.")

    @computed("The entries alone.")
    def nodes(self) -> list[KnowledgeEntry]:
        """The nodes of the edges."""
        return [edge.node for edge in self.edges]


async def search_page(info: Info, words: str, wanted_: Filter, asked: Window) -> KnowledgeMatches:
    """A page of matches. They have no order but their rank, so a place is a count of matches."""
    offset = 0 if asked.after is None else min(max(0, asked.after.number), MAX_OFFSET)
    found, total = await knowledge.search(
        info.context.services.db,
        info.context.actor,
        words,
        wanted_,
        limit=asked.limit,
        offset=offset,
    )
    edges = [
        KnowledgeMatch(
            cursor=place_cursor(Place(number, entry.id)), node=KnowledgeEntry.of(entry), rank=rank
        )
        for number, (entry, rank) in enumerate(found, offset + 1)
    ]
    behind = offset + len(edges) < total
    return KnowledgeMatches(
        edges=edges, page_info=page_info(edges, offset > 0, behind), total_count=total
    )
