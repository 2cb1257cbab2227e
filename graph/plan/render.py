"""What the generated functions call: ids, cursors, and values that are not shown as they are."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.masking import Mask
from graph.plan.symbols import Uncovered

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT = 1 << 31


def global_id(tag: bytes) -> Callable[[UUID], str]:
    """How ids of one kind are written; as `graph.schema.ids.encode` does."""

    def write(uuid: UUID) -> str:
        encoded = b2a_base64(tag + uuid.bytes, newline=False)[:-1]
        return encoded.translate(_URL_SAFE).decode()

    return write


def numbered_cursor(order: int) -> Callable[[int, UUID], str]:
    """How cursors of an order are written; as `graph.schema.paging.place_cursor` does."""
    end = bytes([order]) if order else b""

    def write(number: int, uuid: UUID) -> str:
        data = number.to_bytes(8, "big", signed=True) + uuid.bytes + end
        return b2a_base64(data, newline=False).translate(_URL_SAFE).decode()

    return write


def instant_cursor(order: int) -> Callable[[datetime, UUID], str]:
    """The same for an order that goes by an instant."""
    write = numbered_cursor(order)
    return lambda instant, uuid: write((instant - _EPOCH) // _MICROSECOND, uuid)


def whole(value: int | None) -> int | None:
    """A GraphQL Int. Raises Uncovered for what is none, which is an error of the field."""
    if value is not None and not -_INT <= value < _INT:
        raise Uncovered
    return value


def _masked(text: str | None) -> str | None:
    return None if text is None else Mask(None)(text).text


FILTERS: dict[str, Callable[[Any], Any]] = {"masked": _masked}
