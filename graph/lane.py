"""The short way of a query over HTTP: from bytes to bytes, where the request was seen before.

Everything that a request must pass is passed here too (who asks, the budget, what the client
takes); whatever is new or wrong goes the ordinary way, which `graph.http` is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from direct import AGAIN, Again, Answer, Answered, Asked
from domain.actor import Actor, Origin
from domain.recent import Key as RecentKey
from domain.services import Services
from domain.throttle import Allowance, OverBudget
from graph import credentials
from graph.context import Context
from graph.encoding import encode
from graph.execution import Engine
from graph.http import HttpEndpoint, as_operation, parsed, refusal, telling
from graph.negotiation import Accepted, Rejected, accepted
from graph.plan.shortcuts import Shortcut

_JSON = b"application/json"
_LINES = (
    b"content-type: %b; charset=utf-8\r\n"
    b"vary: Accept-Encoding\r\n"
    b"ratelimit-limit: %d\r\n"
    b"ratelimit-remaining: %d\r\n"
    b"ratelimit-reset: %d\r\n"
)
_FORWARDED = {b"x-forwarded-for", b"x-forwarded-proto"}
_taken = lru_cache(256)(accepted)


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a request says of it."""

    who: RecentKey
    origin: Origin
    media_type: bytes
    """The JSON that its sender takes."""


class Lane:
    """Answers what it can at once, and hands on the rest."""

    def __init__(self, services: Services, engine: Engine, endpoint: HttpEndpoint) -> None:
        self._services, self._engine, self._endpoint = services, engine, endpoint
        self._looked_up: tuple[bytes, Shortcut | None] = b"", None

    def head(self, scope: Scope) -> Head | None:
        """Who sends a POST, and what is to come back, where it may be answered without a task."""
        headers = dict(scope["headers"])
        if not self._is_ours(headers) or not headers.keys().isdisjoint(_FORWARDED):
            return None
        bearer, media_type = _bearer(headers), _media_type(headers)
        if bearer is None or media_type is None:
            return None
        origin = _origin(scope, headers)
        return Head(self._services.recent.key(bearer, origin), origin, media_type.encode())

    def ask(self, head: Head, body: bytes, answer: Answer) -> Asked | None:
        """Answer such a POST, as `direct` has it, if rows are all that it takes."""
        caller = self._services.recent.known(head.who)
        if caller is None:
            return None
        shortcut = self._shortcut(body)
        self._looked_up = body, shortcut
        plan = None if shortcut is None else shortcut.bound.alone
        if shortcut is None or plan is None:
            return None
        arguments = shortcut.bound.arguments(caller)
        if arguments is None:
            return None  # before anything is charged, which the ordinary way does
        allowance = self._services.throttle.at_once(str(caller.account_id), shortcut.cost)
        if allowance is None:
            return None

        def told(data: dict[str, Any] | None) -> None:
            if data is None:
                known = Context(self._services, caller, head.origin, allowance, shortcut.cost)
                answer(Again(known))
            else:
                answer(Answered(_lines(head.media_type, allowance), encode({"data": data})))

        return self._engine.ask(plan, arguments, told)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers = dict(scope["headers"])
        admitted = scope.get("extensions", {}).get(AGAIN)
        if admitted is not None or scope["method"] != "POST" or not self._is_ours(headers):
            await self._ordinary(scope, receive, send, admitted)
            return
        first = await receive()
        whole = first["type"] == "http.request" and not first.get("more_body", False)
        shortcut = self._looked_up_shortcut(first.get("body", b"")) if whole else None
        receive = _again(first, receive)
        if shortcut is None:
            await self._ordinary(scope, receive, send, None)
            return
        await self._answer(scope, headers, receive, send, shortcut)

    def _looked_up_shortcut(self, body: bytes) -> Shortcut | None:
        """The shortcut of a body, which `ask` may have looked for a moment ago."""
        (latest, shortcut), self._looked_up = self._looked_up, (b"", None)
        return shortcut if latest == body else self._shortcut(body)

    def _is_ours(self, headers: dict[bytes, bytes]) -> bool:
        kind = headers.get(b"content-type", b"").partition(b";")[0]
        return kind == _JSON and self._engine.plans

    def _shortcut(self, body: bytes) -> Shortcut | None:
        found = self._engine.shortcuts.of_body(body)
        if found is not None:
            return found
        try:
            operation = self._engine.recalled(as_operation(parsed(body, "body")))
        except Exception:  # the ordinary way says what is wrong
            return None
        if operation.persisted is not None and b'"query"' in body:
            return None  # to be kept under its hash
        name = (operation.query, operation.operation_name)
        return self._engine.shortcuts.of_operation(name, operation.variables or {})

    async def _answer(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        receive: Receive,
        send: Send,
        shortcut: Shortcut,
    ) -> None:
        taken, allowance = Accepted(), None
        try:
            taken = _taken(_text(headers, b"accept"))
            origin = _origin(scope, headers)
            caller = self._known(headers, origin) or await self._caller(headers, origin)
            if caller is None or taken.json is None:
                await self._ordinary(scope, receive, send, None)
                return
            who, throttle = str(caller.account_id), self._services.throttle
            settled = throttle.at_once(who, shortcut.cost)
            if settled is None:
                allowance = await throttle.count(who, anonymous=False)
                settled = await throttle.settle(allowance, shortcut.cost)
            allowance = settled
            context = Context(self._services, caller, origin, settled, shortcut.cost)
            data = await self._engine.run(shortcut.bound, context)
        except Exception as error:  # described, masked and logged in graph.errors
            if isinstance(error, OverBudget):
                allowance = error.allowance
            await telling(refusal(error, taken), allowance)(scope, receive, send)
            return
        if data is None:
            await self._ordinary(scope, receive, send, context)
            return
        body = encode({"data": data})
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": _head(len(body), taken.json, settled),
            }
        )
        await send({"type": "http.response.body", "body": body})

    def _known(self, headers: dict[bytes, bytes], origin: Origin) -> Actor | None:
        """Who asks, if it was found a moment ago."""
        bearer, recent = _bearer(headers), self._services.recent
        return None if bearer is None else recent.known(recent.key(bearer, origin))

    async def _caller(self, headers: dict[bytes, bytes], origin: Origin) -> Actor | None:
        given = {
            name: text
            for name in ("authorization", "x-api-key")
            if (text := _text(headers, name.encode())) is not None
        }
        return await credentials.resolve(self._services, credentials.of_headers(given), origin)

    async def _ordinary(
        self, scope: Scope, receive: Receive, send: Send, admitted: Context | None
    ) -> None:
        response: Response = await self._endpoint.respond(Request(scope, receive), admitted)
        await response(scope, receive, send)


