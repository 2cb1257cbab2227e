"""Community patterns: offering them, reading what is shown of them.

When and what of them is shown is decided in `domain.publication`; who contributes, in
`domain.contributor`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from pydantic import Field, StringConstraints

from db import accounts as account_rows
from db import contributions as said
from db import drawn_numbers
from db import patterns as rows
from db.claims import NOBODY
from db.engine import Connection, Database
from db.patterns import Filter as Filter
from db.patterns import Keyset as Keyset
from db.patterns import Order as Order
from db.tables import COUNTED_MAX
from domain import publication
from domain.actor import Actor
from domain.contributor import Contributor, contributor
from domain.errors import Invalid
from domain.inputs import EpochMs, Input, NonBlank, Storable, Tags
from domain.policy import require_key
from domain.privacy import WORDLESS, Sign, signs_in
from domain.sameness import folded, legible, plain, wanted_terms
from domain.services import Services

CONTRIBUTION_MAX = 100
TOP_CATEGORIES = 10
QUERY_MAX = 500

PatternType = Literal["solution", "error_fix", "decision", "pattern"]
Label = Annotated[NonBlank, StringConstraints(max_length=255)]


class NewPattern(Input):
    """What somebody found to work, in general terms."""

    type: PatternType
    category: Label
    platform: Annotated[Storable, StringConstraints(max_length=255)] | None = None
    approach: Annotated[NonBlank, StringConstraints(min_length=10, max_length=5_000)]
    tags: Tags | None = None
    effectiveness: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    first_seen: EpochMs | None = None
    last_seen: EpochMs | None = None


class Contribution(Input):
    """Patterns that somebody offers; the hash is what old clients send, and proves nothing."""

    contributor_hash: Annotated[Storable, StringConstraints(max_length=255)] | None = None
    patterns: Annotated[tuple[NewPattern, ...], Field(min_length=1, max_length=CONTRIBUTION_MAX)]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as the community sees it; times are epoch milliseconds, to the week."""

    id: UUID
    type: str
    category: str
    platform: str | None
    approach: str
    tags: Sequence[str]
    effectiveness: float | None
    contributor_count: int
    """About so many share it, as it was drawn (see `domain.draws`); at least three."""
    first_seen: int
    last_seen: int
    published_at: datetime
    """The beginning of the week in which it came into sight."""
    numbers_from: datetime | None
    """The week whose draw its numbers are of; None while there was none since it is shown."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One of the offered patterns, as it was taken."""

    index: int
    pattern_id: UUID
    visible: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one of the offered patterns was not taken."""

    index: int
    signs: Sequence[Sign]

    @property
    def reason(self) -> str:
        """All reasons in one line."""
        return "; ".join(sign.words for sign in self.signs)


@dataclass(frozen=True, slots=True)
class Contributed:
    """What a contribution came to; each pattern taken or refused."""

    accepted: int
    """New ones, as far as the contributor may know: not shown until now, nor its own before."""
    merged: int
    taken: Sequence[Taken]
    refused: Sequence[Refusal]


@dataclass(frozen=True, slots=True)
class Statistics:
    """The community in numbers."""

    patterns: int
    contributors: int
    """About so many, as it was drawn; what is shown needs at least three."""
    top_categories: Sequence[tuple[str, int]]
    last_seen: int | None
    numbers_from: datetime | None
    """The week of the last draw; None before the first."""
    margin: int | None
    """Numbers of people differ from the truth by no more than this, in 95% of all cases."""


async def contribute(services: Services, actor: Actor | None, data: Contribution) -> Contributed:
    """Take part in patterns. Patterns with secrets, paths or addresses are refused with the reason.

    Raises Unauthenticated without an account, unless the setting lets anonymous contributions in;
    those are kept apart and never make anything visible.
    """
    if actor is not None:
        require_key(actor, "sync")
    who = contributor(services, actor, data.contributor_hash)
    offers: dict[bytes, NewPattern] = {}
    places: dict[int, bytes] = {}
    refusals = []
    for index, pattern in enumerate(data.patterns):
        key, signs = sameness(pattern.category, pattern.approach), _signs(pattern)
        if key is None or signs:
            refusals.append(Refusal(index, signs or [WORDLESS]))
        else:
            places[index], offers[key] = key, pattern
    async with services.db.begin(publication.COMMUNITY_WORK) as connection:
        counts_from = await _counts_from(services, connection, actor)
        kept = await _take_all(connection, who, offers, counts_from)
        shown = await publication.refresh(connection, [id for id, _new in kept.values()])
    accepted = sum(new for _id, new in kept.values())
    taken = [Taken(index, kept[key][0], kept[key][0] in shown) for index, key in places.items()]
    return Contributed(accepted, len(taken) - accepted, taken, refusals)


def _signs(pattern: NewPattern) -> list[Sign]:
    return signs_in(
        pattern.category, pattern.approach, pattern.platform or "", *(pattern.tags or ())
    )


async def _counts_from(
    services: Services, connection: Connection, actor: Actor | None
) -> datetime | None:
    """The week from which on the actor's contributions count; None for at once.

    Only the week, so that the time does not tell the account.
    """
    age = services.settings.pattern_min_account_age
    account = actor and age and await account_rows.by_id(connection, actor.account_id)
    if not account or not age or account.created_at + age <= datetime.now(UTC):
        return None
    days = (account.created_at + age - _MONDAY) // timedelta(days=1)
    return _MONDAY + timedelta(days=days - days % 7 + 7)


_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


async def _take_all(
    connection: Connection,
    who: Contributor,
    offers: Mapping[bytes, NewPattern],
    counts_from: datetime | None,
) -> dict[bytes, tuple[UUID, bool]]:
    """Keep contributions; of each its pattern, and whether that is new to the contributor."""
    room = 0
    if offers and not who.anonymous:
        room = COUNTED_MAX - await said.note_contributor(connection, who.identity)
    taken, counted = {}, 0
    # In this order, so that two contributions never wait for each other.
    for key in sorted(offers):
        values = {**_values(who, key, offers[key], counts_from), "counted": counted < room}
        pattern_id, shown = await rows.open_pattern(connection, key, _pattern(values))
        kept = await said.contribute(connection, pattern_id, who.seen_as(key), values)
        taken[key] = pattern_id, kept.new and not shown
        counted += kept.counted
    if not who.anonymous:
        await said.count_contributor(connection, who.identity, counted)
    return taken


def _values(
    who: Contributor, key: bytes, offer: NewPattern, counts_from: datetime | None
) -> dict[str, Any]:
    """What is kept of an offer."""
    now = int(time.time() * 1000)
    last_seen = min(offer.last_seen or now, now)
    first_seen = min(offer.first_seen or last_seen, last_seen)
    return {
        "groups": sorted(who.groups(key)),
        "anonymous": who.anonymous,
        "type": offer.type,
        "category": legible(offer.category),
        "approach": legible(offer.approach),
        "platform": legible(offer.platform or "") or None,
        "tags": sorted({folded(tag) for tag in offer.tags or ()} - {""}),
        "effectiveness": offer.effectiveness,
        "first_seen": first_seen,
        "last_seen": last_seen,
        "counts_from": counts_from,
    }


def _pattern(values: Mapping[str, Any]) -> dict[str, Any]:
    """A pattern that nobody has contributed before; the spelling is its contributors' own."""
    words = {name: plain(values[name]) for name in ("category", "approach")}
    same = {name: values[name] for name in ("type", "first_seen", "last_seen")}
    return {"id": uuid4(), **words, **same}


