"""What the actor contributes to the community: looking at it, and taking it back.

The server keeps no list of it. It computes, for each pattern there is, what the actor would be
called there, and looks whether somebody of that name contributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from db import contributions as said
from db import patterns as rows
from db.claims import NOBODY
from db.engine import Connection
from db.rows import AnyRow
from domain import publication
from domain.actor import Actor
from domain.contributor import Contributor, contributor
from domain.errors import Invalid, NotFound
from domain.inputs import Input
from domain.services import Services

BATCH: Final = 2_000
WITHDRAW_MAX: Final = 100
_START: Final = UUID(int=0)


class Withdrawal(Input):
    """What to take back: some patterns, or everything."""

    ids: Annotated[tuple[UUID, ...], Field(max_length=WITHDRAW_MAX)] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class OwnContribution:
    """What the actor says of a pattern; times are epoch milliseconds."""

    pattern_id: UUID
    category: str
    approach: str
    type: str
    platform: str | None
    tags: Sequence[str]
    effectiveness: float | None
    first_seen: int
    last_seen: int
    counts_from: datetime | None
    """When it begins to count; None when it does."""


async def page(
    services: Services, actor: Actor, *, limit: int, after: UUID | None = None
) -> list[OwnContribution]:
    """Up to `limit` contributions of the actor's behind a pattern's id, in the order of the ids."""
    async with services.db.read(NOBODY) as connection:
        return await _page(connection, contributor(services, actor), limit, after or _START)


async def _page(
    connection: Connection, who: Contributor, limit: int, after: UUID = _START
) -> list[OwnContribution]:
    found: list[OwnContribution] = []
    if not await said.is_contributor(connection, who.identity):
        return found
    while len(found) < limit:
        batch = await rows.batch(connection, after, BATCH)
        found += await _among(connection, who, batch)
        if len(batch) < BATCH:
            break
        after = batch[-1].id
    return found[:limit]


async def _among(
    connection: Connection, who: Contributor, batch: Sequence[AnyRow]
) -> list[OwnContribution]:
    digests = {row.id: who.seen_as(row.sameness) for row in batch}
    own = await said.contributed(connection, digests)
    return [OwnContribution(*row) for row in own]


async def count(services: Services, actor: Actor) -> int:
    """How many patterns the actor contributes to."""
    total, after = 0, None
    while batch := await page(services, actor, limit=BATCH, after=after):
        total, after = total + len(batch), batch[-1].pattern_id
    return total


async def withdraw(services: Services, actor: Actor, data: Withdrawal) -> list[UUID]:
    """Take back contributions; the ids of the patterns. What three no longer share disappears.

    All or nothing of what is named. Raises NotFound when the actor does not contribute to one of
    the patterns, and Invalid when it does not say which.
    """
    if data.everything == bool(data.ids):
        raise Invalid.at(("input", "ids"), "name the patterns, or say everything: one of the two")
    if not data.everything:
        return await _withdraw(services, actor, sorted(set(data.ids)))
    who = contributor(services, actor)
    gone: list[UUID] = []
    while not await _forgotten(services, who):
        batch = await page(services, actor, limit=WITHDRAW_MAX)
        gone += await _withdraw(services, actor, [c.pattern_id for c in batch], strict=False)
    return gone


async def _forgotten(services: Services, who: Contributor) -> bool:
    """Whether somebody contributes nothing any more and is therefore no contributor."""
    async with services.db.begin(publication.COMMUNITY_WORK) as connection:
        # Under its lock nothing can be contributed meanwhile.
        await said.note_contributor(connection, who.identity)
        if await _page(connection, who, 1):
            return False
        await said.forget_contributor(connection, who.identity)
        return True


async def _withdraw(
    services: Services, actor: Actor, ids: Sequence[UUID], *, strict: bool = True
) -> list[UUID]:
    who = contributor(services, actor)
    async with services.db.begin(publication.COMMUNITY_WORK) as connection:
        known = await said.is_contributor(connection, who.identity, lock=True)
        taken = {}
        for row in await rows.lock_all(connection, ids) if known else ():
            counted = await said.withdraw(connection, row.id, who.seen_as(row.sameness))
            if counted is not None:
                taken[row.id] = counted
        if strict and len(taken) != len(ids):
            raise NotFound("You do not contribute to one of these patterns: nothing was withdrawn")
        await said.count_contributor(connection, who.identity, -sum(taken.values()))
        await publication.refresh(connection, list(taken))
    return list(taken)
