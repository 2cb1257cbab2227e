"""Knowledge entries and lists of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain import knowledge
from domain.entries import Entry
from domain.knowledge import Filter
from graph.context import Info
from graph.fields import computed
from graph.mapping import Flag, GlobalId, One, mapped
from graph.schema import ids
from graph.schema.knowledge_filters import KnowledgeOrder, order_of
from graph.schema.paging import Connection, Paging, connection, window
from graph.schema.scalars import EpochMillis
from graph.schema.user import User

if TYPE_CHECKING:
    from graph.schema.session import Session
    from graph.schema.team import Team


@mapped(
    "type",
    "timestamp",
    "summary",
    "project",
    "session_id",
    "details",
    "tags",
    "related_files",
    "created_at",
    "updated_at",
    "pinned_at",
    id=GlobalId("KnowledgeEntry"),
    author=One("person", "author_id"),
    starred=Flag("star"),
    session=One("session_called", "session_id"),
    team=One("team", "scope_id"),
)
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
    pinned_at: datetime | None = strawberry.field(
        description="When somebody pinned it for all who see it; null when it is not pinned."
    )
    author_uuid: strawberry.Private[UUID]
    team_uuid: strawberry.Private[UUID | None]

    @computed("Who learned it; null when you no longer share a team with that person.")
    async def author(self, info: Info) -> User | None:
        """The author, if the caller may see who that is."""
        person = await info.context.loaders.people.load(self.author_uuid)
        return None if person is None else User.of(person)

    @computed("Whether the author has deleted the account since; `author` is null then.")
    async def author_deleted(self, info: Info) -> bool:
        """Whether there is no such account any more."""
        return await info.context.loaders.deleted_people.load(self.author_uuid)

    @computed("Whether you have put a star at it; nobody else sees that.")
    async def starred(self, info: Info) -> bool:
        """The caller's own star."""
        return await info.context.loaders.stars.load(self.uuid)

    @computed(
        "The session of yours that it was learned in; null when it is somebody else's, or is not "
        "backed up here."
    )
    async def session(
        self, info: Info
    ) -> Annotated[Session, strawberry.lazy("graph.schema.session")] | None:
        """The caller's own session."""
        from graph.schema.session import Session  # noqa: PLC0415 - sessions lead back here

        if self.session_id is None:
            return None
        found = await info.context.loaders.sessions_called.load(self.session_id)
        return None if found is None else Session.of(found)

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
            pinned_at=entry.pinned_at,
            author_uuid=entry.author_id,
            team_uuid=entry.team_id,
        )


async def knowledge_page(
    info: Info, wanted_: Filter, order: KnowledgeOrder | None, paging: Paging
) -> Connection[KnowledgeEntry]:
    """A page of entries in the given order, newest first without one."""
    db, actor = info.context.services.db, info.context.actor
    by = order_of(order)
    asked = window(*paging, orders=(by.number,))
    rows = await knowledge.page(
        db,
        actor,
        wanted_,
        limit=asked.fetch,
        order=by.order,
        after=by.keyset(asked.after, "after"),
        before=by.keyset(asked.before, "before"),
        backward=asked.backward,
    )
    return connection(
        rows, asked, KnowledgeEntry.of, by.place, lambda: knowledge.count(db, actor, wanted_)
    )
