"""The events of a feed: what changed, and where to go on from after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import ID

from domain import feed
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.knowledge import KnowledgeEntry
from graph.schema.scalars import Cursor
from graph.schema.team import Role
from graph.schema.user import User


async def _person(info: Info, uuid: UUID) -> User | None:
    person = await info.context.loaders.people.load(uuid)
    return None if person is None else User.of(person)


@strawberry.interface(
    description="One change, as it was logged. Events of a feed come in the order in which they "
    "happened, each exactly once."
)
class FeedEvent:
    """What all events have in common."""

    cursor: Cursor = strawberry.field(
        description="Hand this back as `after` to go on exactly behind this event."
    )
    at: datetime = strawberry.field(description="When it happened.")
    actor_uuid: strawberry.Private[UUID]
    subject_uuid: strawberry.Private[UUID]

    @computed("The id of the person who did it.")
    def actor_id(self) -> ID:
        """The global id of the actor."""
        return ids.encode("User", self.actor_uuid)

    @computed("Who did it; null when you no longer share a team with that person.")
    async def actor(self, info: Info) -> User | None:
        """The person who did it."""
        return await _person(info, self.actor_uuid)


@strawberry.interface(description="A change of a knowledge entry.")
class KnowledgeEvent(FeedEvent):
    """What the events about knowledge have in common."""

    @computed("The id of the entry.")
    def entry_id(self) -> ID:
        """The global id of the entry."""
        return ids.encode("KnowledgeEntry", self.subject_uuid)


@strawberry.type(description="An entry is new, or was restored after it had been deleted.")
class KnowledgeCreated(KnowledgeEvent):
    """`knowledge_created`."""

    entry: KnowledgeEntry | None = strawberry.field(
        description="The entry as it is now; null when it has been deleted meanwhile."
    )


@strawberry.type(description="An entry has changed.")
class KnowledgeUpdated(KnowledgeEvent):
    """`knowledge_updated`."""

    entry: KnowledgeEntry | None = strawberry.field(
        description="The entry as it is now; null when it has been deleted meanwhile."
    )


@strawberry.type(description="An entry was deleted.")
class KnowledgeDeleted(KnowledgeEvent):
    """`knowledge_deleted`."""


@strawberry.interface(description="Somebody came into the team or left it.")
class MembershipEvent(FeedEvent):
    """What the events about members have in common."""

    @computed("The id of the person who came or left.")
    def member_id(self) -> ID:
        """The global id of the person."""
        return ids.encode("User", self.subject_uuid)

    @computed("Who came or left; null when you no longer share a team with that person.")
    async def member(self, info: Info) -> User | None:
        """The person who came or left."""
        return await _person(info, self.subject_uuid)


@strawberry.type(description="Somebody has joined the team.")
class MemberJoined(MembershipEvent):
    """`member_joined`."""

    role: Role = strawberry.field(description="The role that the person began with.")


@strawberry.type(description="Somebody has left the team, or was removed from it.")
class MemberLeft(MembershipEvent):
    """`member_left` and `member_removed`."""

    removed: bool = strawberry.field(description="Whether somebody else ended the membership.")


@strawberry.type(description="The team was founded.")
class TeamCreated(FeedEvent):
    """`team_created`."""


@strawberry.type(description="The team has another name.")
class TeamRenamed(FeedEvent):
    """`team_renamed`."""

    name: str | None = strawberry.field(description="The name since this event.")


@strawberry.interface(description="A change of a backed-up session.")
class SessionEvent(FeedEvent):
    """What the events about sessions have in common."""

    @computed("The id of the session's node.")
    def session_node_id(self) -> ID:
        """The global id of the session."""
        return ids.encode("Session", self.subject_uuid)


@strawberry.type(description="More of a session's conversation was backed up.")
class SessionBackedUp(SessionEvent):
    """`session_backed_up`."""


@strawberry.type(description="A session was registered.")
class SessionCreated(SessionEvent):
    """`session_created`."""


@strawberry.type(description="What is known about a session has changed.")
class SessionUpdated(SessionEvent):
    """`session_updated`."""


@strawberry.type(description="A session was deleted.")
class SessionDeleted(SessionEvent):
    """`session_deleted`."""


@strawberry.type(description="The summary of a session was saved.")
class SummarySaved(FeedEvent):
    """`summary_saved`."""


@strawberry.type(description="You put a star at an entry, or took it away. Only you see this.")
class KnowledgeStarred(KnowledgeEvent):
    """`star_added` and `star_removed`."""

    starred: bool = strawberry.field(description="Whether the star is there since this event.")


@strawberry.type(
    description="Something that this version of the schema has no type for. Keep its cursor, and "
    "fetch again what you show."
)
class OtherChange(FeedEvent):
    """Any other kind."""

    kind: str = strawberry.field(description="What the log calls it.")


def _entry(event: feed.FeedEvent) -> dict[str, Any]:
    return {"entry": None if event.entry is None else KnowledgeEntry.of(event.entry)}


def _nothing(_event: feed.FeedEvent) -> dict[str, Any]:
    return {}


def _detail(event: feed.FeedEvent, name: str) -> Any:
    return (event.detail or {}).get(name)


_Extra = Callable[[feed.FeedEvent], dict[str, Any]]
_KINDS: dict[str, tuple[type[FeedEvent], _Extra]] = {
    "knowledge_created": (KnowledgeCreated, _entry),
    "knowledge_updated": (KnowledgeUpdated, _entry),
    "knowledge_deleted": (KnowledgeDeleted, _nothing),
    "member_joined": (MemberJoined, lambda e: {"role": Role(_detail(e, "role") or "member")}),
    "member_left": (MemberLeft, lambda _event: {"removed": False}),
    "member_removed": (MemberLeft, lambda _event: {"removed": True}),
    "team_created": (TeamCreated, _nothing),
    "team_renamed": (TeamRenamed, lambda e: {"name": _detail(e, "name")}),
    "session_backed_up": (SessionBackedUp, _nothing),
    "session_created": (SessionCreated, _nothing),
    "session_updated": (SessionUpdated, _nothing),
    "session_deleted": (SessionDeleted, _nothing),
    "summary_saved": (SummarySaved, _nothing),
    "star_added": (KnowledgeStarred, lambda _event: {"starred": True}),
    "star_removed": (KnowledgeStarred, lambda _event: {"starred": False}),
}
EVENT_TYPES = (*dict.fromkeys(kind for kind, _extra in _KINDS.values()), OtherChange)
"""The types that only the interface leads to; the schema has to be told of them."""


def _made(kind: type[FeedEvent], **values: Any) -> FeedEvent:
    return kind(**values)


def present(event: feed.FeedEvent) -> FeedEvent:
    """The GraphQL view of an event."""
    unknown = (OtherChange, lambda e: {"kind": e.kind})
    kind, extra = _KINDS.get(event.kind, unknown)
    return _made(
        kind,
        cursor=Cursor(event.cursor),
        at=event.at,
        actor_uuid=event.actor_id,
        subject_uuid=event.subject_id,
        **extra(event),
    )
