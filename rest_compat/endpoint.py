"""What every REST request passes: its credential, the rate limit, its handler, the error table."""

from __future__ import annotations

from enum import Enum
from typing import Any
from uuid import uuid4

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from domain import accounts
from domain.actor import Actor
from domain.errors import NotFound, Unauthenticated
from domain.services import Services
from domain.throttle import Allowance
from rest_compat.call import Api, Call, Handler
from rest_compat.errors import BadRequest, json_response, render

logger = structlog.get_logger(__name__)


class Access(Enum):
    """Who may call an endpoint."""

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
        allowance = await _counted(services, request, caller)
        response = await handler(Call(request, services, caller, api))
    except ClientDisconnect:
        response = Response(status_code=400)
    except Exception as error:
        response = render(error) or _defect(request, error)
    if allowance is not None:
        _tell(response, allowance)
    if response.status_code >= 400 and _has_more(request):
        response.headers["Connection"] = "close"
    return response


def _has_more(request: Request) -> bool:
    """Whether a part of the body was left unread: the connection is of no use then.

    Kept open, it would have to swallow the rest, which may be gigabytes or without end.
    """
    has_body = {"content-length", "transfer-encoding"} & set(request.headers)
    return bool(has_body) and not request._stream_consumed  # noqa: SLF001 - not told otherwise


async def _caller(services: Services, request: Request, access: Access) -> tuple[Actor | None, Api]:
    key = request.headers.get("x-api-key")
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    api: Api = "registry" if key is not None else "cloud"
    if access is Access.ANYBODY:
        return None, api
    if scheme and scheme.lower() != "bearer":
        raise Unauthenticated("Use Authorization: Bearer <token or key>")
    try:
        actors = [
            await accounts.authenticate(services, credential.strip())
            for credential in (key, token)
            if credential and credential.strip()
        ]
    except Unauthenticated:
        await services.throttle.count(_address(request), anonymous=True)
        raise
    if len({actor.account_id for actor in actors}) > 1:
        raise BadRequest("X-API-Key and Authorization belong to different accounts")
    if not actors and access is Access.SIGNED_IN:
        await services.throttle.count(_address(request), anonymous=True)
        raise Unauthenticated
    return (actors[0] if actors else None), api


async def _counted(services: Services, request: Request, caller: Actor | None) -> Allowance:
    if caller is None:
        return await services.throttle.count(_address(request), anonymous=True)
    return await services.throttle.count(str(caller.account_id), anonymous=False)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _tell(response: Response, allowance: Allowance) -> None:
    response.headers["RateLimit-Limit"] = str(allowance.limit)
    response.headers["RateLimit-Remaining"] = str(allowance.remaining)
    response.headers["RateLimit-Reset"] = str(round(allowance.reset_seconds))


def _defect(request: Request, error: Exception) -> Response:
    """A fault of ours: the log gets everything, the caller a number to quote."""
    incident = uuid4().hex[:12]
    logger.error(
        "unexpected error",
        incident=incident,
        method=request.method,
        path=request.url.path,
        exc_info=error,
    )
    return json_response({"error": f"Internal error (incident {incident})"}, 500)


async def not_found(_request: Request, _error: Any) -> Response:
    """The answer for an address that nothing lives at."""
    return json_response({"error": "Not found"}, 404)


async def method_not_allowed(request: Request, error: Any) -> Response:
    """The answer for a method that an address does not take."""
    message = f"{request.method} is not possible here"
    return json_response({"error": message}, 405, dict(error.headers or {}))
