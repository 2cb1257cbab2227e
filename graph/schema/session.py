"""Backed-up sessions of Claude Code, private to their owner."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import ID

from domain import sessions
from graph.context import Info
from graph.fields import computed
from graph.mapping import Column, Computed, GlobalId, Many, mapped
from graph.schema import ids
from graph.schema.conversation import ConversationFields
from graph.schema.scalars import BigInt

if TYPE_CHECKING:
    from graph.schema.shared_session import SharedSession


def _first(*names: str | None) -> str | None:
    """The first that says something; as `domain.sessions.Session.project`."""
    return next(filter(None, names), None)


@mapped(
    "session_id",
    "name",
    "title",
    "project_name",
    "git_branch",
    "git_remote",
    "conversation_size",
    "conversation_lines",
    "tags",
    "notes",
    "created_at",
    "updated_at",
    id=GlobalId("Session"),
    project=Computed(_first, "git_remote", "project_name", "directory"),
    machine_id=GlobalId("ApiKey", "key_id"),
    working_directory=Column("directory"),
    started_at=Column("first_at"),
    ended_at=Column("last_at"),
    shares=Many("session's shares", "id"),
)
@strawberry.type(description="One session of Claude Code, whose conversation is backed up here.")
class Session(ConversationFields, ids.Node):
    """A session as its owner sees it."""

    kind = "Session"

    session_id: str = strawberry.field(description="Claude Code's own id of the session.")
    name: str | None = strawberry.field(description="The name that it was given.")
    title: str | None = strawberry.field(description="What it is about, from its conversation.")
    project_name: str | None = strawberry.field(description="The project it belongs to.")
    git_remote: str | None = strawberry.field(
        description="The repository that its folder is a clone of, as host and path, where the "
        "client says so: `github.com/al/app`."
    )
    project: str | None = strawberry.field(
        description="What it counts to in `tokenUsage` and can be filtered by: its repository, "
        "which is the same on all machines, else its project's name, else its folder."
    )
    working_directory: str | None = strawberry.field(description="The folder it ran in.")
    git_branch: str | None = strawberry.field(description="The branch that was checked out.")
    started_at: datetime | None = strawberry.field(
        description="The time of the conversation's first message."
    )
    ended_at: datetime | None = strawberry.field(
        description="The time of the conversation's last message so far."
    )
    conversation_size: BigInt = strawberry.field(
        description="The size of the backed-up conversation in bytes; 0 when there is none."
    )
    conversation_lines: BigInt = strawberry.field(
        description="The number of lines of the backed-up conversation."
    )
    tags: list[str] = strawberry.field(description="Your own words to find it by.")
    notes: str | None = strawberry.field(
        description="What you wrote down about it. Teams that it is shared with do not see it."
    )
    machine_id: ID | None = strawberry.field(
        description="The machine that last backed it up, of `viewer.machines`; null when it came "
        "without an API key."
    )
    created_at: datetime = strawberry.field(description="When this server first heard of it.")
    updated_at: datetime = strawberry.field(description="When this server last stored a change.")

    @computed("Where you have shared it, first shared first.")
    async def shares(
        self, info: Info
    ) -> list[Annotated[SharedSession, strawberry.lazy("graph.schema.shared_session")]]:
        """Its shares with teams that the caller is in."""
        from graph.schema.shared_session import SharedSession  # noqa: PLC0415 - it leads back here

        found = await info.context.loaders.session_shares.load(self.uuid)
        return [SharedSession.of(share) for share in found]

    @classmethod
    def of(cls, session: sessions.Session) -> Session:
        """The GraphQL view of a session."""
        return cls(
            uuid=session.id,
            session_id=session.session_id,
            name=session.name,
            title=session.title,
            project_name=session.project_name,
            git_remote=session.git_remote,
            project=session.project,
            working_directory=session.working_directory,
            git_branch=session.git_branch,
            started_at=session.first_at,
            ended_at=session.last_at,
            conversation_size=BigInt(session.conversation_size),
            conversation_lines=BigInt(session.conversation_lines),
            tags=list(session.tags),
            notes=session.notes,
            machine_id=None if session.key_id is None else ids.encode("ApiKey", session.key_id),
            created_at=session.created_at,
            updated_at=session.updated_at,
        )
