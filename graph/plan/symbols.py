"""Stand-ins for values, so that a select can be built once and run with any values.

The selects of `db` take values, not parameters. A stand-in is a value of the same type that nobody
else can have; where it turns up in a compiled select, a parameter's number (or another column) is
written. Every other value of a select is part of its structure and is written out: a LIMIT that is
a parameter would make PostgreSQL plan the statement anew on every call.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import asyncpg

from db.scope import Access

_UUIDS = 0x7EA3_10CE << 96
_WHOLE = -(1 << 62)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_PARAMETER = re.compile(r"\$(\d+)")
_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]
ACCOUNT, SCOPES = 0, 1
STRUCTURAL = frozenset({"alternative", "column", "limit", "number", "order"})
"""Fields whose values decide what a statement looks like."""


class Uncovered(Exception):  # noqa: N818 - it is no error, the ordinary executor answers
    """The plan does not cover this."""


class Symbols:
    """The stand-ins of one plan, and the values that they stand for."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.references: list[str] = []

    @staticmethod
    def access() -> Access:
        """Whoever asks."""
        return Access(UUID(int=_UUIDS + ACCOUNT), (UUID(int=_UUIDS + SCOPES),))

    def take(self, value: Any) -> Any:
        """A stand-in for a value. Raises Uncovered for what has none."""
        number = len(self.values) + 2
        self.values.append(list(value) if isinstance(value, tuple) else value)
        if isinstance(value, UUID):
            return UUID(int=_UUIDS + number)
        if isinstance(value, str):
            return f"\0v{number}"
        if isinstance(value, datetime):
            return _FIRST + timedelta(microseconds=number)
        if isinstance(value, int) and not isinstance(value, bool):
            return _WHOLE + number
        if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
            return (f"\0a{number}",)
        raise Uncovered

    def abstract(self, wanted: Any) -> Any:
        """The same filter with stand-ins: equal for equal structures, whatever the values."""
        if wanted is None or isinstance(wanted, bool | Enum) or wanted == ():
            return wanted
        if is_dataclass(wanted) and not isinstance(wanted, type):
            parts = {f.name: getattr(wanted, f.name) for f in fields(wanted)}
            taken = {
                name: value if name in STRUCTURAL else self.abstract(value)
                for name, value in parts.items()
            }
            return replace(wanted, **taken)
        if isinstance(wanted, tuple) and not isinstance(wanted[0], str):
            items = [self.abstract(item) for item in wanted]
            return wanted._make(items) if hasattr(wanted, "_make") else tuple(items)
        return self.take(wanted)

    def reference(self, sql: str) -> UUID:
        """A stand-in for a column of another row, as it is written in the statement."""
        self.references.append(sql)
        return UUID(int=_UUIDS + (1 << 32) + len(self.references) - 1)

    def text_reference(self, sql: str) -> str:
        """The same for a text."""
        self.references.append(sql)
        return f"\0r{len(self.references) - 1}"

    def sql(self, select: Select[Any]) -> str:
        """The text of a select, with parameters numbered over the whole statement.

        Raises Uncovered for a value that cannot be written out.
        """
        compiled = select.compile(dialect=_DIALECT)
        names = compiled.positiontup or []

        def written(match: re.Match[str]) -> str:
            value = compiled.params[names[int(match[1]) - 1]]
            return self._written(value)

        return _PARAMETER.sub(written, str(compiled))

    def _written(self, value: Any) -> str:
        if isinstance(value, list | tuple):
            kind, number = _stand_in(value[0]) if len(value) == 1 else ("", 0)
            if kind != "a" and not (kind and isinstance(value[0], UUID)):
                return f"ARRAY[{', '.join(map(self._written, value))}]"
        else:
            kind, number = _stand_in(value)
        if kind in {"a", "v"}:
            return f"${number + 1}"
        if kind == "r":
            return self.references[number]
        return _literal(value)


def _stand_in(value: Any) -> tuple[str, int]:
    """What a value stands for: a parameter (v, or a for a whole array) or a column (r) and its
    number, or nothing."""
    if isinstance(value, UUID):
        number = value.int - _UUIDS
        if 0 <= number < 1 << 32:
            return "v", number
        return ("r", number - (1 << 32)) if 0 <= number < 1 << 33 else ("", 0)
    if isinstance(value, str) and value[:2] in {"\0a", "\0v", "\0r"} and value[2:].isdigit():
        return value[1], int(value[2:])
    if isinstance(value, datetime) and value.year == 1:
        return "v", (value - _FIRST) // timedelta(microseconds=1)
    if isinstance(value, int) and _WHOLE <= value < _WHOLE + (1 << 32):
        return "v", value - _WHOLE
    return "", 0


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and "\0" not in value and "\\" not in value:
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, str) and "\0" not in value:
        return " E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    raise Uncovered


def renumbered(sql: str) -> tuple[str, tuple[int, ...]]:
    """The statement with the parameters that it uses numbered from 1, and which those are."""
    used: dict[int, int] = {}

    def number(match: re.Match[str]) -> str:
        place = used.setdefault(int(match[1]) - 1, len(used) + 1)
        return f"${place}"

    text = _PARAMETER.sub(number, sql)
    return text, tuple(used)
