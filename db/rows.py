"""What statements take and give back: types for checkers, and JSON for whole sets of rows."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID

import orjson
from sqlalchemy import Row, Select

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


def to_json(value: Any) -> str:
    """JSON for a parameter; asyncpg's own subclass of UUID included."""
    return orjson.dumps(value, default=plain).decode()


def plain(value: object) -> str:
    """orjson's fallback: it knows uuid.UUID, but not the driver's subclass."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON serializable")
