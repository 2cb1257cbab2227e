"""What the generated functions call: ids, cursors, and values that are not shown as they are."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any
from uuid import UUID

import orjson

from domain.masking import Mask
from graph.plan.symbols import Uncovered

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT = 1 << 31
_RANK, _BITS = Struct(">d"), Struct(">q")


def global_id(tag: bytes) -> Callable[[UUID | None], str | None]:
    """How ids of one kind are written; as `graph.schema.ids.encode` does. No id stays none."""

    def write(uuid: UUID | None) -> str | None:
        if uuid is None:
            return None
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


def rank_cursor(order: int) -> Callable[[float, UUID], str]:
    """The same for a search, which goes by ranks; as `graph.schema.knowledge_search` does."""
    write = numbered_cursor(order)
    return lambda rank, uuid: write(_BITS.unpack(_RANK.pack(rank))[0], uuid)


CURSORS: dict[str, Callable[[int], Callable[[Any, UUID], str]]] = {
    "number": numbered_cursor,
    "instant": instant_cursor,
    "rank": rank_cursor,
}


def loads(text: str | None) -> Any:
    """What JSON of the database says."""
    return None if text is None else orjson.loads(text)


def whole(value: int | None) -> int | None:
    """A GraphQL Int. Raises Uncovered for what is none, which is an error of the field."""
    if value is not None and not -_INT <= value < _INT:
        raise Uncovered
    return value


def _masked(text: str | None) -> str | None:
    return None if text is None else Mask(None)(text).text


FILTERS: dict[str, Callable[[Any], Any]] = {"masked": _masked}
