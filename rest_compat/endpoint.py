"""What every REST request passes: its credential, the rate limit, its handler, the error table."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from enum import Enum
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from domain import accounts
from domain.actor import Actor
from domain.errors import NotFound, Unauthenticated
from domain.policy import require_changes
from domain.services import Services
from domain.throttle import POINTS_PER_REQUEST, Allowance, OverBudget
from rest_compat.call import Api, Call, Handler, address_of, origin_of
from rest_compat.errors import BadRequest, json_response, render

DRAIN_BYTES = 1024 * 1024
DRAIN_SECONDS = 2
READING = {"GET", "HEAD"}

_logger = logging.getLogger(__name__)


class Access(Enum):
    """Who may call an endpoint."""

    PROBE = "anybody, as often as a balancer likes"
    ANYBODY = "anybody; credentials are not looked at"
    MAYBE = "anybody; the operation decides what a caller without a credential may do"
    SIGNED_IN = "holders of a valid credential"


def endpoint(method: str, path: str, handler: Handler, access: Access) -> Route:
    """A route that answers in JSON whatever happens."""

    async def run(request: Request) -> Response:
        return await _answer(request, handler, access)

    route = Route(path, run, methods=[method], name=handler.__name__)
    route.access = access  # type: ignore[attr-defined]  # read by the tests of authorisation
    return route


async def _answer(request: Request, handler: Handler, access: Access) -> Response:
    services: Services = request.app.state.services
    allowance = None
    try:
        if any("\x00" in str(value) for value in request.path_params.values()):
            raise NotFound
        caller, api = await _caller(services, request, access)
        if access is not Access.PROBE:
            allowance = await _counted(services, request, caller)
        if caller is not None and request.method not in READING:
            require_changes(caller)
        response = await handler(Call(request, services, caller, api))
    except ClientDisconnect:
        response = Response(status_code=400)
    except Exception as error:
        response = render(error) or _defect(request, error)
        if isinstance(error, OverBudget):
            allowance = error.allowance
    if allowance is not None:
        _tell(response, allowance)
    if response.status_code >= HTTPStatus.BAD_REQUEST and not await _drained(request):
        response.headers["Connection"] = "close"
    return response


async def _drained(request: Request) -> bool:
    """Whether nothing of the body is left to come, after reading the rest of a small one.

    A refusal is lost when the connection is closed on bytes that are still arriving; swallowing
    gigabytes, or a body without end, to keep the connection would cost more than it is worth.
    """
    if request._stream_consumed:  # noqa: SLF001 - Starlette does not tell otherwise
        return True
    declared = request.headers.get("content-length", "0")
    read = 0
    if not declared.isdigit() or int(declared) > DRAIN_BYTES:
        return False
    with suppress(ClientDisconnect, TimeoutError, RuntimeError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in request.stream():
                read += len(chunk)
                if read > DRAIN_BYTES:
                    return False
            return True
    return False


async def _caller(services: Services, request: Request, access: Access) -> tuple[Actor | None, Api]:
    key = request.headers.get("x-api-key")
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    api: Api = "registry" if key is not None else "cloud"
    if access in {Access.ANYBODY, Access.PROBE}:
        return None, api
    if scheme and scheme.lower() != "bearer":
        raise Unauthenticated("Use Authorization: Bearer <token or key>")
    try:
        actors = [
            await accounts.authenticate(services, credential.strip(), origin_of(request))
            for credential in (key, token)
            if credential and credential.strip()
        ]
    except Unauthenticated:
        await services.throttle.count(address_of(request), anonymous=True)
        raise
    if len({actor.account_id for actor in actors}) > 1:
        raise BadRequest("X-API-Key and Authorization belong to different accounts")
    if not actors and access is Access.SIGNED_IN:
        await services.throttle.count(address_of(request), anonymous=True)
        raise Unauthenticated
    return (actors[0] if actors else None), api


async def _counted(services: Services, request: Request, caller: Actor | None) -> Allowance:
    if caller is None:
        return await services.throttle.count(address_of(request), anonymous=True)
    return await services.throttle.count(str(caller.account_id), anonymous=False)


def _tell(response: Response, allowance: Allowance) -> None:
    """The headers count requests, as these clients do."""
    response.headers["RateLimit-Limit"] = str(allowance.limit // POINTS_PER_REQUEST)
    response.headers["RateLimit-Remaining"] = str(allowance.remaining // POINTS_PER_REQUEST)
    response.headers["RateLimit-Reset"] = str(round(allowance.reset_seconds))


def _defect(request: Request, error: Exception) -> Response:
    """A fault of ours: the log gets everything, the caller a number to quote."""
    incident = uuid4().hex[:12]
    _logger.error("incident %s: %s %s", incident, request.method, request.url.path, exc_info=error)
    return json_response({"error": f"Internal error (incident {incident})"}, 500)


async def not_found(_request: Request, _error: Any) -> Response:
    """The answer for an address that nothing lives at."""
    return json_response({"error": "Not found"}, 404)


async def method_not_allowed(request: Request, error: Any) -> Response:
    """The answer for a method that an address does not take."""
    message = f"{request.method} is not possible here"
    return json_response({"error": message}, 405, dict(error.headers or {}))
