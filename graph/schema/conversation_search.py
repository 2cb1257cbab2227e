"""Search over one's conversations: what is asked for, and what is found."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import strawberry
from strawberry import ID

from domain.errors import Invalid
from domain.reading import search
from domain.reading.conversation import Only, Spot
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.message import Message
from graph.schema.scalars import Cursor
from graph.schema.session import Session

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR_MAX: Final = 8192


@strawberry.type(description="A piece of text, and whether it is what was searched for.")
class SnippetFragment:
    """A piece of a snippet."""

    text: str = strawberry.field(description="The text, to be shown as it is: it is not HTML.")
    hit: bool = strawberry.field(description="Whether it is one of the words.")


@strawberry.type(description="A message that was found.")
class ConversationHit:
    """A hit."""

    message: Message = strawberry.field(description="The message.")
    snippet: list[SnippetFragment] = strawberry.field(
        description="The part of it where the words are, in pieces that follow each other."
    )
    session_uuid: strawberry.Private[UUID]

    @computed("The session it is from; null when that was deleted this very moment.")
    async def session(self, info: Info) -> Session | None:
        """The session."""
        found = await info.context.loaders.sessions.load(self.session_uuid)
        return None if found is None else Session.of(found)

    @classmethod
    def of(cls, hit: search.Hit) -> ConversationHit:
        """The GraphQL view of a hit."""
        return cls(
            message=Message.of(hit.message),
            snippet=[SnippetFragment(text=part.text, hit=part.hit) for part in hit.snippet],
            session_uuid=hit.message.session,
        )


@strawberry.input(description="Where to search.")
class ConversationFilter:
    """What narrows a search."""

    project: str | None = strawberry.field(
        default=None,
        description="Only in sessions of this project: its repository, its name or its folder.",
    )
    session: ID | None = strawberry.field(default=None, description="Only in this session.")
    role: str | None = strawberry.field(
        default=None, description="Only what this role said: user or assistant."
    )
    since: datetime | None = strawberry.field(
        default=None, description="Only messages from this instant on."
    )
    until: datetime | None = strawberry.field(
        default=None, description="Only messages before this instant."
    )


def only_of(filter: ConversationFilter | None) -> Only:
    """What the filter asks for. Raises Invalid for an id that is none."""
    if filter is None:
        return Only()
    session = filter.session
    return Only(
        session=None if session is None else ids.decode("Session", session, "filter", "session"),
        roles=(filter.role,) if filter.role else (),
        project=filter.project,
        since=filter.since,
        until=filter.until,
    )


def cursor_of(spot: Spot) -> Cursor:
    """The cursor of a place among all messages."""
    place = [(spot.at - _EPOCH) // timedelta(microseconds=1), spot.session.hex, *spot[2:]]
    data = json.dumps(place, separators=(",", ":"), ensure_ascii=False).encode()
    return Cursor(base64.urlsafe_b64encode(data).decode())


def spot_of(cursor: str | None) -> Spot | None:
    """What `cursor_of` made a cursor of. Raises Invalid."""
    if cursor is None:
        return None
    try:
        data = base64.b64decode(cursor[:_CURSOR_MAX].encode("ascii"), b"-_", validate=True)
        at, session, file, line = json.loads(data)
        spot = Spot(_EPOCH + timedelta(microseconds=at), UUID(session), file, line)
        if cursor_of(spot) == cursor and 0 < line < 2**63 and "\x00" not in file:
            return spot
    except (ValueError, TypeError, OverflowError, AttributeError, binascii.Error):
        pass
    raise Invalid.at("after", "is not a cursor of this list")
