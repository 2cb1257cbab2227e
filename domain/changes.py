"""Paging the log: what happened in several scopes, in one order, from a cursor on.

A cursor says for each scope up to which version its reader has seen everything. Every event of a
page has its own, so a reader may stop anywhere, and the cursor of a feed is one of a single scope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from db import changes as rows
from db.engine import Database
from db.feed import Bounds
from domain import cursor
from domain.actor import Actor
from domain.cursor import Position
from domain.errors import Invalid
from domain.feed import event_of
from domain.policy import require
from domain.tail import FeedEvent

START_AGAIN = "fetch again what you keep, and start without a cursor"


@dataclass(frozen=True)
class Change(FeedEvent):
    """An event whose cursor goes on in all the scopes that are being read, not only in its own."""

    seen: Mapping[UUID, Position]

    @property
    def cursor(self) -> str:
        """Where a reader goes on that has handled this event and those before it."""
        return cursor.encode(self.seen)


@dataclass(frozen=True, slots=True)
class Page:
    """Some changes, and the cursor behind the last of them (or where the reader stood)."""

    changes: Sequence[Change]
    cursor: str
    has_more: bool


async def page(
    db: Database, actor: Actor, after: str | None, scope_ids: Sequence[UUID] | None, limit: int
) -> Page:
    """The next `limit` changes behind the cursor `after` in these scopes, or in all of the actor's.

    A scope that the cursor does not name is read from the beginning of what is kept of its log;
    what it says of scopes that the actor has left is dropped, and what it says of others that are
    not asked for is handed on. Raises NotFound for a scope that the actor does not belong to, and
    Invalid for a cursor that is none, is too old or is ahead of the log.
    """
    wanted = _wanted(actor, scope_ids)
    known = _known(actor, after)
    async with db.read(actor) as connection:
        bounds = await rows.bounds(connection, actor.access, wanted)
        starts = {scope: _start(known.get(scope), bound) for scope, bound in bounds.items()}
        positions = {scope: start.version for scope, start in starts.items()}
        found = await rows.page(connection, actor.access, positions, limit + 1)
    seen = {**known, **starts}
    changes: list[Change] = []
    for row in found[:limit]:
        seen[row.scope_id] = Position(row.version, everything=True)
        changes.append(_change(event_of(row), dict(seen)))
    return Page(changes, cursor.encode(seen), len(found) > limit)


async def present(db: Database, actor: Actor, scope_ids: Sequence[UUID] | None) -> str:
    """The cursor of this moment in these scopes, or in all of the actor's.

    Whatever is committed later lies behind it. Raises NotFound for a scope that the actor does not
    belong to.
    """
    wanted = _wanted(actor, scope_ids)
    async with db.read(actor) as connection:
        bounds = await rows.bounds(connection, actor.access, wanted)
    heads = {scope: Position(bound.head, everything=True) for scope, bound in bounds.items()}
    return cursor.encode(heads)


def _wanted(actor: Actor, scope_ids: Sequence[UUID] | None) -> tuple[UUID, ...]:
    if scope_ids is None:
        return tuple(actor.roles)
    if not scope_ids:
        raise Invalid.at("scopes", "must name at least one scope, or be left out")
    for scope_id in scope_ids:
        require(actor, "team.read", scope_id)
    return tuple(dict.fromkeys(scope_ids))


def _known(actor: Actor, after: str | None) -> dict[UUID, Position]:
    """The cursor's positions that count: in scopes of the actor, of readers who saw everything.

    A pull without `teamId` shows of a team only what its reader wrote, so its cursor says nothing
    of the rest; in the reader's own scope there is nothing else.
    """
    positions = cursor.decode(after) if after is not None else {}
    return {
        scope_id: Position(position.version, everything=True)
        for scope_id, position in positions.items()
        if scope_id in actor.roles and (position.everything or scope_id == actor.account_id)
    }


def _start(known: Position | None, bounds: Bounds) -> Position:
    if known is None:
        return Position(bounds.pruned, everything=True)
    if known.version < bounds.pruned:
        raise Invalid.at("after", f"is too old, the log is no longer kept: {START_AGAIN}")
    if known.version > bounds.head:
        raise Invalid.at("after", f"is ahead of the log: {START_AGAIN}")
    return known


def _change(event: FeedEvent, seen: Mapping[UUID, Position]) -> Change:
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    return Change(**values, seen=seen)
