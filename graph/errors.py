"""The one place where the graph renders errors: what an operation refuses, and what went wrong.

Anything without a meaning for the caller becomes "Internal error" with an incident id; the log has
the same id with the traceback.
"""

from __future__ import annotations

import logging
import math
from typing import Any
from uuid import uuid4

from graphql import GraphQLError

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

CODES: dict[type[BaseException], str] = {
    Unauthenticated: "UNAUTHENTICATED",
    Forbidden: "FORBIDDEN",
    NotFound: "NOT_FOUND",
    Invalid: "BAD_USER_INPUT",
    Conflict: "CONFLICT",
    OffsetMismatch: "CONFLICT",
    PreconditionFailed: "CONFLICT",
    QuotaExceeded: "TOO_LARGE",
    RateLimited: "RATE_LIMITED",
    TooLarge: "TOO_LARGE",
    DatabaseUnavailableError: "UNAVAILABLE",
    DatabaseFullError: "STORAGE_FULL",
    StorageUnavailableError: "UNAVAILABLE",
    StorageFullError: "STORAGE_FULL",
}
_MESSAGES: dict[type[BaseException], str] = {
    DatabaseUnavailableError: "The database is not available: try again shortly",
    DatabaseFullError: "The server's disk is full: nothing was stored",
    StorageUnavailableError: "The store of conversations is not available: try again shortly",
    StorageFullError: "The store of conversations is full: nothing was stored",
}
BAD_INPUT, PARSE_FAILED, VALIDATION_FAILED, INTERNAL = (
    "BAD_USER_INPUT",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "INTERNAL",
)

_logger = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 - it is an answer, not a defect
    """The request is no executable operation: its document or its variables are wrong."""

    def __init__(self, errors: list[GraphQLError], code: str) -> None:
        super().__init__(code)
        self.errors = [formatted(error, code) for error in errors]


def meaning(error: BaseException | None) -> str | None:
    """The code of an error that an operation may raise; None for a defect of ours."""
    kinds = type(error).__mro__ if error is not None else ()
    return next((CODES[kind] for kind in kinds if kind in CODES), None)


def formatted(error: GraphQLError, code: str = BAD_INPUT) -> dict[str, Any]:
    """An error as it goes over the wire; `code` is for one that GraphQL itself found."""
    shown: dict[str, Any] = dict(error.formatted)
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if cause is None:
        shown["extensions"] = {"code": code, **(error.extensions or {})}
    else:
        shown |= described(cause)
    return shown


def described(error: BaseException) -> dict[str, Any]:
    """The `message` and `extensions` of what an operation raised."""
    code = meaning(error)
    if code is None:
        return _masked(error)
    message = error.message if isinstance(error, Fault) else _MESSAGES[type(error)]
    extensions: dict[str, Any] = {"code": code}
    if isinstance(error, Invalid):
        extensions["problems"] = [
            {"path": [str(step) for step in problem.path], "message": problem.message}
            for problem in error.problems
        ]
    if isinstance(error, RateLimited):
        extensions["retryAfter"] = math.ceil(error.retry_after)
    return {"message": message, "extensions": extensions}


def _masked(error: BaseException) -> dict[str, Any]:
    incident = uuid4().hex[:12]
    _logger.error("Incident %s", incident, exc_info=error)
    return {
        "message": f"Internal error (incident {incident})",
        "extensions": {"code": INTERNAL, "incident": incident},
    }
