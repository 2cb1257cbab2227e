"""Pulls: pages of the log for clients that keep a copy.

A pull goes on from a position in each scope. A client may name it with our opaque cursor, which is
exact, or with a time, which is turned into positions a little earlier than it says: a transaction
that began before that time may have committed after it.

Where the log was pruned beyond a cursor, deletions may be unknown: the pull begins that scope again
and says so (`resync`), which costs a client that does not read this nothing but time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from db import accounts as account_rows
from db import knowledge as knowledge_rows
from db import log
from db import summaries as summary_rows
from db import teams as team_rows
from db.engine import Connection, Database
from db.log import From
from db.scope import Access
from domain import cursor
from domain.actor import Actor
from domain.cursor import MAX_VERSION, Position
from domain.entries import Entry
from domain.errors import Invalid
from domain.inputs import MAX_EPOCH_MS
from domain.policy import reading_team
from domain.summaries import Summary

PAGE_MAX = 10_000
CHUNK = 500
TIME_MARGIN = timedelta(minutes=2)
"""Longer than any write transaction can last (see the time limits in `db.engine`)."""

RowT = TypeVar("RowT", Entry, Summary)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a pull begins: at exact positions, or with what changed after an instant."""

    positions: Mapping[UUID, Position] | None = None
    instant: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Source(Generic[RowT]):
    """Which table a pull reads, and what its rows become."""

    fetch: Callable[..., Coroutine[Any, Any, Sequence[Any]]]
    shape: type[RowT]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a pull was asked for."""

    since: str | None
    team_id: UUID | None
    limit: int


_KNOWLEDGE = _Source(knowledge_rows.changes, Entry)
_SUMMARIES = _Source(summary_rows.changes, Summary)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Says that an entry is gone."""

    id: UUID


@dataclass(frozen=True, slots=True)
class Chunk(Generic[RowT]):
    """Some rows of a pull, and where the next pull would go on after them."""

    rows: Sequence[RowT | Tombstone]
    cursor: str
    has_more: bool
    resync: bool = False
    """Whether a scope was begun again: of its rows, those that do not come now are gone."""


def parse_since(text: str | None) -> Start:
    """Read `since`: nothing or 0, epoch milliseconds, ISO 8601 (no zone means UTC), or a cursor.

    Raises Invalid for anything else.
    """
    given = (text or "").strip()
    if given in {"", "0"}:
        return Start()
    if given.isascii() and given.isdigit():
        if len(given) > 15 or int(given) > MAX_EPOCH_MS:
            raise Invalid.at("since", "is too far in the future")
        return Start(instant=datetime.fromtimestamp(int(given) / 1000, UTC))
    if cursor.looks_like(given):
        return Start(positions=cursor.decode(given, field="since"))
    try:
        instant = datetime.fromisoformat(_with_plus(given))
    except ValueError:
        raise Invalid.at(
            "since", "must be an ISO 8601 time, epoch milliseconds or a cursor of this server"
        ) from None
    try:
        return Start(instant=instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC))
    except (OverflowError, ValueError):
        return Start()


def _with_plus(text: str) -> str:
    """An offset's plus sign arrives as a space when the client did not escape it."""
    head, separator, tail = text.rpartition(" ")
    return f"{head}+{tail}" if separator and "T" in head and len(tail) in {4, 5} else text


async def pull_knowledge(
    db: Database, actor: Actor, since: str | None, team_id: UUID | None, limit: int = PAGE_MAX
) -> AsyncIterator[Chunk[Entry]]:
    """Entries that changed, oldest change first, in chunks; the last chunk's cursor counts.

    Raises Invalid for a bad `since` and Forbidden for a team that the actor is not in, before the
    first chunk.
    """
    return await _pull(_KNOWLEDGE, db, actor, _Wish(since, team_id, limit))


async def pull_summaries(
    db: Database, actor: Actor, since: str | None, team_id: UUID | None, limit: int = PAGE_MAX
) -> AsyncIterator[Chunk[Summary]]:
    """Session summaries that changed; as `pull_knowledge`."""
    return await _pull(_SUMMARIES, db, actor, _Wish(since, team_id, limit))


