"""The events of a feed: what changed, and where to go on from after it.

Long on purpose: every kind of the log with its type, and the table that joins the two.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from strawberry import ID

from domain import feed
from graph.context import Info
from graph.dataloader import DataLoader
from graph.fields import computed
from graph.schema import ids
from graph.schema.knowledge import KnowledgeEntry
from graph.schema.pattern import CommunityPattern
from graph.schema.scalars import Cursor
from graph.schema.sealed import SealedEntry
from graph.schema.session import Session
from graph.schema.session_summary import SessionSummary
from graph.schema.shared_session import SharedSession
from graph.schema.team import Role
from graph.schema.user import User

ValueT = TypeVar("ValueT")


async def _person(info: Info, uuid: UUID) -> User | None:
    person = await info.context.loaders.people.load(uuid)
    return None if person is None else User.of(person)


async def _now(loader: DataLoader[UUID, ValueT], uuid: UUID) -> ValueT:
    """The subject of an event as it is now: one that was loaded for an earlier event is too old."""
    return await loader.clear(uuid).load(uuid)


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

    @computed("The id of the person who did it; null for what the community did.")
    def actor_id(self) -> ID | None:
        """The global id of the actor."""
        return ids.encode("User", self.actor_uuid) if self.actor_uuid.int else None

    @computed("Who did it; null when that person is no longer in the team that the feed is about.")
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


@strawberry.interface(
    description="Somebody came into the team, left it, or has another role in it."
)
class MembershipEvent(FeedEvent):
    """What the events about members have in common."""

    @computed("The id of the person whom it is about.")
    def member_id(self) -> ID:
        """The global id of the person."""
        return ids.encode("User", self.subject_uuid)

    @computed("Whom it is about; null when that person is not in the team any more.")
    async def member(self, info: Info) -> User | None:
        """The person whom it is about."""
        return await _person(info, self.subject_uuid)


@strawberry.type(description="Somebody has joined the team.")
class MemberJoined(MembershipEvent):
    """`member_joined`."""

    role: Role = strawberry.field(description="The role that the person began with.")


@strawberry.type(description="Somebody has left the team, or was removed from it.")
class MemberLeft(MembershipEvent):
    """`member_left` and `member_removed`."""

    removed: bool = strawberry.field(description="Whether somebody else ended the membership.")


@strawberry.type(description="Somebody has another role in the team.")
class MemberRoleChanged(MembershipEvent):
    """`member_role_changed`."""

    role: Role = strawberry.field(description="The role since this event.")
    former_role: Role = strawberry.field(description="The role until then.")


@strawberry.type(description="The team has another owner; the one so far is an admin of it now.")
class OwnershipTransferred(MembershipEvent):
    """`ownership_transferred`; the member is the new owner."""

    former_role: Role = strawberry.field(description="The role that the new owner had until then.")


@strawberry.type(
    description="The team was deleted, and with it what it shared. The feed's last event."
)
class TeamDeleted(FeedEvent):
    """`team_deleted`."""

    name: str | None = strawberry.field(description="What the team was called.")


@strawberry.type(description="The team was founded.")
class TeamCreated(FeedEvent):
    """`team_created`."""


@strawberry.type(description="The team has another name.")
class TeamRenamed(FeedEvent):
    """`team_renamed`."""

    name: str | None = strawberry.field(description="The name since this event.")
    former_name: str | None = strawberry.field(description="The name until then.")


@strawberry.interface(description="A change of a backed-up session.")
class SessionEvent(FeedEvent):
    """What the events about sessions have in common."""

    @computed("The id of the session's node.")
    def session_node_id(self) -> ID:
        """The global id of the session."""
        return ids.encode("Session", self.subject_uuid)

    @computed("The session as it is now; null when it is gone or not yours.")
    async def session(self, info: Info) -> Session | None:
        """The caller's session."""
        found = await _now(info.context.loaders.sessions, self.subject_uuid)
        return None if found is None else Session.of(found)


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


@strawberry.interface(description="A session came into a team's sight or went out of it.")
class SharingEvent(FeedEvent):
    """What the events about shared sessions have in common."""

    @computed("The id of the shared session.")
    def shared_session_id(self) -> ID:
        """The global id of the share."""
        return ids.encode("SharedSession", self.subject_uuid)


