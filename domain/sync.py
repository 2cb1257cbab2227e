"""Pulls: pages of the log for clients that keep a copy.

A pull goes on from a position in each scope. A client may name it with our opaque cursor, which is
exact, or with a time, which is turned into positions a little earlier than it says: a transaction
that began before that time may have committed after it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
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
from domain.cursor import Position
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
    async with db.read() as connection:
        await account_rows.count_sync(connection, actor.account_id)
        places = await _places(connection, actor, start, wish.team_id)
        gone: dict[UUID, From] = await _left_behind(connection, actor, start)
    exact = start.positions is not None
    access = Access(actor.account_id, (*actor.access.scopes, *gone))
    return _chunks(source, db, access, {**places, **gone}, wish.limit, tombstones=exact)


async def _left_behind(connection: Connection, actor: Actor, start: Start) -> dict[UUID, From]:
    """Where a pull by cursor goes on in teams that were deleted: nothing but tombstones is there.

    A team that somebody has left tells nothing more, so that copies made before stay as they were.
    """
    known = {i: p for i, p in (start.positions or {}).items() if i not in actor.roles}
    if not known:
        return {}
    gone = await team_rows.left_behind(connection, actor.account_id, list(known))
    return {i: From(i, known[i].version, known[i].everything) for i in gone}


async def _places(
    connection: Connection, actor: Actor, start: Start, team_id: UUID | None
) -> dict[UUID, From]:
    versions: Mapping[UUID, int] = {}
    if start.instant is not None:
        moment = start.instant - TIME_MARGIN
        versions = await log.positions_at(connection, actor.roles, moment)
    elif start.positions is not None:
        versions = {
            scope_id: position.version
            for scope_id, position in start.positions.items()
            if position.everything or scope_id != team_id
        }
    return {
        scope_id: From(scope_id, versions.get(scope_id, 0), scope_id == team_id)
        for scope_id in actor.roles
    }


async def _chunks(
    source: _Source[RowT],
    db: Database,
    access: Access,
    places: dict[UUID, From],
    limit: int,
    *,
    tombstones: bool,
) -> AsyncIterator[Chunk[RowT]]:
    left, has_more = limit, True
    while has_more:
        size = min(CHUNK, left)
        async with db.read() as connection:
            heads = await log.heads(connection, places)
            found = await source.fetch(
                connection, access, list(places.values()), size + 1, tombstones=tombstones
            )
        has_more, page = len(found) > size, found[:size]
        for row in page:
            places[row.scope_id] = _moved(places[row.scope_id], row.version)
        if not has_more:
            # The heads were read first: everything up to them was in reach of the page.
            places = {s: _moved(p, heads.get(s, 0)) for s, p in places.items()}
        left -= len(page)
        rows = [Tombstone(row.id) if row.deleted_at else source.shape(*row[:-1]) for row in page]
        yield Chunk(rows, _cursor(places), has_more)
        if left == 0:
            return


def _moved(place: From, version: int) -> From:
    return From(place.scope_id, max(place.version, version), place.everything)


def _cursor(places: Mapping[UUID, From]) -> str:
    return cursor.encode(
        {scope_id: Position(p.version, p.everything) for scope_id, p in places.items()}
    )
