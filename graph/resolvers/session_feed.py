"""Following a session while it runs: its messages, as they are backed up."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, cast

import strawberry
from strawberry import ID

from domain import sessions
from domain.feed import Follower
from domain.reading import conversation
from domain.reading.following import Followed
from graph import fanout
from graph.context import Info
from graph.fields import followed
from graph.guards import signed_in
from graph.schema import ids
from graph.schema.conversation import place_of_message
from graph.schema.message import Message
from graph.schema.paging import Place, place_cursor, window
from graph.schema.scalars import Cursor


@strawberry.type(description="A message that was backed up, or the news that others were replaced.")
class SessionFeedEvent:
    """One event of a followed session."""

    cursor: Cursor = strawberry.field(
        description="The message's place in `Session.messages`; as `after` it resumes behind it."
    )
    message: Message | None = strawberry.field(
        description="The message; null when the conversation was replaced by another version, so "
        "that `messages` have to be read anew. The feed goes on at that version's end."
    )


@strawberry.type
class SessionFeed:
    """The root subscription about one session."""

    @followed(
        "A session of yours while it runs: each message once, in order, as it is backed up. Ends "
        "when the session is deleted or your credential ends."
    )
    @signed_in
    async def session_feed(
        self,
        info: Info,
        session_id: Annotated[ID, strawberry.argument(description="The session to follow.")],
        after: Annotated[
            Cursor | None,
            strawberry.argument(
                description="The cursor of the last message that you have, from here or from "
                "`Session.messages`; left out, the feed begins with what comes next."
            ),
        ] = None,
    ) -> AsyncGenerator[SessionFeedEvent, None]:
        """Follow a session."""
        actor, services = info.context.actor, info.context.services
        uuid = ids.decode("Session", session_id, "sessionId")
        place = window(None, after).after
        session = await sessions.get(services.db, actor, str(uuid))
        follower = await info.context.hub.follow(actor, actor.account_id)
        followed = Followed(services, actor, session.id, None if place is None else place.number)
        events = cast(AsyncGenerator[object, None], _events(follower, followed))
        return cast(AsyncGenerator[SessionFeedEvent, None], fanout.Followed(follower, events))


async def _events(follower: Follower, followed: Followed) -> AsyncGenerator[SessionFeedEvent, None]:
    async with aclosing(follower):
        async for message in followed.news():
            yield _event(followed, message)
        async for batch in follower:
            kinds = {event.kind for event in batch if event.subject_id == followed.session}
            if "session_backed_up" in kinds:
                async for message in followed.news():
                    follower.check()
                    yield _event(followed, message)
            if "session_deleted" in kinds:
                return


def _event(followed: Followed, message: conversation.Message | None) -> SessionFeedEvent:
    if message is None:
        cursor = place_cursor(Place(followed.line, followed.session))
        return SessionFeedEvent(cursor=cursor, message=None)
    return SessionFeedEvent(
        cursor=place_cursor(place_of_message(message)), message=Message.of(message)
    )