async def _pull(
    source: _Source[RowT], db: Database, actor: Actor, wish: _Wish
) -> AsyncIterator[Chunk[RowT]]:
    start = parse_since(wish.since)
    reading_team(actor, wish.team_id)
    async with db.begin(actor) as connection:
        places = await _places(connection, actor, start, wish.team_id)
        gone: dict[UUID, From] = await _left_behind(connection, actor, start)
        await account_rows.count_sync(connection, actor.account_id)
    access = Access(actor.account_id, (*actor.access.scopes, *gone))
    return _chunks(source, db, access, {**places, **gone}, _Manner(wish.limit, start))


async def _left_behind(connection: Connection, actor: Actor, start: Start) -> dict[UUID, From]:
    """Where a pull by cursor goes on in teams that were deleted: nothing but tombstones is there.

    A team that somebody has left tells nothing more, so that copies made before stay as they were.
    """
    known = {i: p for i, p in (start.positions or {}).items() if i not in actor.roles}
    if not known:
        return {}
    gone = await team_rows.left_behind(connection, actor.account_id, list(known))
    return {
        i: From(i, position.version, position.everything, position.floor)
        for i, position in known.items()
        if i in gone
    }


async def _places(
    connection: Connection, actor: Actor, start: Start, team_id: UUID | None
) -> dict[UUID, From]:
    known: dict[UUID, Position] = {}
    pruned = await log.pruned(connection, actor.roles)
    if start.instant is not None:
        found = await log.positions_at(connection, actor.roles, start.instant - TIME_MARGIN)
        known = {scope_id: Position(version) for scope_id, version in found.items()}
    elif start.positions is not None:
        known = {
            scope_id: position
            for scope_id, position in start.positions.items()
            if position.everything or scope_id != team_id
        }
    places = {}
    for scope_id in actor.roles:
        # A cursor brings its own floor along; whoever begins here gets today's.
        fresh = start.positions is None or scope_id not in known
        position = known.get(scope_id, Position(0))
        floor = pruned.get(scope_id, 0) if fresh else position.floor
        places[scope_id] = From(scope_id, position.version, scope_id == team_id, floor)
    return places


@dataclass(frozen=True, slots=True)
class _Manner:
    """How much a pull gives, and whether it began with a cursor."""

    limit: int
    start: Start

    @property
    def exact(self) -> bool:
        """Whether the reader keeps our cursor, and so is told of deletions."""
        return self.start.positions is not None


async def _chunks(
    source: _Source[RowT], db: Database, access: Access, places: dict[UUID, From], manner: _Manner
) -> AsyncIterator[Chunk[RowT]]:
    left, has_more, resync = manner.limit, True, False
    while has_more:
        size = min(CHUNK, left)
        async with db.read(access) as connection:
            heads = await log.heads(connection, places)
            found = await source.fetch(
                connection, access, list(places.values()), size + 1, tombstones=manner.exact
            )
            # After the rows: had one gone before they were read, it would be known here.
            pruned = await log.pruned(connection, places)
        if lost := _lost(places, heads, pruned):
            places |= lost
            resync = True
            continue
        has_more, page = len(found) > size, found[:size]
        for row in page:
            places[row.scope_id] = _moved(places[row.scope_id], row.version)
        if not has_more:
            # The heads were read first: everything up to them was in reach of the page.
            places = {s: _moved(p, heads.get(s, 0)) for s, p in places.items()}
        left -= len(page)
        rows = [Tombstone(row.id) if row.deleted_at else source.shape(*row[:-1]) for row in page]
        yield Chunk(rows, _cursor(places), has_more, resync)
        if left == 0:
            return


def _lost(
    places: Mapping[UUID, From], heads: Mapping[UUID, int], pruned: Mapping[UUID, int]
) -> dict[UUID, From]:
    """The places from which a pull cannot go on, each at the beginning of its scope instead.

    Too old: what was deleted behind them may be forgotten. Ahead: the database is an older copy
    than the one that gave the cursor.
    """
    return {
        scope_id: From(scope_id, 0, place.everything, pruned[scope_id])
        for scope_id, place in places.items()
        if scope_id in pruned
        and (
            max(place.version, place.floor) < pruned[scope_id]
            or max(place.version, place.floor) > heads.get(scope_id, MAX_VERSION)
        )
    }


def _moved(place: From, version: int) -> From:
    return replace(place, version=max(place.version, version))


def _cursor(places: Mapping[UUID, From]) -> str:
    return cursor.encode(
        {scope_id: Position(p.version, p.everything, p.floor) for scope_id, p in places.items()}
    )
