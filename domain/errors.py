"""One root for everything that an operation refuses; the docstring is the default message.

Errors carry meaning, not status codes: each transport has one table that renders them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from db.errors import (
    DatabaseFullError,
    DatabaseUnavailableError,
    StorageFullError,
    StorageUnavailableError,
)

__all__ = [
    "Conflict",
    "DatabaseFullError",
    "DatabaseUnavailableError",
    "Fault",
    "Forbidden",
    "Invalid",
    "NotFound",
    "OffsetMismatch",
    "PreconditionFailed",
    "Problem",
    "QuotaExceeded",
    "RateLimited",
    "StorageFullError",
    "StorageUnavailableError",
    "TooLarge",
    "Unauthenticated",
]


class Fault(Exception):  # noqa: N818 - the subclasses read as what they say
    """The request cannot be carried out"""

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        super().__init__(self.message)


class Unauthenticated(Fault):
    """A valid credential is required: Authorization: Bearer <token or key>, or X-API-Key"""


class Forbidden(Fault):
    """You may not do this"""


class NotFound(Fault):
    """Not found"""


class Conflict(Fault):
    """Already exists"""


class TooLarge(Fault):
    """The request is too large"""


class PreconditionFailed(Fault):
    """What is stored is not what the request expects: look again"""


class QuotaExceeded(Fault):
    """The account has no room left for conversations"""


class OffsetMismatch(Fault):
    """What is to be appended does not begin where the stored bytes end"""

    def __init__(self, expected: int) -> None:
        super().__init__(f"The stored bytes end at {expected}: append from there")
        self.expected = expected
        """Bytes that are stored."""


class RateLimited(Fault):
    """Too many requests: wait and try again"""

    def __init__(self, retry_after: float, message: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds until it makes sense to try again."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the input: where (`("entries", 3, "summary")`) and what."""

    path: tuple[str | int, ...]
    message: str


class Invalid(Fault):
    """Validation failed"""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__()
        self.problems: Sequence[Problem] = tuple(problems)

    @classmethod
    def at(cls, path: str | Sequence[str | int], message: str) -> Invalid:
        """The fault of a single field."""
        return cls([Problem((path,) if isinstance(path, str) else tuple(path), message)])
