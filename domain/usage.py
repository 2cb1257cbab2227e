"""What an account keeps on this server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from db import usage as rows
from domain.actor import Actor
from domain.entries import PUSH_MAX
from domain.services import Services


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of what the account wrote, and the limits that hold for it."""

    knowledge_entries: int
    session_summaries: int
    sessions: int
    conversation_bytes: int
    sync_actions: int
    tier: str
    limits: Mapping[str, int]


async def of(services: Services, actor: Actor) -> Usage:
    """The actor's own usage."""
    async with services.db.read() as connection:
        row = await rows.of(connection, actor.access)
    limits = {
        "requestsPerWindow": services.settings.rate_limit_max,
        "windowMs": services.settings.rate_limit_window_ms,
        "entriesPerPush": PUSH_MAX,
        "conversationBytes": services.settings.conversation_max,
    }
    entries, summaries, sessions, size, synced, tier = row
    return Usage(entries, summaries, sessions, size, synced, tier, limits)
