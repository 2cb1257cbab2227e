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

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE_SECONDS = 12.0
_COMMENT = b":\n\n"
_COMPLETE = b"event: complete\ndata: \n\n"

Contents = AsyncGenerator[dict[str, Any], None]


async def begin(engine: Engine, operation: Request, context: Context) -> Contents:
    """The answers of an operation, the last one with the reason when it ends before its time.

    A subscription has begun when this returns: from the head of the response on, none is missed.
    """
    try:
        if engine.operation(operation) is not OperationType.SUBSCRIPTION:
            return single(await engine.execute(operation, context))
        return _guarded(await engine.subscribe(operation, context))
    except Exception as error:  # described, masked and logged in graph.errors
        return single(_reason(error))


async def single(content: dict[str, Any]) -> Contents:
    """One answer and no more."""
    yield content


async def _guarded(responses: Contents) -> Contents:
    async with aclosing(responses):
        try:
            async for content in responses:
                yield content
        except Exception as error:  # described, masked and logged in graph.errors
            yield _reason(error)


def _reason(error: Exception) -> dict[str, Any]:
    return {"errors": error.errors if isinstance(error, Refused) else [errors.described(error)]}


class EventStream(Response):
    """Answers as events, until they end, the credential expires (seconds since 1970) or the client
    goes.
    """

    media_type = MEDIA_TYPE

    def __init__(self, contents: Contents, expires_at: float | None = None) -> None:
        # Proxies must neither keep the events nor collect them.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._contents = contents
        self._expires_at = expires_at
        self._sending = asyncio.Lock()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Stream to the end."""
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(head)
        stream = asyncio.create_task(self._stream(send))
        others = asyncio.create_task(self._keep_alive(send)), asyncio.create_task(_gone(receive))
        tasks = (stream, *others)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not stream.cancelled():
            stream.result()

    async def _stream(self, send: Send) -> None:
        left = None if self._expires_at is None else max(0.0, self._expires_at - time.time())
        async with aclosing(self._contents) as contents:
            try:
                async with asyncio.timeout(left):
                    async for content in contents:
                        await self._send(send, b"event: next\ndata: " + encode(content) + b"\n\n")
            except TimeoutError:
                expired = _reason(Unauthenticated("The token has expired: log in again"))
                await self._send(send, b"event: next\ndata: " + encode(expired) + b"\n\n")
        await self._send(send, _COMPLETE, more=False)

    async def _keep_alive(self, send: Send) -> None:
        while True:
            await self._send(send, _COMMENT)
            await asyncio.sleep(KEEP_ALIVE_SECONDS)

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        async with self._sending:
            await send({"type": "http.response.body", "body": body, "more_body": more})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
