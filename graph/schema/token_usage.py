"""What conversations cost in tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from typing import Annotated, Final, cast

import strawberry

from domain.reading import prices, usage
from domain.reading.usage import By, Tokens
from graph.context import Info
from graph.fields import computed
from graph.mapping import Made, mapped
from graph.schema.scalars import BigInt
from settings import Settings


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


@strawberry.type(
    description="What tokens would cost at the models' public prices. An estimate: no bill."
)
class CostEstimate:
    """Money."""

    amount: float = strawberry.field(description="How much.")
    currency: str = strawberry.field(description="Of what, as an ISO 4217 code.")
    unpriced_models: list[str] = strawberry.field(
        description="Models whose price is not known: they are not in the amount."
    )

    @classmethod
    def of(cls, settings: Settings, tokens: Mapping[str, Tokens]) -> CostEstimate | None:
        """The estimate for each model's tokens; None when no price is known."""
        found = prices.estimate(settings.model_prices, tokens)
        if found is None:
            return None
        return cls(
            amount=found.amount, currency=prices.CURRENCY, unpriced_models=list(found.unpriced)
        )


COST: Final = (
    "What it would cost at the models' public prices; null when the price of none is known."
)


@strawberry.type(description="What one model did on one day.")
class ModelDayUsage:
    """Usage of a model on a day."""

    model: str = strawberry.field(description="The model.")
    day: date | None = strawberry.field(
        description="The day (UTC); null for answers that carry no time."
    )
    tokens: TokenCounts = strawberry.field(description="What it took.")
    cost_estimate: CostEstimate | None = strawberry.field(description=COST)


@strawberry.type(description="What a session cost in tokens, its subagents included.")
class SessionUsage:
    """A session's usage."""

    total: TokenCounts = strawberry.field(description="All of it.")
    cost_estimate: CostEstimate | None = strawberry.field(description=COST)
    by_model_and_day: list[ModelDayUsage] = strawberry.field(
        description="By day, oldest first, and model."
    )

    @classmethod
    def of(cls, found: list[usage.ModelDay], settings: Settings) -> SessionUsage:
        """The GraphQL view of a session's usage."""
        by_model: dict[str, Tokens] = {}
        for item in found:
            by_model[item.model] = by_model.get(item.model, Tokens()) + item.tokens
        return cls(
            total=TokenCounts.of(sum(by_model.values(), Tokens())),
            cost_estimate=CostEstimate.of(settings, by_model),
            by_model_and_day=[
                ModelDayUsage(
                    model=item.model,
                    day=item.day,
                    tokens=TokenCounts.of(item.tokens),
                    cost_estimate=CostEstimate.of(settings, {item.model: item.tokens}),
                )
                for item in found
            ],
        )


@strawberry.type(description="What one day, model or project cost.")
class TokenUsageGroup:
    """Usage of a day, a model or a project."""

    name: str | None = strawberry.field(
        description="The day as YYYY-MM-DD, the model, or the project; null where there is none."
    )
    tokens: TokenCounts = strawberry.field(description="What it took.")
    cost_estimate: CostEstimate | None = strawberry.field(description=COST)

    @classmethod
    def all_of(cls, found: Iterable[usage.Group], settings: Settings) -> list[TokenUsageGroup]:
        """The GraphQL view of groups."""
        return [
            cls(
                name=group.name,
                tokens=TokenCounts.of(group.tokens),
                cost_estimate=CostEstimate.of(settings, group.by_model),
            )
            for group in found
        ]


@mapped(token_usage=Made("token sums", TokenUsageGroup.all_of))
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
        return TokenUsageGroup.all_of(found, info.context.services.settings)
