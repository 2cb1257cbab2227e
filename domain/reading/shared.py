"""Conversations as teams read them: what was said, redacted, and only what the owner shows.

Everything here passes `domain.masking`; the bytes of a transcript have no way through.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db import messages as message_rows
from db import shared_messages as rows
from db.engine import Database
from db.messages import Only, Part
from db.rows import AnyRow
from domain.actor import Actor
from domain.masking import Mask, Masked
from domain.reading.records import TEXT_MAX
from domain.sessions import Session

FINDINGS_MAX: Final = 20
PREVIEW_MAX: Final = 2_000
"""Messages of a conversation that a preview goes through."""
_BATCH: Final = 500
_AROUND: Final = 60


@dataclass(frozen=True, slots=True)
class SharedMessage:
    """Something that was said in a shared session."""

    share: UUID
    line: int
    role: str
    at: datetime | None
    """None where the owner does not show times."""
    model: str | None
    text: str | None
    tools: tuple[str, ...]
    """The names of the tools that were asked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a shared view would mask."""

    line: int
    kinds: tuple[str, ...]
    excerpt: str
    """The text around it, masked."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What masking does to a conversation, for its owner."""

    messages: int
    """How many were looked at."""
    complete: bool
    """Whether those are all."""
    counts: Mapping[str, int]
    findings: Sequence[Finding]


async def pages(
    db: Database, actor: Actor, ids: Sequence[UUID], part: Part
) -> dict[UUID, list[SharedMessage]]:
    """The same part of each share's messages, in line order; none of what is not shown."""
    async with db.read(actor) as connection:
        found = await rows.pages(connection, actor.access, ids, part)
    by_share: dict[UUID, list[SharedMessage]] = {id: [] for id in ids}
    # Redacting is work for the processor alone: others get their turn meanwhile.
    for message in await asyncio.to_thread(_masked, found):
        by_share[message.share].append(message)
    return by_share


async def count(db: Database, actor: Actor, share_id: UUID) -> int:
    """How many messages a share shows."""
    async with db.read(actor) as connection:
        return await rows.count(connection, actor.access, share_id)


async def preview(db: Database, actor: Actor, session: Session) -> Preview:
    """What sharing the conversation of one of the actor's sessions would mask, and how."""
    mask, counts, findings = Mask(session.working_directory), Counter[str](), list[Finding]()
    after, looked = 0, 0
    while looked < PREVIEW_MAX:
        only = Only(roles=rows.SPEAKERS, sidechains=False)
        part = Part(_BATCH, only=only, after=after)
        async with db.read(actor) as connection:
            found = await message_rows.pages(connection, actor.access, [session.id], part)
        for row, masked in await asyncio.to_thread(_looked_at, mask, found):
            counts.update(masked.counts)
            if masked.counts and len(findings) < FINDINGS_MAX:
                findings.append(_finding(row.line, masked))
        looked += len(found)
        if len(found) < _BATCH:
            return Preview(looked, True, counts, findings)
        after = found[-1].line
    return Preview(looked, False, counts, findings)


def _looked_at(mask: Mask, found: Sequence[AnyRow]) -> list[tuple[AnyRow, Masked]]:
    return [(row, mask(_whole_words(row.text))) for row in found if row.text is not None]


def _finding(line: int, masked: Masked) -> Finding:
    place = max(masked.text.find("[redacted:"), 0)
    excerpt = masked.text[max(0, place - _AROUND) : place + 2 * _AROUND]
    return Finding(line, tuple(sorted(masked.counts)), excerpt)


def _masked(found: Sequence[AnyRow]) -> list[SharedMessage]:
    masks: dict[UUID, Mask] = {}
    return [_message(row, masks.setdefault(row.share, Mask(row.folder))) for row in found]


def _message(row: AnyRow, mask: Mask) -> SharedMessage:
    return SharedMessage(
        row.share,
        row.line,
        row.role,
        row.at if row.times and row.timed else None,
        row.model,
        None if row.text is None else mask(_whole_words(row.text)).text,
        tuple(mask(call["name"]).text for call in row.calls or ()),
    )


def _whole_words(text: str) -> str:
    """Without the end of a text that was cut: half a secret looks like none."""
    if len(text) < TEXT_MAX - 1:
        return text
    return text[: max(text.rfind(" "), text.rfind("\n"), 0)]
