"""What conversations cost in tokens: the last line of an answer counts, and each answer once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from db import token_usage as rows
from db.engine import Database
from db.rows import AnyRow
from db.token_usage import By as By
from db.token_usage import Span as Span
from domain.actor import Actor
from domain.errors import Invalid

GROUPS_MAX: Final = 1000
ROWS_MAX: Final = 20 * GROUPS_MAX


@dataclass(frozen=True, slots=True)
class Tokens:
    """Sums of tokens."""

    messages: int = 0
    """Answers of models."""
    input: int = 0
    output: int = 0
    cache_creation: int = 0
    cache_creation_1h: int = 0
    """Those of `cache_creation` that are kept for an hour."""
    cache_read: int = 0

    @property
    def any(self) -> bool:
        """Whether there is any token among them."""
        return bool(self.input or self.output or self.cache_creation or self.cache_read)

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.messages + other.messages,
            self.input + other.input,
            self.output + other.output,
            self.cache_creation + other.cache_creation,
            self.cache_creation_1h + other.cache_creation_1h,
            self.cache_read + other.cache_read,
        )


@dataclass(frozen=True, slots=True)
class ModelDay:
    """What one model did on one day (UTC) in one session."""

    model: str
    day: date | None
    """None for answers without a time."""
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Group:
    """What one day, model or project cost."""

    name: str | None
    by_model: Mapping[str, Tokens]

    @property
    def tokens(self) -> Tokens:
        """All of its models' together."""
        return sum(self.by_model.values(), Tokens())


async def of_sessions(
    db: Database, actor: Actor, ids: Sequence[UUID]
) -> dict[UUID, list[ModelDay]]:
    """Per session the usage of its conversation and its subagents, by day and model."""
    async with db.read(actor) as connection:
        found = await rows.of_sessions(connection, actor.access, ids)
    usage: dict[UUID, list[ModelDay]] = {id: [] for id in ids}
    for row in found:
        usage[row.session] += model_days([row])
    return usage


def model_days(found: Sequence[AnyRow]) -> list[ModelDay]:
    """The rows of one session."""
    return [ModelDay(row.model, row.day, _tokens(row)) for row in found]


async def totals(
    db: Database, actor: Actor, by: By, first: date | None = None, last: date | None = None
) -> list[Group]:
    """All the actor's usage from one day to another, both included, grouped.

    An answer that several sessions hold, because they were resumed, counts once. Days come newest
    first, others with the most output first; at most GROUPS_MAX. Raises Invalid.
    """
    asked = span(first, last)
    async with db.read(actor) as connection:
        return grouped(await rows.totals(connection, actor.access, by, asked, ROWS_MAX), by)


def span(first: date | None, last: date | None) -> Span:
    """From one day (UTC) to another, both included. Raises Invalid."""
    if first is not None and last is not None and last < first:
        raise Invalid.at("to", "must not be before from")
    for name, day in (("from", first), ("to", last)):
        if day is not None and not 1970 <= day.year <= 9998:
            raise Invalid.at(name, "must be a day from 1970 to 9998")
    start = None if first is None else datetime.combine(first, time(), UTC)
    end = None if last is None else datetime.combine(last, time(), UTC) + timedelta(days=1)
    return Span(start, end)


def grouped(found: Sequence[AnyRow], by: By) -> list[Group]:
    """The rows by what they are of, in the order of that."""
    groups: dict[str | None, dict[str, Tokens]] = {}
    for row in found:
        group = None if row.name is None else str(row.name)
        groups.setdefault(group, {})[row.model] = _tokens(row)
    return sorted((Group(*item) for item in groups.items()), key=_ORDERS[by])[:GROUPS_MAX]


def _most_output(group: Group) -> int:
    return -group.tokens.output


def _newest(group: Group) -> int:
    return 1 if group.name is None else -date.fromisoformat(group.name).toordinal()


_ORDERS: Final = {"day": _newest, "model": _most_output, "project": _most_output}


def _tokens(row: AnyRow) -> Tokens:
    return Tokens(
        row.messages,
        row.input,
        row.output,
        row.cache_creation,
        row.cache_creation_1h,
        row.cache_read,
    )