def sameness(category: str, approach: str) -> bytes | None:
    """What two wordings of one pattern have in common; None when nothing of the approach remains.

    See `domain.sameness` for what makes no difference.
    """
    words = plain(approach)
    if not words:
        return None
    return hashlib.sha256(f"{plain(category)}\0{words}".encode()).digest()


def _sought(wanted: Filter) -> Filter:
    """The filter with what is to be compared as it is stored."""
    wanted = replace(wanted, tags=tuple(folded(tag) for tag in wanted.tags))
    if wanted.words is None:
        return wanted
    return replace(wanted, terms=tuple(wanted_terms(wanted.words) or ()))


async def page(
    services: Services, wanted: Filter, *, limit: int, offset: int
) -> tuple[list[Pattern], int]:
    """Visible patterns, best match or most shared first, and how many there are.

    Raises Invalid for a query of less than two characters.
    """
    if wanted.words is not None and not 2 <= len(wanted.words.strip()) <= QUERY_MAX:
        raise Invalid.at("q", f"must be 2 to {QUERY_MAX} characters")
    found, total = await ranked(services, wanted, limit=limit, offset=offset)
    return [pattern for pattern, _rank in found], total


async def ranked(
    services: Services, wanted: Filter, *, limit: int, offset: int
) -> tuple[list[tuple[Pattern, float]], int]:
    """The same, each with its rank: higher is better."""
    async with services.db.read(NOBODY) as connection:
        found, total = await rows.page(connection, _sought(wanted), limit, offset)
    return [(Pattern(*row[:-1]), row.rank) for row in found], total


async def between(
    services: Services,
    wanted: Filter,
    order: Order,
    *,
    limit: int,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> list[tuple[Pattern, Keyset]]:
    """Visible patterns with their places, most shared or newest first."""
    async with services.db.read(NOBODY) as connection:
        found = await rows.between(
            connection,
            _sought(wanted),
            order,
            limit=limit,
            after=after,
            before=before,
            backward=backward,
        )
    return [(Pattern(*row[:-1]), Keyset(row.number, row.id)) for row in found]


async def count(services: Services, wanted: Filter) -> int:
    """How many visible patterns a list has in all."""
    async with services.db.read(NOBODY) as connection:
        return await rows.count(connection, _sought(wanted))


async def by_ids(db: Database, ids: Sequence[UUID]) -> list[Pattern]:
    """Those of the patterns that are visible, in any order."""
    async with db.read(NOBODY) as connection:
        return [Pattern(*row) for row in await rows.by_ids(connection, ids)]


def contributors_shown(total: int, drawn: int | None) -> int:
    """How many contributors are told of: as drawn, and what any pattern that is shown needs."""
    return max(drawn or 0, rows.REACH_MIN if total else 0)


async def statistics(services: Services) -> Statistics:
    """How much the community shares."""
    async with services.db.read(NOBODY) as connection:
        sums, categories = await rows.statistics(connection, TOP_CATEGORIES)
        drawn = await drawn_numbers.latest(connection)
    total, last_seen = sums
    contributors = contributors_shown(total, drawn.contributors if drawn else None)
    week, margin = (drawn.epoch, drawn.margin) if drawn else (None, None)
    top = [(category, number) for category, number in categories]
    return Statistics(total, contributors, top, last_seen, week, margin)
