"""What an account keeps on this server, and what it does there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from db import usage as rows
from domain.actor import Actor
from domain.entries import PUSH_MAX
from domain.errors import Invalid
from domain.services import Services

DAYS_MAX: Final = 90


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of what the account keeps, and the limits that hold for it."""

    knowledge_entries: int
    session_summaries: int
    sessions: int
    conversation_bytes: int
    """The current version of each conversation."""
    version_bytes: int
    """All versions of all conversations; what they have in common is stored once."""
    api_keys: int
    teams: int
    shared_sessions: int
    sync_actions: int
    tier: str
    limits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Day:
    """How much somebody changed on one day, by UTC."""

    date: date
    knowledge: int = 0
    sessions: int = 0
    summaries: int = 0
    total: int = 0


async def of(services: Services, actor: Actor) -> Usage:
    """The actor's own usage."""
    async with services.db.read(actor) as connection:
        row = await rows.of(connection, actor.access)
    return Usage(
        knowledge_entries=row.entries,
        session_summaries=row.summaries,
        sessions=row.sessions,
        conversation_bytes=row.conversation_bytes,
        version_bytes=row.version_bytes,
        api_keys=row.api_keys,
        teams=row.teams,
        shared_sessions=row.shared_sessions,
        sync_actions=row.sync_actions,
        tier=row.tier,
        limits={
            "requestsPerWindow": services.settings.rate_limit_max,
            "windowMs": services.settings.rate_limit_window_ms,
            "entriesPerPush": PUSH_MAX,
            "conversationBytes": services.settings.conversation_max,
        },
    )


async def by_day(services: Services, actor: Actor, last: int) -> list[Day]:
    """The actor's changes on each of the last days by UTC, today included, oldest first.

    Counted from the log, so days before its beginning are empty. Raises Invalid for too many days.
    """
    if not 1 <= last <= DAYS_MAX:
        raise Invalid.at("last", f"must be from 1 to {DAYS_MAX}")
    async with services.db.read(actor) as connection:
        return [Day(*row) for row in await rows.by_day(connection, actor.access, last)]