@strawberry.type(
    description="A member has shared a session with the team, or changed what it shows of it."
)
class SessionShared(SharingEvent):
    """`session_shared`."""

    @computed("What the team sees of it now; null when it is shared no longer.")
    async def shared_session(self, info: Info) -> SharedSession | None:
        """The share, if the caller may still see it."""
        found = await _now(info.context.loaders.shared_sessions, self.subject_uuid)
        return None if found is None else SharedSession.of(found)


@strawberry.enum(description="Why a session is shared no longer.")
class UnshareReason(Enum):
    """The reasons of `domain.share_ends`."""

    UNSHARED = strawberry.enum_value("unshared", description="Somebody ended it.")
    EXPIRED = strawberry.enum_value("expired", description="The time that was set has come.")
    SESSION_DELETED = strawberry.enum_value(
        "session_deleted", description="Its owner has deleted the session."
    )
    MEMBER_LEFT = strawberry.enum_value("member_left", description="Its owner has left the team.")


@strawberry.type(description="A session is shared with the team no longer.")
class SessionUnshared(SharingEvent):
    """`session_unshared`."""

    reason: UnshareReason = strawberry.field(description="Why.")


@strawberry.interface(description="A change of a session's summary.")
class SummaryEvent(FeedEvent):
    """What the events about summaries have in common."""

    @computed("The id of the summary.")
    def summary_id(self) -> ID:
        """The global id of the summary."""
        return ids.encode("SessionSummary", self.subject_uuid)


@strawberry.type(description="The summary of a session was saved.")
class SummarySaved(SummaryEvent):
    """`summary_saved`."""

    @computed("The summary as it is now; null when it is gone, or moved out of your sight.")
    async def summary(self, info: Info) -> SessionSummary | None:
        """The summary, if the caller may still read it."""
        found = await _now(info.context.loaders.summaries, self.subject_uuid)
        return None if found is None else SessionSummary.of(found)


@strawberry.type(description="A summary was deleted, or moved to another place.")
class SummaryDeleted(SummaryEvent):
    """`summary_deleted`."""


@strawberry.interface(description="What the community shows has changed. Nobody is named.")
class PatternEvent(FeedEvent):
    """What the events about community patterns have in common; `at` is the week's beginning."""

    @computed("The id of the pattern.")
    def pattern_id(self) -> ID:
        """The global id of the pattern."""
        return ids.encode("CommunityPattern", self.subject_uuid)


@strawberry.type(
    description="A pattern is shown, now that enough independent people share it. `at` is the "
    "beginning of the week."
)
class PatternPublished(PatternEvent):
    """`pattern_published`."""

    @computed("The pattern as it is now; null when it is shown no longer.")
    async def pattern(self, info: Info) -> CommunityPattern | None:
        """The pattern, if it is still visible."""
        found = await _now(info.context.loaders.patterns, self.subject_uuid)
        return None if found is None else CommunityPattern.of(found)


@strawberry.type(
    description="A pattern is shown no longer, since too few people share it by now. `at` is the "
    "beginning of the week."
)
class PatternWithdrawn(PatternEvent):
    """`pattern_withdrawn`."""


@strawberry.type(
    description="Somebody has set public keys. Compare the fingerprint before you trust them."
)
class PublicKeysSet(MembershipEvent):
    """`public_keys_set`."""

    number: int = strawberry.field(description="The number of the new keys; 1 are the first.")
    fingerprint: str = strawberry.field(
        description="SHA-256 over account and keys, in hexadecimal, as this server computes it."
    )


@strawberry.type(description="A member was given keys of an encrypted team.")
class TeamKeysWrapped(MembershipEvent):
    """`keys_wrapped`."""

    epochs: list[int] = strawberry.field(description="Which epochs' keys were new to the member.")


@strawberry.type(description="The team is end-to-end encrypted since this event.")
class TeamEncryptionEnabled(FeedEvent):
    """`encryption_enabled`."""

    searchable: bool = strawberry.field(description="Whether entries may carry search tokens.")


@strawberry.type(description="An encrypted team has a new key, which new entries must use.")
class KeyEpochPublished(FeedEvent):
    """`epoch_published`."""

    epoch: int = strawberry.field(description="The number of the new epoch.")


