"""Session summaries: what a session came to, for oneself or for a team."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

from domain import summaries
from domain.summaries import Filter, Keyset, Summary
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.paging import Connection, Place, Window, connection, instant_of, place_of
from graph.schema.user import User

if TYPE_CHECKING:
    from graph.schema.team import Team


@strawberry.type(
    description="What a session came to, in a few structured words; private, or shared with a team."
)
class SessionSummary(ids.Node):
    """A summary as the caller may read it."""

    kind = "SessionSummary"

    session_id: str = strawberry.field(description="Claude Code's own id of the session.")
    project: str | None = strawberry.field(description="The project that it belongs to.")
    summary: JSON = strawberry.field(
        description="The summary as the client sent it: any JSON object."
    )
    created_at: datetime = strawberry.field(description="When this server first stored it.")
    updated_at: datetime = strawberry.field(description="When it was saved last.")
    author_uuid: strawberry.Private[UUID]
    team_uuid: strawberry.Private[UUID | None]

    @computed("Whose session it was; null when you no longer share a team with that person.")
    async def author(self, info: Info) -> User | None:
        """The author, if the caller may see who that is."""
        person = await info.context.loaders.people.load(self.author_uuid)
        return None if person is None else User.of(person)

    @computed("Whether the author has deleted the account since; `author` is null then.")
    async def author_deleted(self, info: Info) -> bool:
        """Whether there is no such account any more."""
        return await info.context.loaders.deleted_people.load(self.author_uuid)

    @computed("The team that it is shared with; null for a private one.")
    async def team(
        self, info: Info
    ) -> Annotated[Team, strawberry.lazy("graph.schema.team")] | None:
        """The team, of which the caller is a member."""
        from graph.schema.team import Team  # noqa: PLC0415 - teams lead to feeds, feeds here

        if self.team_uuid is None:
            return None
        team = await info.context.loaders.teams.load(self.team_uuid)
        return None if team is None else Team.of(team)

    @classmethod
    def of(cls, summary: Summary) -> SessionSummary:
        """The GraphQL view of a summary."""
        return cls(
            uuid=summary.id,
            session_id=summary.session_id,
            project=summary.project,
            summary=JSON(summary.summary),
            created_at=summary.created_at,
            updated_at=summary.updated_at,
            author_uuid=summary.author_id,
            team_uuid=summary.team_id,
        )


@strawberry.input(description="Which summaries a list is about; every field narrows it.")
class SessionSummaryFilter:
    """The filter of lists of summaries."""

    project: str | None = strawberry.field(default=None, description="Only of this project.")
    session_id: str | None = strawberry.field(
        default=None, description="Only of the session with this id of Claude Code's."
    )
    author_id: ID | None = strawberry.field(default=None, description="Only by this person.")
    since: datetime | None = strawberry.field(
        default=None, description="Only what was saved at this time or later."
    )
    until: datetime | None = strawberry.field(
        default=None, description="Only what was saved before this time."
    )

    def to_domain(self) -> Filter:
        """What the operations take. Raises Invalid for an id of something else."""
        author = self.author_id and ids.decode("User", self.author_id, "filter", "authorId")
        return Filter(
            project=self.project,
            session_id=self.session_id,
            author_id=author or None,
            since=self.since,
            until=self.until,
        )


async def summary_page(
    info: Info, asked: Window, given: SessionSummaryFilter | None, team_id: UUID | None
) -> Connection[SessionSummary]:
    """A page of summaries, last saved first."""
    db, actor = info.context.services.db, info.context.actor
    wanted = replace(Filter() if given is None else given.to_domain(), team_id=team_id)
    rows = await summaries.between(
        db,
        actor,
        wanted,
        limit=asked.fetch,
        after=_keyset(asked.after, "after"),
        before=_keyset(asked.before, "before"),
        backward=asked.backward,
    )
    return connection(
        rows, asked, SessionSummary.of, _place, lambda: summaries.count(db, actor, wanted)
    )


def _keyset(place: Place | None, argument: str) -> Keyset | None:
    return None if place is None else Keyset(instant_of(place, argument), place.id)


def _place(summary: Summary) -> Place:
    return place_of(summary.updated_at, summary.id)


@strawberry.input(
    description="A summary to keep. It replaces your earlier one of that session; with a team it "
    "moves there."
)
class SaveSessionSummaryInput:
    """A summary."""

    session_id: str = strawberry.field(
        description="Claude Code's id of the session; 1 to 255 characters."
    )
    project: str | None = strawberry.field(
        default=None, description="The project; at most 255 characters."
    )
    summary: JSON = strawberry.field(description="Any JSON object.")
    team_id: ID | None = strawberry.field(
        default=None,
        description="The team to share it with; left out, it stays where it is, at first in "
        "private.",
    )


@strawberry.type(description="The summary is kept.")
class SaveSessionSummaryPayload:
    """What `saveSessionSummary` answers."""

    summary: SessionSummary = strawberry.field(description="The summary as it is now.")


@strawberry.input(description="Which summary to delete.")
class DeleteSessionSummaryInput:
    """A summary to delete."""

    id: ID = strawberry.field(description="The summary; it must be yours.")


@strawberry.type(description="The summary is gone.")
class DeleteSessionSummaryPayload:
    """What `deleteSessionSummary` answers."""

    deleted_id: ID = strawberry.field(description="The id of the deleted summary.")
