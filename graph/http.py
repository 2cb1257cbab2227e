"""GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/.

A POST must say `application/json`, which no page of another origin can make a browser send without
asking first; a GET only ever reads. So there is nothing to forge across sites.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from domain.actor import Actor, Origin
from domain.errors import RateLimited, TooLarge
from domain.services import Services
from graph import credentials, errors, sse
from graph.context import Context
from graph.encoding import encode
from graph.errors import Refused
from graph.execution import Engine
from graph.execution import Request as Operation
from graph.sse import EventStream

MODERN, LEGACY = "application/graphql-response+json", "application/json"
MAX_BODY = 4 * 1024 * 1024
_STATUS = {
    "UNAUTHENTICATED": 401,
    "BAD_USER_INPUT": 400,
    "RATE_LIMITED": 429,
    "TOO_LARGE": 413,
    "UNAVAILABLE": 503,
    "INTERNAL": 500,
}


class Rejected(Exception):  # noqa: N818 - it is an answer
    """The HTTP request is no GraphQL request."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the client takes: its favourite of the two kinds of JSON, and events or not."""

    json: str | None = LEGACY
    events: bool = False


class HttpEndpoint:
    """Answers queries and mutations, and streams subscriptions to those who accept events."""

    def __init__(self, services: Services, engine: Engine) -> None:
        self._services = services
        self._engine = engine

    async def respond(self, request: Request) -> Response:
        """The answer to one request."""
        accepted = Accepted()
        try:
            accepted = _accepted(request.headers.get("accept"))
            caller, origin = await self._admit(request)
            operation = await _operation(request)
            return await self._run(
                request, operation, Context(self._services, caller, origin), accepted
            )
        except Rejected as refusal:
            content = {"errors": [{"message": refusal.message}]}
            return _answer(content, refusal.status, accepted.json, refusal.headers)
        except Refused as refusal:
            if accepted.json is None:
                return EventStream(sse.single({"errors": refusal.errors}))
            status = 400 if accepted.json == MODERN else 200
            return _answer({"errors": refusal.errors}, status, accepted.json)
        except Exception as error:  # described, masked and logged in graph.errors
            return _failure(error, accepted.json)

    async def _admit(self, request: Request) -> tuple[Actor | None, Origin]:
        """Who asks and from where, counted against its allowance."""
        address = request.client.host if request.client else "unknown"
        origin = Origin.of(address, request.headers.get("user-agent"))
        given = credentials.of_headers(request.headers)
        caller = await credentials.resolve(self._services, given, origin)
        who = address if caller is None else str(caller.account_id)
        await self._services.throttle.count(who, anonymous=caller is None)
        return caller, origin

    async def _run(
        self, request: Request, operation: Operation, context: Context, accepted: Accepted
    ) -> Response:
        kind = self._engine.operation(operation)
        if kind is OperationType.SUBSCRIPTION and not accepted.events:
            message = f"Subscriptions go over a WebSocket, or to who accepts {sse.MEDIA_TYPE}"
            raise Rejected(400, message)
        if kind is OperationType.MUTATION and request.method == "GET":
            raise Rejected(405, "A mutation must be sent with POST", {"Allow": "POST"})
        if kind is OperationType.SUBSCRIPTION or accepted.json is None:
            contents = await sse.begin(self._engine, operation, context)
            return EventStream(contents, context.caller.expires_at if context.caller else None)
        content = await self._engine.execute(operation, context)
        return _answer(content, _status(content), accepted.json)


def _status(content: dict[str, Any]) -> int:
    if content["data"] is not None:
        return 200
    codes = {error.get("extensions", {}).get("code") for error in content.get("errors", ())}
    return 503 if "UNAVAILABLE" in codes else 200


def _accepted(header: str | None) -> Accepted:
    """What the client takes, by its Accept header. Raises Rejected (406)."""
    if not header:
        return Accepted()
    wishes: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        wishes[name] = float(quality) if quality.replace(".", "", 1).isdigit() else 0.0
    fallback = wishes.get("application/*", wishes.get("*/*", 0.0))
    modern, legacy = wishes.get(MODERN, 0.0), wishes.get(LEGACY, fallback)
    events = wishes.get(sse.MEDIA_TYPE, 0.0) > 0
    if max(modern, legacy) > 0:
        return Accepted(MODERN if modern >= legacy else LEGACY, events)
    if not events:
        raise Rejected(406, f"This endpoint answers in {MODERN}, {LEGACY} or {sse.MEDIA_TYPE}")
    return Accepted(None, events)


async def _operation(request: Request) -> Operation:
    """What the client asks for. Raises Rejected."""
    if request.method == "GET":
        given: dict[str, Any] = dict(request.query_params)
        for name in ("variables", "extensions"):
            if name in given:
                given[name] = _json(given[name].encode("utf-8", "surrogatepass"), name)
    elif request.method == "POST":
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Rejected(415, "Send application/json")
        given = _json(await _body(request), "body")
    else:
        raise Rejected(405, "Use POST or GET", {"Allow": "GET, POST"})
    return as_operation(given)


def as_operation(given: object) -> Operation:
    """A request's members as an operation. Raises Rejected when they have the wrong types."""
    if not isinstance(given, dict):
        raise Rejected(400, "The body must be a JSON object")
    query, variables = given.get("query"), given.get("variables")
    name, extensions = given.get("operationName"), given.get("extensions")
    if not isinstance(query, str) or not query:
        raise Rejected(400, "query must be a string")
    if not isinstance(variables, dict | None) or not isinstance(extensions, dict | None):
        raise Rejected(400, "variables and extensions must be objects")
    if not isinstance(name, str | None):
        raise Rejected(400, "operationName must be a string")
    return Operation(query, variables, name or None)


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BODY:
                raise TooLarge(f"The body is larger than {MAX_BODY} bytes")
            chunks.append(chunk)
    except ClientDisconnect:
        raise Rejected(400, "The request ended before its body was complete") from None
    return b"".join(chunks)


def _json(data: bytes, what: str) -> Any:
    """Parse JSON; lone surrogates pass, since later checks name the field that holds them."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise Rejected(400, f"The {what} is not JSON") from None


def _failure(error: Exception, media_type: str | None) -> Response:
    described = errors.described(error)
    status = _STATUS.get(described["extensions"]["code"], 400)
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if status == 503:
        headers["Retry-After"] = "2"
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer({"errors": [described]}, status, media_type, headers)


def _answer(
    content: dict[str, Any],
    status: int,
    media_type: str | None,
    headers: dict[str, str] | None = None,
) -> Response:
    content_type = f"{media_type or LEGACY}; charset=utf-8"
    return Response(encode(content), status, headers, media_type=content_type)
