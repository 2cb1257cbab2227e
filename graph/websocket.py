"""GraphQL over WebSocket: the graphql-transport-ws protocol.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. Close codes beyond the protocol's
own: 4401 the credential is missing, wrong or expired; 4403 it was revoked, or the membership that a
subscription needs has ended. Whoever resumes with the cursor of its last event misses nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import urlsplit

from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from domain.actor import Actor, Origin
from domain.errors import Invalid, Unauthenticated
from domain.feed import Revoked
from domain.services import Services
from graph import credentials, errors
from graph.context import Context
from graph.encoding import encode
from graph.errors import Refused
from graph.execution import Engine, Request
from graph.http import as_operation
from graph.negotiation import Rejected

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
MAX_OPERATIONS = 100
MAX_MESSAGE = 1024 * 1024
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN = 4400, 4401, 4403
WRONG_PROTOCOL, INIT_TIMEOUT, SAME_ID, INIT_TWICE = 4406, 4408, 4409, 4429


class Closing(Exception):  # noqa: N818 - a decision, not a defect
    """The socket has to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def allowed_origin(headers: Mapping[str, str], allowed: tuple[str, ...]) -> bool:
    """Whether a page of that origin may open a socket here: our own, or one that is listed.

    Programs that are no browsers send no Origin, and may.
    """
    origin = headers.get("origin")
    if origin is None or origin in allowed or "*" in allowed:
        return True
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


class Connection:
    """One socket, from the upgrade to its close."""

    def __init__(self, socket: WebSocket, services: Services, engine: Engine) -> None:
        self._socket = socket
        self._services = services
        self._engine = engine
        address = socket.client.host if socket.client else "unknown"
        self._origin = Origin.of(address, socket.headers.get("user-agent"))
        self._credentials: tuple[str, ...] = ()
        self._acknowledged = False
        self._initialised = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._closed = False
        self._timer: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Speak the protocol until either side closes."""
        if not allowed_origin(self._socket.headers, self._services.settings.allowed_origins):
            await self._socket.close(FORBIDDEN)
            return
        offered = self._socket.scope.get("subprotocols", [])
        await self._socket.accept(PROTOCOL if PROTOCOL in offered else None)
        try:
            if PROTOCOL not in offered:
                raise Closing(WRONG_PROTOCOL, "Subprotocol not acceptable")
            self._close_after(INIT_SECONDS, INIT_TIMEOUT, "Connection initialisation timeout")
            while True:
                await self._handle(await self._receive())
        except Closing as closing:
            await self._close(closing)
        except WebSocketDisconnect:
            self._closed = True
        finally:
            await self._end()

    async def _receive(self) -> dict[str, Any]:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is None or len(text) > MAX_MESSAGE:
            raise Closing(BAD_REQUEST, "A message must be text, and not too long")
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise Closing(BAD_REQUEST, "A message must be a JSON object")
        return given

    async def _handle(self, message: dict[str, Any]) -> None:
        kind, id_ = message.get("type"), message.get("id")
        if kind == "connection_init":
            await self._initialise(message.get("payload"))
        elif kind == "ping":
            await self._send({"type": "pong"})
        elif kind == "subscribe" and isinstance(id_, str) and id_:
            await self._begin(id_, message.get("payload"))
        elif kind == "complete" and isinstance(id_, str):
            if task := self._operations.pop(id_, None):
                task.cancel()
        elif kind != "pong":
            raise Closing(BAD_REQUEST, "Unknown or malformed message")

    async def _initialise(self, payload: Any) -> None:
        if self._initialised:
            raise Closing(INIT_TWICE, "Too many initialisation requests")
        self._initialised = True
        if not isinstance(payload, dict | None):
            raise Closing(BAD_REQUEST, "The payload must be an object")
        try:
            self._credentials = credentials.of_headers(self._socket.headers)
            self._credentials += credentials.of_payload(payload or {})
            actor = await self._caller()
        except (Unauthenticated, Invalid) as error:
            raise Closing(UNAUTHORIZED, error.message) from None
        except Exception as error:
            raise Closing(1013, errors.described(error)["message"]) from None
        self._stop_timer()
        if actor.expires_at is not None:
            left = actor.expires_at - time.time()
            self._close_after(left, UNAUTHORIZED, "The token has expired: log in again")
        await self._send({"type": "connection_ack"})
        self._acknowledged = True

    async def _caller(self) -> Actor:
        actor = await credentials.resolve(self._services, self._credentials, self._origin)
        if actor is None:
            raise Unauthenticated
        return actor

    async def _begin(self, id_: str, payload: Any) -> None:
        if not self._acknowledged:
            raise Closing(UNAUTHORIZED, "Unauthorized")
        if id_ in self._operations:
            raise Closing(SAME_ID, f"Subscriber for {id_[:50]} already exists")
        if len(self._operations) >= MAX_OPERATIONS:
            raise Closing(4429, f"More than {MAX_OPERATIONS} operations at once")
        try:
            request = as_operation(payload)
        except Rejected as refusal:
            raise Closing(BAD_REQUEST, refusal.message) from None
        self._operations[id_] = asyncio.create_task(self._operate(id_, request))

    async def _operate(self, id_: str, request: Request) -> None:
        """Run one operation to its end. The credential is looked up anew for each."""
        try:
            await self._run(id_, request)
            await self._finish({"id": id_, "type": "complete"})
        except (Unauthenticated, Revoked) as error:
            code = FORBIDDEN if isinstance(error, Revoked) else UNAUTHORIZED
            await self._close(Closing(code, error.message))
        except Refused as refusal:
            await self._finish({"id": id_, "type": "error", "payload": refusal.errors})
        except WebSocketDisconnect:
            self._closed = True
        except Exception as error:  # described, masked and logged in graph.errors
            described = [errors.described(error)]
            await self._finish({"id": id_, "type": "error", "payload": described})
        finally:
            if self._operations.get(id_) is asyncio.current_task():
                del self._operations[id_]

    async def _run(self, id_: str, request: Request) -> None:
        actor = await self._caller()
        allowance = await self._services.throttle.count(str(actor.account_id), anonymous=False)
        context = Context(self._services, actor, self._origin, allowance)
        request = self._engine.recalled(request)
        if self._engine.operation(request) is not OperationType.SUBSCRIPTION:
            content = await self._engine.execute(request, context)
            await self._send({"id": id_, "type": "next", "payload": content})
            return
        async with aclosing(await self._engine.subscribe(request, context)) as responses:
            async for content in responses:
                await self._send({"id": id_, "type": "next", "payload": content})

    async def _finish(self, message: dict[str, Any]) -> None:
        """The last message of an operation; its id is free again before it goes out."""
        self._operations.pop(message["id"], None)
        with suppress(WebSocketDisconnect):
            await self._send(message)

    async def _send(self, message: dict[str, Any]) -> None:
        text = encode(message).decode()
        async with self._sending:
            if self._closed or self._socket.application_state is not WebSocketState.CONNECTED:
                raise WebSocketDisconnect(1006)
            await self._socket.send_text(text)

    async def _close(self, closing: Closing) -> None:
        if not self._closed:
            self._closed = True
            with suppress(WebSocketDisconnect, RuntimeError, OSError):
                await self._socket.close(closing.code, closing.reason[:100])

    def _close_after(self, seconds: float, code: int, reason: str) -> None:
        async def wait() -> None:
            await asyncio.sleep(max(0.0, seconds))
            await self._close(Closing(code, reason))

        self._stop_timer()
        self._timer = asyncio.create_task(wait())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _end(self) -> None:
        self._stop_timer()
        tasks = list(self._operations.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
