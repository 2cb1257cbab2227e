"""Lists of sessions: what narrows them, their order, their pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Annotated, cast

import strawberry
from strawberry import ID

from domain import sessions
from domain.sessions import Filter, Keyset, Order
from graph.context import Info
from graph.schema import ids
from graph.schema.paging import Connection, Place, Window, connection, instant_of, place_of
from graph.schema.session import Session

OfProject = Annotated[
    str | None,
    strawberry.argument(
        description="Only of this project: its repository, its name or its folder, whole or the "
        "last part. The same as `filter.project`."
    ),
]


@strawberry.enum(description="What a list of sessions goes by.")
class SessionOrder(Enum):
    """The orders of `db.sessions`."""

    UPDATED = strawberry.enum_value(
        "updated", description="What this server stored a change of last comes first."
    )
    STARTED = strawberry.enum_value(
        "started",
        description="What began last comes first, by the conversation's first message; without "
        "one by when this server first heard of it.",
    )
    SIZE = strawberry.enum_value("size", description="The largest conversation comes first.")


@strawberry.input(description="Which sessions a list is about; every field narrows it.")
class SessionFilter:
    """The filter of lists of sessions."""

    project: str | None = strawberry.field(
        default=None,
        description="Only of this project: its repository, its name or its folder, whole or the "
        "last part.",
    )
    branch: str | None = strawberry.field(default=None, description="Only on this branch.")
    text: str | None = strawberry.field(
        default=None, description="Only with this in the name or the title, in upper or lower case."
    )
    since: datetime | None = strawberry.field(
        default=None, description="Only what went on at this time or later."
    )
    until: datetime | None = strawberry.field(
        default=None, description="Only what had begun before this time."
    )
    has_conversation: bool | None = strawberry.field(
        default=None, description="Only with (true) or without (false) a backed-up conversation."
    )
    tags: list[str] | None = strawberry.field(
        default=None, description="Only with all of these tags of yours."
    )

    machine: ID | None = strawberry.field(
        default=None, description="Only what this machine was the last to back up."
    )

    def to_domain(self) -> Filter:
        """What the operations take. Raises Invalid for an id of something else."""
        key_id = self.machine and ids.decode("ApiKey", self.machine, "filter", "machine")
        return Filter(
            project=self.project,
            branch=self.branch,
            text=self.text,
            since=self.since,
            until=self.until,
            has_conversation=self.has_conversation,
            tags=tuple(self.tags or ()),
            key_id=key_id or None,
        )


Narrowed = Annotated[SessionFilter | None, strawberry.argument(description="Only some of them.")]
Ordered = Annotated[
    SessionOrder, strawberry.argument(description="What the list goes by; UPDATED unless given.")
]


async def session_page(
    info: Info,
    asked: Window,
    given: SessionFilter | None,
    project: str | None,
    order_by: SessionOrder,
) -> Connection[Session]:
    """A page of the caller's sessions."""
    db, actor = info.context.services.db, info.context.actor
    wanted = Filter() if given is None else given.to_domain()
    if project is not None:
        wanted = replace(wanted, project=project)
    order = cast(Order, order_by.value)
    rows = await sessions.page(
        db,
        actor,
        wanted,
        limit=asked.fetch,
        order=order,
        after=_keyset(asked.after, order, "after"),
        before=_keyset(asked.before, order, "before"),
        backward=asked.backward,
    )
    return connection(
        rows,
        asked,
        Session.of,
        lambda session: _place(session.place(order)),
        lambda: sessions.count(db, actor, wanted),
    )


def _keyset(place: Place | None, order: Order, argument: str) -> Keyset | None:
    if place is None:
        return None
    return Keyset(place.number if order == "size" else instant_of(place, argument), place.id)


def _place(keyset: Keyset) -> Place:
    if isinstance(keyset.value, int):
        return Place(keyset.value, keyset.id)
    return place_of(keyset.value, keyset.id)
