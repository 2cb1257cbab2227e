"""GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/.

A POST must say `application/json`, which no page of another origin can make a browser send without
asking first; a GET only ever reads. So there is nothing to forge across sites.
"""

from __future__ import annotations

import json
from types import NoneType
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from domain.actor import Origin
from domain.errors import RateLimited, TooLarge
from domain.services import Services
from domain.throttle import Allowance, OverBudget
from graph import credentials, errors, sse
from graph.context import Context
from graph.encoding import encode
from graph.errors import Refused
from graph.execution import Engine
from graph.execution import Request as Operation
from graph.negotiation import LEGACY, MODERN, Accepted, Rejected, accepted
from graph.sse import EventStream

MAX_BODY = 4 * 1024 * 1024
_OBJECT, _TEXT = (dict, NoneType), (str, NoneType)
_STATUS = {
    "UNAUTHENTICATED": 401,
    "BAD_USER_INPUT": 400,
    "RATE_LIMITED": 429,
    "TOO_LARGE": 413,
    "UNAVAILABLE": 503,
    "STORAGE_FULL": 507,
    "INTERNAL": 500,
}


class HttpEndpoint:
    """Answers queries and mutations, and streams subscriptions to those who accept events."""

    def __init__(self, services: Services, engine: Engine) -> None:
        self._services = services
        self._engine = engine

    async def respond(self, request: Request, admitted: Context | None = None) -> Response:
        """The answer to one request, which may have been admitted already."""
        taken, context = Accepted(), admitted
        try:
            taken = accepted(request.headers.get("accept"))
            context = context or await self._admit(request)
            response = await self._run(request, context, taken)
        except Exception as error:  # described, masked and logged in graph.errors
            response = refusal(error, taken)
            if isinstance(error, OverBudget):
                return telling(response, error.allowance)
        return telling(response, context.allowance if context else None)

    async def _admit(self, request: Request) -> Context:
        """Who asks and from where, counted against its allowance."""
        address = request.client.host if request.client else "unknown"
        origin = Origin.of(address, request.headers.get("user-agent"))
        given = credentials.of_headers(request.headers)
        caller = await credentials.resolve(self._services, given, origin)
        who = address if caller is None else str(caller.account_id)
        allowance = await self._services.throttle.count(who, anonymous=caller is None)
        return Context(self._services, caller, origin, allowance)

    async def _run(self, request: Request, context: Context, taken: Accepted) -> Response:
        operation = self._engine.recalled(await _operation(request))
        kind = self._engine.operation(operation)
        if kind is OperationType.SUBSCRIPTION and not taken.events:
            message = f"Subscriptions go over a WebSocket, or to who accepts {sse.MEDIA_TYPE}"
            raise Rejected(400, message)
        if kind is OperationType.MUTATION and request.method == "GET":
            raise Rejected(405, "A mutation must be sent with POST", {"Allow": "POST"})
        if kind is OperationType.SUBSCRIPTION or taken.json is None:
            contents = await sse.begin(self._engine, operation, context)
            return EventStream(contents, context.caller.expires_at if context.caller else None)
        content = await self._engine.execute(operation, context)
        return _answer(content, _status(content), taken.json)


def _status(content: dict[str, Any]) -> int:
    if content["data"] is not None:
        return 200
    codes = {error.get("extensions", {}).get("code") for error in content.get("errors", ())}
    return next((_STATUS[code] for code in ("UNAVAILABLE", "STORAGE_FULL") if code in codes), 200)


async def _operation(request: Request) -> Operation:
    """What the client asks for. Raises Rejected."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "GET":
        if media_type not in ("", "application/json"):
            raise Rejected(415, "A GET has no body: leave the Content-Type out")
        given: dict[str, Any] = dict(request.query_params)
        for name in ("variables", "extensions"):
            if name in given:
                given[name] = parsed(given[name].encode("utf-8", "surrogatepass"), name)
    elif request.method == "POST":
        if media_type != "application/json":
            raise Rejected(415, "Send application/json")
        body = await _body(request)
        return as_operation(parsed(body, "body"))._replace(body=body)
    else:
        raise Rejected(405, "Use POST or GET", {"Allow": "GET, POST"})
    return as_operation(given)


def as_operation(given: object) -> Operation:
    """A request's members as an operation. Raises Rejected when they have the wrong types."""
    if not isinstance(given, dict):
        raise Rejected(400, "The body must be a JSON object")
    query, variables = given.get("query"), given.get("variables")
    name, extensions = given.get("operationName"), given.get("extensions")
    if not isinstance(variables, _OBJECT) or not isinstance(extensions, _OBJECT):
        raise Rejected(400, "variables and extensions must be objects")
    asked = extensions.get("persistedQuery") if extensions else None
    if not isinstance(query or "", str) or not (query or asked):
        raise Rejected(400, "query must be a string")
    if not isinstance(name, _TEXT):
        raise Rejected(400, "operationName must be a string")
    return Operation(query or "", variables, name or None, asked)


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


def parsed(data: bytes, what: str) -> Any:
    """Parse JSON; lone surrogates pass, since later checks name the field that holds them."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise Rejected(400, f"The {what} is not JSON") from None


def refusal(error: Exception, taken: Accepted) -> Response:
    """The answer to what is no GraphQL request, no operation, or was not carried out."""
    if isinstance(error, Rejected):
        content = {"errors": [{"message": error.message}]}
        return _answer(content, error.status, taken.json, error.headers)
    if isinstance(error, Refused):
        if taken.json is None:
            return EventStream(sse.single({"errors": error.errors}))
        return _answer({"errors": error.errors}, 400 if taken.json == MODERN else 200, taken.json)
    described = errors.described(error)
    status = _STATUS.get(described["extensions"]["code"], 400)
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(described["extensions"]["retryAfter"])
    if status == 503:
        headers["Retry-After"] = "2"
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer({"errors": [described]}, status, taken.json, headers)


def telling(response: Response, allowance: Allowance | None) -> Response:
    """The response with what is left of the budget, in points."""
    if allowance is not None:
        response.headers["RateLimit-Limit"] = str(allowance.limit)
        response.headers["RateLimit-Remaining"] = str(allowance.remaining)
        response.headers["RateLimit-Reset"] = str(round(allowance.reset_seconds))
    return response


def _answer(
    content: dict[str, Any],
    status: int,
    media_type: str | None,
    headers: dict[str, str] | None = None,
) -> Response:
    content_type = f"{media_type or LEGACY}; charset=utf-8"
    return Response(encode(content), status, headers, media_type=content_type)
