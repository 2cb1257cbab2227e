"""Backed-up sessions of Claude Code, private to their owner."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from domain import sessions
from domain.sessions import Keyset
from graph.context import Info
from graph.schema import ids
from graph.schema.conversation import ConversationFields
from graph.schema.paging import Connection, Place, Window, connection, instant_of, place_of
from graph.schema.scalars import BigInt

OfProject = Annotated[
    str | None,
    strawberry.argument(
        description="Only of this project: its name or its folder, whole or the last part."
    ),
]


@strawberry.type(description="One session of Claude Code, whose conversation is backed up here.")
class Session(ConversationFields, ids.Node):
    """A session as its owner sees it."""

    kind = "Session"

    session_id: str = strawberry.field(description="Claude Code's own id of the session.")
    name: str | None = strawberry.field(description="The name that it was given.")
    title: str | None = strawberry.field(description="What it is about, from its conversation.")
    project_name: str | None = strawberry.field(description="The project it belongs to.")
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
    created_at: datetime = strawberry.field(description="When this server first heard of it.")
    updated_at: datetime = strawberry.field(description="When this server last stored a change.")

    @classmethod
    def of(cls, session: sessions.Session) -> Session:
        """The GraphQL view of a session."""
        return cls(
            uuid=session.id,
            session_id=session.session_id,
            name=session.name,
            title=session.title,
            project_name=session.project_name,
            working_directory=session.working_directory,
            git_branch=session.git_branch,
            started_at=session.first_at,
            ended_at=session.last_at,
            conversation_size=BigInt(session.conversation_size),
            conversation_lines=BigInt(session.conversation_lines),
            created_at=session.created_at,
            updated_at=session.updated_at,
        )


async def session_page(info: Info, asked: Window, project: str | None) -> Connection[Session]:
    """A page of the caller's sessions, last changed first."""
    db, actor = info.context.services.db, info.context.actor
    rows = await sessions.page(
        db,
        actor,
        limit=asked.fetch,
        project=project,
        after=_keyset(asked.after, "after"),
        before=_keyset(asked.before, "before"),
        backward=asked.backward,
    )
    return connection(rows, asked, Session.of, _place, lambda: sessions.count(db, actor, project))


def _keyset(place: Place | None, argument: str) -> Keyset | None:
    return None if place is None else Keyset(instant_of(place, argument), place.id)


def _place(session: sessions.Session) -> Place:
    return place_of(session.updated_at, session.id)
