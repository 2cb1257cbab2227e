"""Subscriptions: the tail of the log, from now on or from behind a cursor."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry
from strawberry import ID

from domain.feed import Follower
from graph.context import Info
from graph.fields import followed
from graph.guards import signed_in
from graph.schema import ids
from graph.schema.feed import FeedEvent, present
from graph.schema.scalars import Cursor

Resume = Annotated[
    Cursor | None,
    strawberry.argument(
        description="The cursor of the last event that you have: the feed goes on exactly behind "
        "it. Left out, the feed begins now."
    ),
]


@strawberry.type(description="What you can follow live, over a WebSocket or server-sent events.")
class Subscription:
    """Root subscriptions."""

    @followed(
        "What happens in a team of yours: in order, each event exactly once. Ends when "
        "your membership or your credential does."
    )
    @signed_in
    async def team_feed(
        self,
        info: Info,
        team_id: Annotated[ID, strawberry.argument(description="The team to follow.")],
        after: Resume = None,
    ) -> AsyncGenerator[FeedEvent, None]:
        """Follow a team's scope."""
        scope_id = ids.decode("Team", team_id, "teamId")
        return _events(await info.context.hub.follow(info.context.actor, scope_id, after))

    @followed("What happens in your own space, such as what your other machines store there.")
    @signed_in
    async def my_feed(self, info: Info, after: Resume = None) -> AsyncGenerator[FeedEvent, None]:
        """Follow the caller's own scope."""
        actor = info.context.actor
        return _events(await info.context.hub.follow(actor, actor.account_id, after))

    @followed(
        "Which patterns the community begins and ceases to show. Nobody is named, and times are "
        "weeks."
    )
    @signed_in
    async def community_feed(
        self, info: Info, after: Resume = None
    ) -> AsyncGenerator[FeedEvent, None]:
        """Follow the community's scope."""
        return _events(await info.context.hub.follow_community(info.context.actor, after))


async def _events(follower: Follower) -> AsyncGenerator[FeedEvent, None]:
    async with aclosing(follower):
        async for batch in follower:
            for event in batch:
                follower.check()
                yield present(event)
