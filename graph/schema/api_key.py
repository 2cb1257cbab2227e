"""API keys: credentials for programs, good for some uses and perhaps for some time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import Enum

import strawberry

from domain import keys
from domain.keys import KeyPlace
from graph.context import Info
from graph.mapping import Computed, GlobalId, mapped
from graph.schema import ids
from graph.schema.paging import Connection, Place, Window, connection, instant_of, place_of


@strawberry.enum(name="ApiKeyScope", description="What an API key may be used for.")
class KeyScope(Enum):
    """The scopes of `domain.policy`."""

    READ = strawberry.enum_value(
        "read", description="Reading, feeds included. Every key may; alone it may nothing else."
    )
    WRITE = strawberry.enum_value(
        "write", description="Making, changing and deleting what you keep here; pushes too."
    )
    SYNC = strawberry.enum_value(
        "sync",
        description="What sync clients do: pushes of many entries at once, backups of sessions, "
        "contributions to the community. It adds and brings up to date, and deletes nothing.",
    )
    ADMIN = strawberry.enum_value(
        "admin", description="Your account and your teams: keys, passwords, members, the audit log."
    )


def _scopes(names: Collection[str]) -> list[KeyScope]:
    return [scope for scope in KeyScope if str(scope.value) in names]


@mapped(
    "label",
    "prefix",
    "created_at",
    "last_used_at",
    "expires_at",
    "last_address",
    "last_program",
    id=GlobalId("ApiKey"),
    scopes=Computed(_scopes, "scopes"),
)
@strawberry.type(description="A key that a program of yours uses in place of your password.")
class ApiKey(ids.Node):
    """A key that is not revoked; its secret is never shown again."""

    kind = "ApiKey"

    label: str = strawberry.field(description="What you called it.")
    prefix: str = strawberry.field(description="The first characters of the key, to tell it by.")
    created_at: datetime = strawberry.field(description="When it was made.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to the minute; null if never."
    )
    scopes: list[KeyScope] = strawberry.field(description="What it may be used for.")
    expires_at: datetime | None = strawberry.field(
        description="When it ends, or ended; null for a key that does not."
    )
    last_address: str | None = strawberry.field(
        description="The network address that it was last used from, to the minute."
    )
    last_program: str | None = strawberry.field(
        description="What that program called itself: the first word of its user agent."
    )

    @classmethod
    def of(cls, key: keys.ApiKey) -> ApiKey:
        """The GraphQL view of a key."""
        return cls(
            uuid=key.id,
            label=key.label,
            prefix=key.prefix,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            scopes=_scopes(key.scopes),
            expires_at=key.expires_at,
            last_address=key.last_address,
            last_program=key.last_program,
        )


async def key_page(info: Info, asked: Window) -> Connection[ApiKey]:
    """A page of the caller's keys, oldest first."""
    db, actor = info.context.services.db, info.context.actor
    rows = await keys.page(
        db,
        actor,
        limit=asked.fetch,
        after=_key_place(asked.after, "after"),
        before=_key_place(asked.before, "before"),
        backward=asked.backward,
    )
    return connection(rows, asked, ApiKey.of, _place, lambda: keys.count(db, actor))


def _key_place(place: Place | None, argument: str) -> KeyPlace | None:
    return None if place is None else KeyPlace(instant_of(place, argument), place.id)


def _place(key: keys.ApiKey) -> Place:
    return place_of(key.created_at, key.id)
