"""What tokens cost in money: an estimate from a table of list prices, not a bill.

The table is Anthropic's public prices per million tokens, in US dollars, as of the models' release.
Writing into the cache costs 1.25 times the input for five minutes and twice for an hour; reading
from it a tenth. Batches, long contexts and agreements of one's own are not in it: an operator can
name a file with prices of their own (`MODEL_PRICES`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.reading.usage import Tokens
from settings import ModelPrice

CURRENCY: Final = "USD"
_MILLION: Final = 1_000_000


def _price(input: float, output: float) -> ModelPrice:
    return ModelPrice(input=input, output=output)


PRICES: Final[Mapping[str, ModelPrice]] = {
    "claude-opus-4-6": _price(5, 25),
    "claude-opus-4-5": _price(5, 25),
    "claude-opus-4-1": _price(15, 75),
    "claude-opus-4-0": _price(15, 75),
    "claude-opus-4-2025": _price(15, 75),
    "claude-sonnet-4": _price(3, 15),
    "claude-haiku-4-5": _price(1, 5),
    "claude-3-7-sonnet": _price(3, 15),
    "claude-3-5-sonnet": _price(3, 15),
    "claude-3-5-haiku": _price(0.8, 4),
    "claude-3-opus": _price(15, 75),
    "claude-3-haiku": _price(0.25, 1.25),
}
"""By the beginning of the models' names; the longest that fits counts."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What some tokens would cost at list prices."""

    amount: float
    """In CURRENCY."""
    unpriced: tuple[str, ...]
    """Models whose price is not known; they are not in the amount."""


def estimate(own: Mapping[str, ModelPrice], tokens: Mapping[str, Tokens]) -> Estimate | None:
    """What the tokens of each model cost together; None when the price of none of them is known.

    `own` are the operator's prices, which go before the table's.
    """
    used = {model: spent for model, spent in tokens.items() if spent.any}
    prices = {model: price_of(own, model) for model in used}
    priced = [_cost(price, used[model]) for model, price in prices.items() if price is not None]
    unpriced = tuple(sorted(model for model, price in prices.items() if price is None))
    return Estimate(round(sum(priced), 6), unpriced) if priced or not used else None


def price_of(own: Mapping[str, ModelPrice], model: str) -> ModelPrice | None:
    """The price of a model by the longest beginning of its name; None when none fits."""
    for table in (own, PRICES):
        fitting = [name for name in table if model.startswith(name)]
        if fitting:
            return table[max(fitting, key=len)]
    return None


def _cost(price: ModelPrice, tokens: Tokens) -> float:
    short = max(tokens.cache_creation - tokens.cache_creation_1h, 0)
    return (
        tokens.input * price.input
        + tokens.output * price.output
        + short * price.of_cache_write
        + tokens.cache_creation_1h * price.of_cache_write_1h
        + tokens.cache_read * price.of_cache_read
    ) / _MILLION
