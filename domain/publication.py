"""What the community may be shown of a pattern, and the moment when that begins or ends.

A pattern is shown while three independent people share it (k-anonymity after Sweeney 2002, with
k = 3); members of one team count as one, and accounts that are too young do not count yet. Each
value (a tag, a platform, a spelling, a date) shows only where three share it, dates as weeks. How
many and how well is told by `domain.draws` alone. Nobody is named: not in the log of the community
either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from db import contributions as said
from db import log
from db import patterns as rows
from db.claims import System
from db.engine import Connection, Database
from db.log import Entry
from db.tables import COMMUNITY
from domain import journal
from domain.sameness import plain, terms

INDEPENDENT: Final = 3
WEEK_MS: Final = 7 * 24 * 3600 * 1000
SWEEP_MAX: Final = 200
NOBODY: Final = UUID(int=0)
COMMUNITY_WORK: Final = System("community patterns")
"""Contributions are written as nobody, and into the log of a scope that has no members."""


async def refresh(connection: Connection, pattern_ids: Collection[UUID]) -> set[UUID]:
    """Work out anew what is shown of these patterns, whose rows are locked; those that are shown.

    Patterns that nobody shares any more go. What came into sight or went out of it is logged in
    the community's scope, whose lock is the last that a transaction takes.
    """
    shown, turned = set(), []
    for pattern_id in pattern_ids:
        was, now = await _refresh(connection, pattern_id)
        if now:
            shown.add(pattern_id)
        if was != now:
            turned.append((pattern_id, "pattern_published" if now else "pattern_withdrawn"))
    if turned:
        head = (await log.advance(connection, None, {COMMUNITY: len(turned)}))[COMMUNITY]
        week = await rows.this_week(connection)
        entries = [
            Entry(COMMUNITY, head.take(), week, kind, pattern_id, NOBODY)
            for pattern_id, kind in turned
        ]
        await journal.append(connection, entries)
    return shown


async def _refresh(connection: Connection, pattern_id: UUID) -> tuple[bool, bool]:
    """Whether a pattern was shown, and whether it is."""
    pattern = await rows.locked(connection, pattern_id)
    if pattern is None:
        return False, False
    was = pattern.visible_at is not None
    if not await said.is_shared(connection, pattern_id):
        await rows.delete_one(connection, pattern_id)
        return was, False
    contributions = await said.contributions_to(connection, pattern_id)
    visible = _enough(contributions)
    values = published(contributions)
    for name in ("category", "approach"):
        values[name] = values[name] or plain(getattr(pattern, name))
    values["visible_at"] = rows.first_shown() if visible else None
    values["grams"] = terms(pattern.category, pattern.approach)
    values |= {} if visible else {"reach": None, "numbers_from": None}
    values |= {} if visible and values["rated"] else {"effectiveness": None}
    await rows.publish(connection, pattern_id, values)
    return was, visible


async def sweep(db: Database) -> int:
    """Let contributions count whose accounts are old enough by now; of how many patterns."""
    async with db.read(COMMUNITY_WORK) as connection:
        due = await said.due(connection, SWEEP_MAX)
    for pattern_id in due:
        async with db.begin(COMMUNITY_WORK) as connection:
            if await rows.locked(connection, pattern_id) is not None:
                await said.let_count(connection, pattern_id)
                await refresh(connection, [pattern_id])
    return len(due)


def published(contributions: Sequence[Any]) -> dict[str, Any]:
    """What may be shown of a pattern: each value only where three independent people share it."""
    tags = sorted({tag for c in contributions for tag in c.tags})
    return {
        "type": _shared(contributions, lambda c: c.type) or "pattern",
        "category": _shared(contributions, lambda c: c.category),
        "approach": _shared(contributions, lambda c: c.approach),
        "platform": _shared(contributions, lambda c: c.platform),
        "tags": [t for t in tags if _enough(c for c in contributions if t in c.tags)],
        "rated": _enough(c for c in contributions if c.effectiveness is not None),
        "first_seen": _week(_known_to_three(contributions, lambda c: c.first_seen, min)),
        "last_seen": _week(_known_to_three(contributions, lambda c: c.last_seen, max)),
    }


def _shared(contributions: Sequence[Any], value: Callable[[Any], str | None]) -> str | None:
    """The most frequent value that three independent people share, spelled as three spell it.

    In plain words where no three spell it alike, as a spelling may be somebody's own.
    """
    given = [(v, c) for c in contributions if (v := value(c)) is not None]
    meanings = _most_shared([(plain(spelling), c) for spelling, c in given])
    if meanings is None:
        return None
    return _most_shared([(v, c) for v, c in given if plain(v) == meanings]) or meanings or None


def _most_shared(given: Sequence[tuple[str, Any]]) -> str | None:
    times = Counter(text for text, _ in given)
    for text in sorted(times, key=lambda text: (-times[text], text)):
        if _enough(c for other, c in given if other == text):
            return text
    return None


def _known_to_three(
    contributions: Sequence[Any],
    value: Callable[[Any], int],
    outermost: Callable[[Iterable[int]], int],
) -> int:
    """The time by which three had seen it (from which on, for the last): no single one's own."""
    each = [outermost(map(value, cluster)) for cluster in _clusters(contributions)]
    ordered = sorted(each, reverse=outermost is max)
    return ordered[min(INDEPENDENT, len(ordered)) - 1] if ordered else 0


def _enough(contributions: Iterable[Any]) -> bool:
    return independent(contributions) >= INDEPENDENT


def independent(contributions: Iterable[Any]) -> int:
    """How many contributors remain when all who share a team, even through others, count as one."""
    return len(_clusters(contributions))


def _clusters(contributions: Iterable[Any]) -> list[list[Any]]:
    clusters: list[tuple[set[bytes], list[Any]]] = []
    for contribution in contributions:
        joined, people = {contribution.contributor, *contribution.groups}, [contribution]
        apart = []
        for digests, others in clusters:
            if digests & joined:
                joined |= digests
                people += others
            else:
                apart.append((digests, others))
        clusters = [*apart, (joined, people)]
    return [people for _digests, people in clusters]


def _week(epoch_ms: int) -> int:
    return epoch_ms - epoch_ms % WEEK_MS
