"""GraphQL over Server-Sent Events: distinct connections mode of the graphql-sse protocol.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. One request is one operation. Why
an operation cannot begin or go on comes as a last `next` with `errors`, then `complete`; a stream
that breaks off without `complete` is to be resumed with the cursor of its last event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from graphql import OperationType
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.errors import Unauthenticated
from graph import errors
from graph.context import Context
from graph.encoding import encode
from graph.errors import Refused
from graph.execution import Engine, Request
from graph.fanout import Stream

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE_SECONDS = 12.0
STUCK_SECONDS = 5.0
LAST_WORDS_SECONDS = 0.3
HANG_UP = "teamlore.hang_up"
"""The ASGI extension with which `serving` lets a response break its connection off."""
_COMMENT = b":\n\n"
_COMPLETE = b"event: complete\ndata: \n\n"


class Contents:
    """The encoded answers of an operation, and what to call off when the right to them ends."""

    def __init__(self, answers: AsyncGenerator[bytes, None], stream: Stream | None = None) -> None:
        self.answers = answers
        self.stream = stream


async def begin(engine: Engine, operation: Request, context: Context) -> Contents:
    """The answers of an operation, the last one with the reason when it ends before its time.

    A subscription has begun when this returns: from the head of the response on, none is missed.
    """
    try:
        if engine.operation(operation) is not OperationType.SUBSCRIPTION:
            return single(await engine.execute(operation, context))
        stream = await engine.subscribe(operation, context)
        return Contents(_guarded(stream), stream)
    except Exception as error:  # described, masked and logged in graph.errors
        return single(_reason(error))


def single(content: dict[str, Any]) -> Contents:
    """One answer and no more."""
    return Contents(_single(content))


async def _single(content: dict[str, Any]) -> AsyncGenerator[bytes, None]:
    yield encode(content)


async def _guarded(stream: Stream) -> AsyncGenerator[bytes, None]:
    async with aclosing(stream):
        try:
            async for answer in stream:
                yield answer.encode()
        except Exception as error:  # described, masked and logged in graph.errors
            yield encode(_reason(error))


def _reason(error: Exception) -> dict[str, Any]:
    return {"errors": error.errors if isinstance(error, Refused) else [errors.described(error)]}


class EventStream(Response):
    """Answers as events, until they end, the credential expires (seconds since 1970), the right to
    them is revoked, or the client goes or takes nothing any more.
    """

    media_type = MEDIA_TYPE

    def __init__(self, contents: Contents, expires_at: float | None = None) -> None:
        # Proxies must neither keep the events nor collect them.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._contents = contents
        self._expires_at = expires_at
        self._sending = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream to the end."""
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(head)
        stream = asyncio.create_task(self._stream(send))
        others = asyncio.create_task(self._keep_alive(send)), asyncio.create_task(_gone(receive))
        tasks = (stream, *others)
        self._call_off_when_revoked(stream)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            if any(isinstance(error, _Stuck) for error in ended) or stream.cancelled():
                await _hang_up(scope, receive)
        if not stream.cancelled() and not isinstance(stream.exception(), _Stuck):
            stream.result()

    def _call_off_when_revoked(self, stream: asyncio.Task[None]) -> None:
        """Give a stream whose right has ended a moment to say so, and no more."""
        if self._contents.stream is not None:
            loop = asyncio.get_running_loop()

            def call_off() -> None:
                loop.call_later(LAST_WORDS_SECONDS, stream.cancel)

            self._contents.stream.when_revoked(call_off)

    async def _stream(self, send: Send) -> None:
        left = None if self._expires_at is None else max(0.0, self._expires_at - time.time())
        async with aclosing(self._contents.answers) as answers:
            try:
                async with asyncio.timeout(left):
                    async for answer in answers:
                        await self._send(send, b"event: next\ndata: " + answer + b"\n\n")
            except TimeoutError:
                expired = encode(_reason(Unauthenticated("The token has expired: log in again")))
                await self._send(send, b"event: next\ndata: " + expired + b"\n\n")
        await self._send(send, _COMPLETE, more=False)

    async def _keep_alive(self, send: Send) -> None:
        while True:
            await self._send(send, _COMMENT)
            await asyncio.sleep(KEEP_ALIVE_SECONDS)

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        async with self._sending:
            try:
                async with asyncio.timeout(STUCK_SECONDS):
                    await send({"type": "http.response.body", "body": body, "more_body": more})
            except TimeoutError:
                raise _Stuck from None


class _Stuck(Exception):  # noqa: N818 - a state, no defect
    """The client does not take what it is sent."""


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Break the connection off, with whatever is still to be sent."""
    if extension := (scope.get("extensions") or {}).get(HANG_UP):
        extension["call"]()
        await _gone(receive)