def _bearer(headers: dict[bytes, bytes]) -> str | None:
    bearer, key = headers.get(b"authorization"), headers.get(b"x-api-key")
    if key is not None or bearer is None or bearer[:7].lower() != b"bearer ":
        return None
    return bearer[7:].decode("latin-1").strip()


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def _media_type(headers: dict[bytes, bytes]) -> str | None:
    """The JSON that the client takes; None where the ordinary way has to say something else."""
    try:
        return _taken(_text(headers, b"accept")).json
    except Rejected:
        return None


_origin_of = lru_cache(4096)(Origin.of)


def _origin(scope: Scope, headers: dict[bytes, bytes]) -> Origin:
    client = scope.get("client")
    return _origin_of(client[0] if client else "unknown", _text(headers, b"user-agent"))


def _head(size: int, media_type: str, allowance: Allowance) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-length", b"%d" % size),
        (b"content-type", media_type.encode() + b"; charset=utf-8"),
        (b"vary", b"Accept-Encoding"),
        (b"ratelimit-limit", b"%d" % allowance.limit),
        (b"ratelimit-remaining", b"%d" % allowance.remaining),
        (b"ratelimit-reset", b"%d" % round(allowance.reset_seconds)),
    ]


def _lines(media_type: bytes, allowance: Allowance) -> bytes:
    """The same for an answer without a task, but for its length."""
    reset = round(allowance.reset_seconds)
    return _LINES % (media_type, allowance.limit, allowance.remaining, reset)


def _again(first: Message, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """A `receive` that begins with a message which was taken already."""
    taken = False

    async def next_message() -> Message:
        nonlocal taken
        if taken:
            return await receive()
        taken = True
        return first

    return next_message
