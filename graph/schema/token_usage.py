"""What conversations cost in tokens."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated, cast

import strawberry

from domain.reading import usage
from domain.reading.usage import By, Tokens
from graph.context import Info
from graph.fields import computed
from graph.schema.scalars import BigInt


@strawberry.enum(description="What token usage is summed up by.")
class TokenUsageBy(Enum):
    """How to group."""

    DAY = strawberry.enum_value("day", description="By day (UTC), newest first.")
    MODEL = strawberry.enum_value("model", description="By model, the most output first.")
    PROJECT = strawberry.enum_value(
        "project", description="By `Session.project`, the most output first."
    )


@strawberry.type(
    description="Sums of tokens. An answer counts once with the figures of its last line, however "
    "often it was streamed, resumed or handed on to a subagent."
)
class TokenCounts:
    """Sums of tokens."""

    messages: BigInt = strawberry.field(description="Answers of models.")
    input: BigInt = strawberry.field(description="Tokens that were read anew.")
    output: BigInt = strawberry.field(description="Tokens that were written.")
    cache_creation: BigInt = strawberry.field(description="Tokens that went into the cache.")
    cache_creation_1h: BigInt = strawberry.field(
        name="cacheCreation1h",
        description="Those of `cacheCreation` that were kept for an hour, which costs more.",
    )
    cache_read: BigInt = strawberry.field(description="Tokens that came out of the cache.")

    @classmethod
    def of(cls, tokens: Tokens) -> TokenCounts:
        """The GraphQL view of sums."""
        return cls(
            messages=BigInt(tokens.messages),
            input=BigInt(tokens.input),
            output=BigInt(tokens.output),
            cache_creation=BigInt(tokens.cache_creation),
            cache_creation_1h=BigInt(tokens.cache_creation_1h),
            cache_read=BigInt(tokens.cache_read),
        )


@strawberry.type(description="What one model did on one day.")
class ModelDayUsage:
    """Usage of a model on a day."""

    model: str = strawberry.field(description="The model.")
    day: date | None = strawberry.field(
        description="The day (UTC); null for answers that carry no time."
    )
    tokens: TokenCounts = strawberry.field(description="What it cost.")


@strawberry.type(description="What a session cost in tokens, its subagents included.")
class SessionUsage:
    """A session's usage."""

    total: TokenCounts = strawberry.field(description="All of it.")
    by_model_and_day: list[ModelDayUsage] = strawberry.field(
        description="By day, oldest first, and model."
    )

    @classmethod
    def of(cls, found: list[usage.ModelDay]) -> SessionUsage:
        """The GraphQL view of a session's usage."""
        return cls(
            total=TokenCounts.of(sum((item.tokens for item in found), Tokens())),
            by_model_and_day=[
                ModelDayUsage(model=item.model, day=item.day, tokens=TokenCounts.of(item.tokens))
                for item in found
            ],
        )


@strawberry.type(description="What one day, model or project cost.")
class TokenUsageGroup:
    """Usage of a day, a model or a project."""

    name: str | None = strawberry.field(
        description="The day as YYYY-MM-DD, the model, or the project; null where there is none."
    )
    tokens: TokenCounts = strawberry.field(description="What it cost.")


@strawberry.type
class TokenUsageFields:
    """The field of the viewer about tokens."""

    @computed(
        "What all your sessions cost in tokens. An answer that several of them hold, because they "
        "were resumed, counts once. At most 1,000 groups."
    )
    async def token_usage(
        self,
        info: Info,
        by: Annotated[
            TokenUsageBy, strawberry.argument(description="What to sum up by.")
        ] = TokenUsageBy.DAY,
        first: Annotated[
            date | None, strawberry.argument(name="from", description="From this day on (UTC).")
        ] = None,
        last: Annotated[
            date | None, strawberry.argument(name="to", description="Up to and with this day.")
        ] = None,
    ) -> list[TokenUsageGroup]:
        """The caller's usage."""
        db, actor = info.context.services.db, info.context.actor
        found = await usage.totals(db, actor, cast(By, by.value), first, last)
        return [TokenUsageGroup(name=g.name, tokens=TokenCounts.of(g.tokens)) for g in found]
