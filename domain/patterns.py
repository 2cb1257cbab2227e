"""Community patterns: shown once three independent people share them.

What makes contributors independent is the account, never a hash that a request claims: an account
is seen only as an HMAC of itself and the pattern, so that contributions cannot be joined across
patterns. Members of one team count once (k-anonymity after Sweeney 2002, with k = 3).
"""

from __future__ import annotations

import hashlib
import hmac
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from pydantic import Field, StringConstraints

from db import patterns as rows
from db.engine import Connection
from db.patterns import Filter as Filter
from domain.actor import Actor
from domain.errors import Invalid, Unauthenticated
from domain.inputs import EpochMs, Input, NonBlank, Storable, Tags
from domain.policy import require_key
from domain.privacy import reasons_to_refuse
from domain.services import Services

INDEPENDENT = 3
CONTRIBUTION_MAX = 100
WEEK_MS = 7 * 24 * 3600 * 1000
TOP_CATEGORIES = 10

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
    first_seen: int
    last_seen: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one of the offered patterns was not taken."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Contributed:
    """What a contribution came to: new patterns, known ones, refused ones."""

    accepted: int
    merged: int
    refused: Sequence[Refusal]


@dataclass(frozen=True, slots=True)
class Statistics:
    """The community in numbers."""

    patterns: int
    contributors: int
    top_categories: Sequence[tuple[str, int]]
    last_seen: int | None


@dataclass(frozen=True, slots=True)
class _Contributor:
    """Who contributes: a way to digest it for one pattern."""

    seen_as: Callable[[bytes], bytes]
    groups: Callable[[bytes], list[bytes]]
    identity: bytes
    anonymous: bool


async def contribute(services: Services, actor: Actor | None, data: Contribution) -> Contributed:
    """Take part in patterns. Patterns with secrets, paths or addresses are refused with the reason.

    Raises Unauthenticated without an account, unless the setting lets anonymous contributions in;
    those are kept apart and never make anything visible.
    """
    if actor is not None:
        require_key(actor, "sync")
    who = _contributor(services, actor, data)
    refusals, accepted, merged = [], 0, 0
    offers: dict[bytes, NewPattern] = {}
    for index, pattern in enumerate(data.patterns):
        reasons = reasons_to_refuse(pattern.category, pattern.approach, *(pattern.tags or ()))
        if not reasons and _sameness(pattern) is None:
            reasons = ["it says nothing in words"]
        if reasons:
            refusals.append(Refusal(index, "; ".join(reasons)))
        elif (key := _sameness(pattern)) is not None:
            merged += key in offers
            offers[key] = pattern
    async with services.db.begin() as connection:
        if offers and not who.anonymous:
            await rows.note_contributor(connection, who.identity)
        for key in sorted(offers):
            if await _take(connection, who, key, offers[key]):
                accepted += 1
            else:
                merged += 1
    return Contributed(accepted, merged, refusals)


def _contributor(services: Services, actor: Actor | None, data: Contribution) -> _Contributor:
    secret = services.tokens.derive("community contributors")

    def digest(*parts: bytes) -> bytes:
        return hmac.digest(secret, b"\0".join(parts), "sha256")

    if actor is not None:
        account = actor.account_id.bytes
        teams = [scope.bytes for scope in actor.roles if scope != actor.account_id]
        return _Contributor(
            lambda key: digest(b"account", account, key),
            lambda key: [digest(b"team", team, key) for team in teams],
            digest(b"account", account),
            anonymous=False,
        )
    if not services.settings.allow_anonymous_contributions:
        raise Unauthenticated
    claimed = (data.contributor_hash or "").encode()
    return _Contributor(
        lambda key: digest(b"anonymous", claimed, key), lambda _key: [], b"", anonymous=True
    )


