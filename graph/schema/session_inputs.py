"""What the mutations about sessions take and give."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import ID, UNSET

from graph.schema.session import Session
from graph.schema.shared_session import SharedFact, SharedSession


@strawberry.input(
    description="New words for a session. What you leave out stays; null or empty takes it away. A "
    "client that later sends another name or project for the session replaces yours."
)
class UpdateSessionInput:
    """A change of a session."""

    id: ID = strawberry.field(description="The session; it must be yours.")
    name: str | None = strawberry.field(
        default=UNSET, description="What to call it; at most 1,024 characters."
    )
    project: str | None = strawberry.field(
        default=UNSET, description="The project it belongs to; at most 1,024 characters."
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET, description="All of its tags; at most 20 of at most 50 characters."
    )
    notes: str | None = strawberry.field(
        default=UNSET, description="Notes for yourself; at most 20,000 characters."
    )


@strawberry.type(description="The session has changed.")
class UpdateSessionPayload:
    """What `updateSession` answers."""

    session: Session = strawberry.field(description="The session as it is now.")


@strawberry.input(description="Which session to delete.")
class DeleteSessionInput:
    """A session to delete."""

    id: ID = strawberry.field(description="The session; it must be yours.")


@strawberry.type(
    description="The session is gone with every version of its conversation, and so are its shares."
)
class DeleteSessionPayload:
    """What `deleteSession` answers."""

    deleted_id: ID = strawberry.field(description="The id of the deleted session.")


@strawberry.input(
    description="A session to show to a team. Where the team sees it already, this replaces what "
    "was said before."
)
class ShareSessionInput:
    """A share."""

    id: ID = strawberry.field(description="The session; it must be yours.")
    team_id: ID = strawberry.field(description="The team; you must be allowed to write there.")
    title: str | None = strawberry.field(
        default=UNSET,
        description="What to call it for the team instead of its own title; at most 255 "
        "characters.",
    )
    note: str | None = strawberry.field(
        default=UNSET, description="A word to the team about it; at most 2,000 characters."
    )
    show: list[SharedFact] | None = strawberry.field(
        default=UNSET, description="The facts that the team sees; left out, all but CONVERSATION."
    )
    expires_at: datetime | None = strawberry.field(
        default=UNSET, description="When the team ceases to see it; left out, never."
    )


@strawberry.type(description="The team sees the session.")
class ShareSessionPayload:
    """What `shareSession` answers."""

    shared_session: SharedSession = strawberry.field(description="What the team sees of it.")


@strawberry.input(description="What to share no longer.")
class UnshareSessionInput:
    """A share to end."""

    id: ID = strawberry.field(
        description="The shared session's id. You must be the one who shared it, or an owner or "
        "admin of the team."
    )


@strawberry.type(description="The team does not see the session any more.")
class UnshareSessionPayload:
    """What `unshareSession` answers."""

    unshared_id: ID = strawberry.field(description="The id that the shared session had.")
