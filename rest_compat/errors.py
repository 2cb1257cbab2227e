"""The one place where the REST side renders what an operation refuses."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from domain.errors import (
    Conflict,
    DatabaseFullError,
    DatabaseUnavailableError,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    OffsetMismatch,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    StorageFullError,
    StorageUnavailableError,
    TooLarge,
    Unauthenticated,
)


class BadRequest(Fault):
    """The request is malformed"""


class UnsupportedMediaType(Fault):
    """The body has a media type that this endpoint does not take"""


class UnsupportedEncoding(Fault):
    """The body has a Content-Encoding that this endpoint does not take"""


class MethodNotAllowed(Fault):
    """This address does not take that method"""


STATUS: dict[type[Exception], int] = {
    BadRequest: 400,
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Conflict: 409,
    OffsetMismatch: 409,
    PreconditionFailed: 412,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    UnsupportedEncoding: 415,
    RateLimited: 429,
    DatabaseUnavailableError: 503,
    StorageUnavailableError: 503,
    QuotaExceeded: 507,
    DatabaseFullError: 507,
    StorageFullError: 507,
}
_AWAY_MESSAGES = {
    DatabaseUnavailableError: "The database is not available: try again shortly",
    DatabaseFullError: "The server's disk is full: nothing was stored",
    StorageUnavailableError: "The store of conversations is not available: try again shortly",
    StorageFullError: "The store of conversations is full: nothing was stored",
}


def json_response(
    content: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A JSON answer."""
    return Response(dumps(content), status, headers, "application/json")


def dumps(content: Any) -> bytes:
    """JSON with ids and instants (UTC, `Z`) as strings."""
    return orjson.dumps(content, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)


def _plain(value: object) -> str:
    """The database driver's ids are a subclass of UUID, which orjson does not know."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON serializable")


def render(error: Exception) -> Response | None:
    """The answer for an error that has a meaning; None for one that is a defect of ours."""
    status = status_of(error)
    if status is None:
        return None
    content = content_of(error)
    headers: dict[str, str] = {}
    if isinstance(error, OffsetMismatch):
        headers["Upload-Offset"] = str(error.expected)
        content["expected-offset"] = error.expected
    if isinstance(error, UnsupportedEncoding):
        headers["Accept-Encoding"] = "zstd, gzip, identity"
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if isinstance(error, DatabaseUnavailableError | StorageUnavailableError):
        headers["Retry-After"] = "2"
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return json_response(content, status, headers)


def status_of(error: Exception) -> int | None:
    """The status for an error that has a meaning."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)


def content_of(error: Exception) -> dict[str, Any]:
    """What is told of such an error."""
    message = error.message if isinstance(error, Fault) else _AWAY_MESSAGES[type(error)]
    content: dict[str, Any] = {"error": message}
    if isinstance(error, Invalid):
        content["details"] = [
            {"path": [_shown(step) for step in problem.path], "message": problem.message}
            for problem in error.problems
        ]
    return content


def _shown(step: str | int) -> str | int:
    """A path step that can be sent: a key of the caller's may hold anything."""
    return step if isinstance(step, int) else step.encode("utf-8", "replace").decode()