async def _take(connection: Connection, who: _Contributor, key: bytes, offer: NewPattern) -> bool:
    """Keep one contribution; whether its pattern is new."""
    now = int(time.time() * 1000)
    last_seen = min(offer.last_seen or now, now)
    first_seen = min(offer.first_seen or last_seen, last_seen)
    pattern_id, new = await rows.open_pattern(
        connection,
        key,
        {
            "id": uuid4(),
            "category": offer.category.strip(),
            "approach": offer.approach.strip(),
            "type": offer.type,
            "first_seen": first_seen,
            "last_seen": last_seen,
        },
    )
    said = {
        "groups": who.groups(key),
        "anonymous": who.anonymous,
        "type": offer.type,
        "platform": (offer.platform or "").strip() or None,
        "tags": sorted({tag.strip().casefold() for tag in offer.tags or ()}),
        "effectiveness": offer.effectiveness,
        "first_seen": first_seen,
        "last_seen": last_seen,
    }
    await rows.contribute(connection, pattern_id, who.seen_as(key), said)
    if not who.anonymous:
        everybody = await rows.contributions_to(connection, pattern_id)
        await rows.publish(connection, pattern_id, _published(everybody))
    return new


def _published(contributions: Sequence[Any]) -> dict[str, Any]:
    """What may be shown of a pattern: each value only where three independent people share it."""
    independent = _independent(contributions)
    visible = independent >= INDEPENDENT
    rated = [c for c in contributions if c.effectiveness is not None]
    tags = sorted({tag for c in contributions for tag in c.tags})
    values: dict[str, Any] = {
        "independent": independent,
        "type": _shared(contributions, lambda c: c.type) or "pattern",
        "platform": _shared(contributions, lambda c: c.platform),
        "tags": [
            t for t in tags if _independent(c for c in contributions if t in c.tags) >= INDEPENDENT
        ],
        "effectiveness": (
            round(sum(c.effectiveness for c in rated) / len(rated), 2)
            if _independent(rated) >= INDEPENDENT
            else None
        ),
        "first_seen": _week(min(c.first_seen for c in contributions)),
        "last_seen": _week(max(c.last_seen for c in contributions)),
    }
    if visible:
        values["visible_at"] = rows.first_shown()
    return values


def _shared(contributions: Sequence[Any], value: Callable[[Any], str | None]) -> str | None:
    """The most frequent value that three independent contributors share."""
    ranked = Counter(v for c in contributions if (v := value(c)) is not None).most_common()
    for candidate, _ in ranked:
        if _independent(c for c in contributions if value(c) == candidate) >= INDEPENDENT:
            return candidate
    return None


def _independent(contributions: Iterable[Any]) -> int:
    """How many contributors remain when all who share a team, even through others, count as one."""
    clusters: list[set[bytes]] = []
    for contribution in contributions:
        joined = {contribution.contributor, *contribution.groups}
        apart = []
        for cluster in clusters:
            if cluster & joined:
                joined |= cluster
            else:
                apart.append(cluster)
        clusters = [*apart, joined]
    return len(clusters)


def _week(epoch_ms: int) -> int:
    return epoch_ms - epoch_ms % WEEK_MS


def _sameness(pattern: NewPattern) -> bytes | None:
    """What two wordings of one pattern have in common; None when nothing remains of the approach.

    Compatibility forms are unified (NFKC), case is folded, punctuation and runs of space dropped;
    letters of every script and their marks stay.
    """
    category, approach = _plain(pattern.category), _plain(pattern.approach)
    if not approach:
        return None
    return hashlib.sha256(f"{category}\0{approach}".encode()).digest()


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(" " if unicodedata.category(c)[0] in "PZC" else c for c in folded)
    return " ".join(kept.split())


async def page(
    services: Services, wanted: Filter, *, limit: int, offset: int
) -> tuple[list[Pattern], int]:
    """Visible patterns, best match or most shared first, and how many there are.

    Raises Invalid for a query of less than two characters.
    """
    if wanted.words is not None and not 2 <= len(wanted.words.strip()) <= 500:
        raise Invalid.at("q", "must be 2 to 500 characters")
    async with services.db.read() as connection:
        found, total = await rows.page(connection, wanted, limit, offset)
    return [Pattern(*row) for row in found], total


async def statistics(services: Services) -> Statistics:
    """How much the community shares."""
    async with services.db.read() as connection:
        sums, categories = await rows.statistics(connection, TOP_CATEGORIES)
    total, last_seen, contributors = sums
    return Statistics(total, contributors, [(c, n) for c, n in categories], last_seen)
