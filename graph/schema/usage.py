"""What the caller keeps on this server, and what it does there."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from domain import usage
from graph.context import Info
from graph.fields import computed
from graph.mapping import Column, Many, mapped
from graph.schema.scalars import BigInt


@mapped("date", "knowledge", "sessions", "summaries", "total")
@strawberry.type(description="What you changed on one day, by UTC. Each logged change counts one.")
class UsageDay:
    """A line of `Usage.days`."""

    date: date = strawberry.field(description="The day.")
    knowledge: int = strawberry.field(description="Changes of knowledge entries.")
    sessions: int = strawberry.field(description="Backups and other changes of sessions.")
    summaries: int = strawberry.field(description="Changes of session summaries.")
    total: int = strawberry.field(description="All changes, those of teams included.")


@strawberry.type(description="The limits that hold for you.")
class UsageLimits:
    """What the settings allow."""

    requests_per_window: int = strawberry.field(description="Requests in one window of time.")
    window_ms: int = strawberry.field(description="How long that window is, in milliseconds.")
    entries_per_push: int = strawberry.field(description="Knowledge entries in one push.")
    conversation_bytes: BigInt = strawberry.field(description="Bytes of one conversation.")


@mapped(
    "sessions",
    "shared_sessions",
    "conversation_bytes",
    "version_bytes",
    "sync_actions",
    "api_keys",
    "teams",
    "tier",
    knowledge_entries=Column("entries"),
    session_summaries=Column("summaries"),
    days=Many("days"),
)
@strawberry.type(description="What you keep on this server.")
class Usage:
    """The caller's usage."""

    knowledge_entries: int = strawberry.field(
        description="Knowledge entries of yours, in teams and in private."
    )
    session_summaries: int = strawberry.field(
        description="Session summaries of yours, in teams and in private."
    )
    sessions: int = strawberry.field(description="Sessions of yours.")
    shared_sessions: int = strawberry.field(description="How often you share one with a team.")
    conversation_bytes: BigInt = strawberry.field(
        description="The bytes of your conversations as they are now."
    )
    version_bytes: BigInt = strawberry.field(
        description="The bytes of all their versions. What versions have in common is stored once, "
        "and compressed, so they take less room than this."
    )
    sync_actions: BigInt = strawberry.field(
        description="How often your machines have pushed and pulled."
    )
    api_keys: int = strawberry.field(description="API keys of yours that are not revoked.")
    teams: int = strawberry.field(description="Teams that you belong to.")
    tier: str = strawberry.field(description="Your plan.")
    limits: UsageLimits = strawberry.field(description="The limits that hold for you.")

    @computed("What you changed on each of the last days by UTC, today included, oldest first.")
    async def days(
        self,
        info: Info,
        last: Annotated[
            int, strawberry.argument(description="How many days: 1 to 90, 30 unless given.")
        ] = 30,
    ) -> list[UsageDay]:
        """Counts from the log."""
        found = await usage.by_day(info.context.services, info.context.actor, last)
        return [
            UsageDay(
                date=day.date,
                knowledge=day.knowledge,
                sessions=day.sessions,
                summaries=day.summaries,
                total=day.total,
            )
            for day in found
        ]

    @classmethod
    def of(cls, used: usage.Usage) -> Usage:
        """The GraphQL view of the usage."""
        limits = UsageLimits(
            requests_per_window=used.limits["requestsPerWindow"],
            window_ms=used.limits["windowMs"],
            entries_per_push=used.limits["entriesPerPush"],
            conversation_bytes=BigInt(used.limits["conversationBytes"]),
        )
        return cls(
            knowledge_entries=used.knowledge_entries,
            session_summaries=used.session_summaries,
            sessions=used.sessions,
            shared_sessions=used.shared_sessions,
            conversation_bytes=BigInt(used.conversation_bytes),
            version_bytes=BigInt(used.version_bytes),
            sync_actions=BigInt(used.sync_actions),
            api_keys=used.api_keys,
            teams=used.teams,
            tier=used.tier,
            limits=limits,
        )
