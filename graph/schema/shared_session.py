"""Sessions as teams see them: what their owners chose to show."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry import ID

from domain import sharing
from domain.sharing import Keyset
from graph.context import Info
from graph.fields import computed
from graph.mapping import Column, GlobalId, One, mapped
from graph.schema import ids
from graph.schema.paging import (
    After,
    Before,
    Connection,
    First,
    Last,
    Place,
    Window,
    connection,
    instant_of,
    place_of,
    window,
)
from graph.schema.scalars import BigInt
from graph.schema.shared_message import SharedMessage, shared_message_page
from graph.schema.user import User

if TYPE_CHECKING:
    from graph.schema.team import Team


@strawberry.enum(description="A fact of a session that its owner shows to a team or keeps back.")
class SharedFact(Enum):
    """The facts of `domain.sharing`."""

    TITLE = strawberry.enum_value("title", description="Its name or what it is about.")
    PROJECT = strawberry.enum_value(
        "project", description="The project's name, without the folders that lead there."
    )
    BRANCH = strawberry.enum_value("branch", description="The branch that was checked out.")
    DIRECTORY = strawberry.enum_value(
        "directory", description="The last part of the folder it ran in, never the whole path."
    )
    TIMES = strawberry.enum_value("times", description="When it began and ended.")
    SIZE = strawberry.enum_value("size", description="How large the conversation is.")
    CONVERSATION = strawberry.enum_value(
        "conversation",
        description="What was said in it up to now, masked; shown only when it is asked for. See "
        "`redactionPreview`.",
    )


@mapped(
    "directory",
    "note",
    "shared_at",
    "expires_at",
    id=GlobalId("SharedSession"),
    title=Column("title", filtered="masked"),
    project_name=Column("project"),
    git_branch=Column("branch"),
    started_at=Column("first_at"),
    ended_at=Column("last_at"),
    conversation_size=Column("size"),
    conversation_lines=Column("lines"),
    shared_by=One("person", "owner_id"),
    team=One("team", "scope_id"),
    session_node_id=GlobalId("Session", "session"),
)
@strawberry.type(
    description="A session that its owner shares with a team: only what the owner chose to show. "
    "Its facts are up to date, so they change while the session goes on."
)
class SharedSession(ids.Node):
    """A share as the team's members see it."""

    kind = "SharedSession"

    title: str | None = strawberry.field(
        description="What it is about: the owner's words for the team, or else the session's own; "
        "null when that is not shown."
    )
    project_name: str | None = strawberry.field(
        description="The project, without the folders that lead there; null when it is not shown."
    )
    git_branch: str | None = strawberry.field(
        description="The branch that was checked out; null when it is not shown."
    )
    directory: str | None = strawberry.field(
        description="The last part of the folder it ran in; null when it is not shown."
    )
    started_at: datetime | None = strawberry.field(
        description="The time of the first message; null when it is not shown."
    )
    ended_at: datetime | None = strawberry.field(
        description="The time of the last message so far; null when it is not shown."
    )
    conversation_size: BigInt | None = strawberry.field(
        description="The size of the conversation in bytes; null when it is not shown."
    )
    conversation_lines: BigInt | None = strawberry.field(
        description="The number of its lines; null when it is not shown."
    )
    note: str | None = strawberry.field(description="What the owner says to the team about it.")
    shared_at: datetime = strawberry.field(description="When the owner shared it last.")
    expires_at: datetime | None = strawberry.field(
        description="When the team ceases to see it; null when there is no such time."
    )
    owner_uuid: strawberry.Private[UUID]
    team_uuid: strawberry.Private[UUID]
    session_uuid: strawberry.Private[UUID]

    @computed("Who shares it: the session's owner.")
    async def shared_by(self, info: Info) -> User | None:
        """The owner, who is a member of the team."""
        person = await info.context.loaders.people.load(self.owner_uuid)
        return None if person is None else User.of(person)

    @computed(
        "What was said until it was shared, masked, in the order of its lines: no thoughts, no "
        "input or output of tools, no subagents. Empty unless the owner shows the "
        "conversation."
    )
    async def messages(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[SharedMessage]:
        """A page of the messages."""
        return await shared_message_page(info, window(first, after, last, before), self.uuid)

    @computed("The team that it is shared with.")
    async def team(
        self, info: Info
    ) -> Annotated[Team, strawberry.lazy("graph.schema.team")] | None:
        """The team, of which the caller is a member."""
        from graph.schema.team import Team  # noqa: PLC0415 - teams have shared sessions

        team = await info.context.loaders.teams.load(self.team_uuid)
        return None if team is None else Team.of(team)

    # An id and no `session`: what a feed shows must not depend on which member looks.
    @computed("The id of the session itself, which leads its owner there, and nobody else.")
    def session_node_id(self) -> ID:
        """The global id of the session."""
        return ids.encode("Session", self.session_uuid)

    @classmethod
    def of(cls, share: sharing.SharedSession) -> SharedSession:
        """The GraphQL view of a share."""
        return cls(
            uuid=share.id,
            title=share.title,
            project_name=share.project,
            git_branch=share.branch,
            directory=share.directory,
            started_at=share.first_at,
            ended_at=share.last_at,
            conversation_size=_big(share.conversation_size),
            conversation_lines=_big(share.conversation_lines),
            note=share.note,
            shared_at=share.shared_at,
            expires_at=share.expires_at,
            owner_uuid=share.owner_id,
            team_uuid=share.team_id,
            session_uuid=share.session,
        )


async def shared_session_page(
    info: Info, asked: Window, team_id: UUID
) -> Connection[SharedSession]:
    """A page of what is shared with a team, last shared first."""
    db, actor = info.context.services.db, info.context.actor
    rows = await sharing.page(
        db,
        actor,
        team_id,
        limit=asked.fetch,
        after=_keyset(asked.after, "after"),
        before=_keyset(asked.before, "before"),
        backward=asked.backward,
    )
    return connection(
        rows, asked, SharedSession.of, _place, lambda: sharing.count(db, actor, team_id)
    )


def _keyset(place: Place | None, argument: str) -> Keyset | None:
    return None if place is None else Keyset(instant_of(place, argument), place.id)


def _place(share: sharing.SharedSession) -> Place:
    return place_of(share.shared_at, share.id)


def _big(number: int | None) -> BigInt | None:
    return None if number is None else BigInt(number)
