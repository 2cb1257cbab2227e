"""Custom scalars, and how the values of each look on the wire."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from domain.inputs import MAX_EPOCH_MS

Cursor = NewType("Cursor", str)
EpochMillis = NewType("EpochMillis", int)
BigInt = NewType("BigInt", int)
Base64 = NewType("Base64", bytes)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError("must be a string")
    return value


def _whole(value: Any) -> int:
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(whole, int) or isinstance(whole, bool):
        raise GraphQLError("must be a whole number")
    return whole


def _epoch_ms(value: Any) -> int:
    number = _whole(value)
    if not 0 <= number <= MAX_EPOCH_MS:
        raise GraphQLError(f"must be milliseconds since 1970, from 0 to {MAX_EPOCH_MS}")
    return number


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise GraphQLError("must be an ISO 8601 date such as 2026-01-31") from None


def _instant(value: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(_text(value))
        return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("must be an ISO 8601 time such as 2026-01-31T12:00:00Z") from None


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(_text(value).encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise GraphQLError("must be bytes in base64") from None


SCALARS: dict[object, ScalarDefinition] = {
    Cursor: strawberry.scalar(
        name="Cursor",
        description="A place in a list or in a feed. Keep it as it is and hand it back; "
        "what it is made of may change.",
        serialize=str,
        parse_value=_text,
    ),
    EpochMillis: strawberry.scalar(
        name="EpochMillis",
        description="An instant as a whole number of milliseconds since 1970-01-01T00:00:00Z. "
        "It does not fit into GraphQL's 32-bit Int.",
        serialize=int,
        parse_value=_epoch_ms,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number that may be larger than GraphQL's 32-bit Int.",
        serialize=int,
        parse_value=_whole,
    ),
    Base64: strawberry.scalar(
        name="Base64",
        description="Bytes in base64 (RFC 4648, section 4), with padding.",
        serialize=lambda value: base64.b64encode(value).decode(),
        parse_value=_bytes,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value, sent as it is.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in ISO 8601 with its offset, such as "
        "2026-01-31T12:00:00.000000+00:00; the server answers in UTC.",
        serialize=lambda value: value.astimezone(UTC).isoformat(),
        parse_value=_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A day in ISO 8601, such as 2026-01-31.",
        serialize=date.isoformat,
        parse_value=_day,
    ),
}
"""What each Python type is in the schema; given to Strawberry's configuration."""
