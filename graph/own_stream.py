"""Answers of a subscription whose events are made for one follower alone.

The counterpart of the shared executions in `graph.fanout`, with the same three methods.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, cast

from graphql import ExecutionResult
from graphql.execution import Executor, execute_subscription_event

from domain.feed import Follower
from graph.context import Context
from graph.encoding import encode
from graph.fanout import View, response


class OwnFeed(AsyncIterator[object]):
    """What the resolver of such a subscription returns: its events, and who ends with them."""

    def __init__(self, follower: Follower, events: AsyncGenerator[object, None]) -> None:
        self.follower = follower
        self.events = events

    async def __anext__(self) -> object:
        """The next event."""
        return await anext(self.events)


class OwnStream(AsyncIterator[str]):
    """The answers, encoded, in order. Raises Revoked once they may not be followed any more."""

    def __init__(self, executor: Executor[Any], feed: OwnFeed, context: Context) -> None:
        self._executor = executor
        self._feed = feed
        self._view = View(context.services, lambda: context.actor)

    async def __anext__(self) -> str:
        """The answer to the next event."""
        event = await anext(self._feed)
        # In a task of its own: an execution that is cut short leaves coroutines behind.
        text = await asyncio.shield(asyncio.create_task(self._execute(event)))
        self._feed.follower.check()
        return text

    async def _execute(self, event: object) -> str:
        each = self._executor.build_per_event_executor(event)
        each.context_value = self._view.context()
        result = execute_subscription_event(each)
        if each.is_awaitable(result):
            result = await cast(Awaitable[ExecutionResult], result)
        return encode(response(cast(ExecutionResult, result))).decode()

    def when_revoked(self, end: Callable[[], None]) -> None:
        """Have `end` called at once when it is revoked, also while nobody waits for an answer."""
        self._feed.follower.on_revoked = end
        if self._feed.follower.revoked:
            end()

    async def aclose(self) -> None:
        """Follow no longer."""
        await self._feed.events.aclose()
        await self._feed.follower.aclose()
