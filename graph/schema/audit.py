"""The audit log: security events of an account or a team, newest first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import ID
from strawberry.scalars import JSON

from domain import audit
from domain.audit import AuditFilter as Wanted
from domain.audit import AuditPlace, AuditRange
from domain.errors import Forbidden
from graph.context import Info
from graph.fields import computed
from graph.mapping import Computed, GlobalId, One, mapped
from graph.schema import ids
from graph.schema.paging import Connection, Place, Window, connection, instant_of, place_of
from graph.schema.user import User


@strawberry.enum(description="What happened.")
class AuditKind(Enum):
    """The kinds of `domain.audit`."""

    REGISTERED = strawberry.enum_value("registered", description="The account was opened.")
    LOGGED_IN = strawberry.enum_value("logged_in", description="Somebody logged in.")
    LOGIN_FAILED = strawberry.enum_value("login_failed", description="The password was wrong.")
    PASSWORD_CHANGED = strawberry.enum_value(
        "password_changed", description="The password was replaced by its owner."
    )
    PASSWORD_SET = strawberry.enum_value(
        "password_set", description="The account got an address and a password to log in with."
    )
    PASSWORD_RESET = strawberry.enum_value(
        "password_reset",
        description="The server's operator, or a code sent by mail, let the account in again; "
        "`detail.by` says which.",
    )
    EMAIL_VERIFIED = strawberry.enum_value(
        "email_verified", description="A code that was sent to the e-mail address came back."
    )
    SIGNED_OUT_EVERYWHERE = strawberry.enum_value(
        "signed_out_everywhere", description="All tokens ended."
    )
    ACCOUNT_DELETED = strawberry.enum_value(
        "account_deleted", description="The account was deleted with everything of its own."
    )
    KEY_MINTED = strawberry.enum_value("key_minted", description="An API key was made.")
    KEY_LABELLED = strawberry.enum_value("key_labelled", description="An API key was renamed.")
    KEY_REVOKED = strawberry.enum_value("key_revoked", description="An API key ended.")
    TEAM_CREATED = strawberry.enum_value("team_created", description="A team was founded.")
    TEAM_RENAMED = strawberry.enum_value("team_renamed", description="A team was renamed.")
    TEAM_DELETED = strawberry.enum_value("team_deleted", description="A team was deleted.")
    INVITED = strawberry.enum_value("invited", description="An invitation by link was made.")
    INVITATION_REVOKED = strawberry.enum_value(
        "invitation_revoked", description="An invitation by link was taken back."
    )
    MEMBER_JOINED = strawberry.enum_value("member_joined", description="Somebody came in.")
    MEMBER_LEFT = strawberry.enum_value("member_left", description="Somebody left.")
    MEMBER_REMOVED = strawberry.enum_value("member_removed", description="Somebody was removed.")
    MEMBER_ROLE_CHANGED = strawberry.enum_value(
        "member_role_changed", description="Somebody got another role."
    )
    OWNERSHIP_TRANSFERRED = strawberry.enum_value(
        "ownership_transferred", description="A team got another owner."
    )
    PUBLIC_KEYS_SET = strawberry.enum_value(
        "public_keys_set", description="Somebody set public keys for encrypted teams."
    )
    ENCRYPTION_ENABLED = strawberry.enum_value(
        "encryption_enabled", description="A team was encrypted end to end, for good."
    )
    EPOCH_PUBLISHED = strawberry.enum_value(
        "epoch_published", description="An encrypted team got a new key."
    )
    KEYS_WRAPPED = strawberry.enum_value(
        "keys_wrapped", description="A member was given keys of an encrypted team."
    )


@strawberry.input(description="Which events of an audit log are wanted; every field narrows it.")
class AuditFilter:
    """The filter of both audit logs."""

    kinds: list[AuditKind] | None = strawberry.field(
        default=None, description="Only these kinds of events."
    )
    since: datetime | None = strawberry.field(default=None, description="Only from then on.")
    until: datetime | None = strawberry.field(default=None, description="Only before then.")

    def to_domain(self) -> Wanted:
        """What the operations take."""
        kinds = tuple(sorted({str(kind.value) for kind in self.kinds or ()}))
        return Wanted(kinds, self.since, self.until)


OnlyEvents = Annotated[
    AuditFilter | None, strawberry.argument(description="Only some of the events.")
]


@mapped(
    "at",
    "kind",
    "address",
    "user_agent",
    "detail",
    id=Computed(str, "id"),
    api_key_id=GlobalId("ApiKey", "key_id"),
    team_id=GlobalId("Team", "team_id"),
    actor_id=GlobalId("User", "actor_id"),
    user_id=GlobalId("User", "account_id"),
    actor=One("person", "actor_id"),
    user=One("person", "account_id"),
)
@strawberry.type(description="A security event: who did what, when, and from where.")
class AuditEvent:
    """One line of the audit log."""

    id: ID = strawberry.field(description="Names this event; no two have the same.")
    at: datetime = strawberry.field(description="When it happened.")
    kind: AuditKind = strawberry.field(description="What happened.")
    address: str | None = strawberry.field(
        description="The network address it came from; null when it was done by the server's "
        "operator and, in your own log, for what others did."
    )
    user_agent: str | None = strawberry.field(
        description="What the program called itself, at most 200 characters; null as `address` is."
    )
    api_key_id: ID | None = strawberry.field(
        description="The API key that it was done with; null for a token, and as `address` is."
    )
    team_id: ID | None = strawberry.field(description="The team that it is about, if any.")
    actor_id: ID | None = strawberry.field(
        description="Who did it, as a User's id; null for a failed log-in and for the operator."
    )
    user_id: ID | None = strawberry.field(description="Whom it concerns, as a User's id.")
    detail: JSON | None = strawberry.field(
        description="What else there is to say, by kind: `role` and `former`, `name` and `former`, "
        "`email`, `key`, `prefix`, `label` and `scopes`, `number` and `fingerprint`, `searchable`, "
        "`epoch`, or `epochs`."
    )
    actor_uuid: strawberry.Private[UUID | None]
    user_uuid: strawberry.Private[UUID | None]

    @computed("Who did it; null when you share no team with that person any more.")
    async def actor(self, info: Info) -> User | None:
        """The person who did it."""
        return await _person(info, self.actor_uuid)

    @computed("Whom it concerns; null when you share no team with that person any more.")
    async def user(self, info: Info) -> User | None:
        """The person whom it concerns."""
        return await _person(info, self.user_uuid)

    @classmethod
    def of(cls, event: audit.Event) -> AuditEvent:
        """The GraphQL view of an event."""
        return cls(
            id=ID(str(event.id)),
            at=event.at,
            kind=AuditKind(event.kind),
            address=event.address,
            user_agent=event.user_agent,
            api_key_id=_named("ApiKey", event.key_id),
            team_id=_named("Team", event.team_id),
            actor_id=_named("User", event.actor_id),
            user_id=_named("User", event.account_id),
            detail=None if event.detail is None else JSON(event.detail),
            actor_uuid=event.actor_id,
            user_uuid=event.account_id,
        )


async def _person(info: Info, uuid: UUID | None) -> User | None:
    person = None if uuid is None else await info.context.loaders.people.load(uuid)
    return None if person is None else User.of(person)


def _named(kind: ids.Kind, uuid: UUID | None) -> ID | None:
    return None if uuid is None else ids.encode(kind, uuid)


async def my_audit(info: Info, given: AuditFilter | None, asked: Window) -> Connection[AuditEvent]:
    """A page of what the caller did and what was done to it."""
    db, actor, wanted = info.context.services.db, info.context.actor, _wanted(given)
    rows = await audit.of_me(db, actor, wanted, _part(asked))
    return _page(rows, asked, lambda: audit.count_of_me(db, actor, wanted))


async def team_audit(
    info: Info, team_id: UUID, given: AuditFilter | None, asked: Window
) -> Connection[AuditEvent]:
    """A page of a team's events; of all teams of a list in one statement. Raises Forbidden."""
    wanted, loaders = _wanted(given), info.context.loaders
    rows = await loaders.team_events.load((team_id, wanted, _part(asked)))
    if rows is None:
        raise Forbidden("Only a team's owner and admins may read its audit log")

    async def count() -> int:
        return await loaders.team_event_counts.load((team_id, wanted)) or 0

    return _page(rows, asked, count)


def _page(
    rows: Sequence[audit.Event], asked: Window, count: Callable[[], Awaitable[int]]
) -> Connection[AuditEvent]:
    return connection(rows, asked, AuditEvent.of, _place, count)


def _wanted(given: AuditFilter | None) -> Wanted:
    return Wanted() if given is None else given.to_domain()


def _part(asked: Window) -> AuditRange:
    after, before = _audit_place(asked.after, "after"), _audit_place(asked.before, "before")
    return AuditRange(asked.fetch, after, before, asked.backward)


def _audit_place(place: Place | None, argument: str) -> AuditPlace | None:
    return None if place is None else AuditPlace(instant_of(place, argument), place.id)


def _place(event: audit.Event) -> Place:
    return place_of(event.at, event.id)