@strawberry.interface(description="A change of a sealed entry.")
class SealedEvent(FeedEvent):
    """What the events about sealed entries have in common."""

    @computed("The id of the entry.")
    def entry_id(self) -> ID:
        """The global id of the entry."""
        return ids.encode("SealedEntry", self.subject_uuid)


@strawberry.type(description="A sealed entry is new, or has a new revision.")
class SealedEntrySaved(SealedEvent):
    """`sealed_created` and `sealed_updated`."""

    is_new: bool = strawberry.field(description="Whether it is the first revision.")

    @computed("The entry as it is now; null when it has been deleted meanwhile.")
    async def entry(self, info: Info) -> SealedEntry | None:
        """The entry, if the caller may still read it."""
        found = await _now(info.context.loaders.encryption.entries, self.subject_uuid)
        return None if found is None else SealedEntry.of(found)


@strawberry.type(description="A sealed entry was deleted.")
class SealedEntryDeleted(SealedEvent):
    """`sealed_deleted`."""


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


def _reason(event: feed.FeedEvent) -> dict[str, Any]:
    return {"reason": UnshareReason(_detail(event, "reason") or "unshared")}


_Extra = Callable[[feed.FeedEvent], dict[str, Any]]
_KINDS: dict[str, tuple[type[FeedEvent], _Extra]] = {
    "knowledge_created": (KnowledgeCreated, _entry),
    "knowledge_updated": (KnowledgeUpdated, _entry),
    "knowledge_deleted": (KnowledgeDeleted, _nothing),
    "member_joined": (MemberJoined, lambda e: {"role": Role(_detail(e, "role") or "member")}),
    "member_left": (MemberLeft, lambda _event: {"removed": False}),
    "member_removed": (MemberLeft, lambda _event: {"removed": True}),
    "team_created": (TeamCreated, _nothing),
    "team_renamed": (
        TeamRenamed,
        lambda e: {"name": _detail(e, "name"), "former_name": _detail(e, "former")},
    ),
    "team_deleted": (TeamDeleted, lambda e: {"name": _detail(e, "name")}),
    "member_role_changed": (
        MemberRoleChanged,
        lambda e: {"role": Role(_detail(e, "role")), "former_role": Role(_detail(e, "former"))},
    ),
    "ownership_transferred": (
        OwnershipTransferred,
        lambda e: {"former_role": Role(_detail(e, "former"))},
    ),
    "session_backed_up": (SessionBackedUp, _nothing),
    "session_created": (SessionCreated, _nothing),
    "session_updated": (SessionUpdated, _nothing),
    "session_deleted": (SessionDeleted, _nothing),
    "session_shared": (SessionShared, _nothing),
    "session_unshared": (SessionUnshared, _reason),
    "summary_saved": (SummarySaved, _nothing),
    "summary_deleted": (SummaryDeleted, _nothing),
    "pattern_published": (PatternPublished, _nothing),
    "pattern_withdrawn": (PatternWithdrawn, _nothing),
    "public_keys_set": (
        PublicKeysSet,
        lambda e: {"number": _detail(e, "number"), "fingerprint": _detail(e, "fingerprint")},
    ),
    "keys_wrapped": (TeamKeysWrapped, lambda e: {"epochs": _detail(e, "epochs")}),
    "encryption_enabled": (
        TeamEncryptionEnabled,
        lambda e: {"searchable": bool(_detail(e, "searchable"))},
    ),
    "epoch_published": (KeyEpochPublished, lambda e: {"epoch": _detail(e, "epoch")}),
    "sealed_created": (SealedEntrySaved, lambda _event: {"is_new": True}),
    "sealed_updated": (SealedEntrySaved, lambda _event: {"is_new": False}),
    "sealed_deleted": (SealedEntryDeleted, _nothing),
    "star_added": (KnowledgeStarred, lambda _event: {"starred": True}),
    "star_removed": (KnowledgeStarred, lambda _event: {"starred": False}),
}
EVENT_TYPES = (*dict.fromkeys(kind for kind, _extra in _KINDS.values()), OtherChange)
"""The types that only the interface leads to; the schema has to be told of them."""


def _made(kind: type[FeedEvent], /, **values: Any) -> FeedEvent:
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
