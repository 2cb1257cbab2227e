"""What tokens cost in money, as far as prices are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.reading.prices import PRICES, estimate, price_of
from domain.reading.usage import Tokens
from settings import ModelPrice, Settings, SettingsError

TOKENS = Tokens(
    messages=1,
    input=1_000_000,
    output=100_000,
    cache_creation=500_000,
    cache_creation_1h=200_000,
    cache_read=10_000_000,
)


def test_each_kind_of_token_has_its_price() -> None:
    found = estimate({}, {"claude-opus-4-1-20250805": TOKENS})
    assert found is not None
    # 15 for what is read, 7.5 written, 0.3 M at 18.75, 0.2 M at 30, 10 M at 1.50
    assert found.amount == pytest.approx(15 + 7.5 + 5.625 + 6 + 15)
    assert found.unpriced == ()


def test_unknown_models_are_named_and_show_no_price() -> None:
    assert estimate({}, {"gpt-x": TOKENS}) is None
    found = estimate({}, {"gpt-x": TOKENS, "claude-haiku-4-5": Tokens(input=2_000_000)})
    assert found is not None
    assert (found.amount, found.unpriced) == (2.0, ("gpt-x",))


def test_what_no_model_was_paid_for_costs_nothing() -> None:
    found = estimate({}, {"<synthetic>": Tokens(messages=3)})
    assert found is not None
    assert (found.amount, found.unpriced) == (0, ())


def test_the_longest_beginning_counts_and_ones_own_prices_go_first() -> None:
    assert price_of({}, "claude-opus-4-5-20251101") == PRICES["claude-opus-4-5"]
    own = {"claude-opus": ModelPrice(input=1, output=2, cache_read=0)}
    assert price_of(own, "claude-opus-4-5-20251101") == own["claude-opus"]
    assert price_of(own, "claude-haiku-4-5") == PRICES["claude-haiku-4-5"]


def test_a_file_of_prices_is_read_and_a_bad_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    environ = {"TEAMLORE_DATA": "/data", "MODEL_PRICES": str(file)}
    file.write_text(json.dumps({"local": {"input": 0, "output": 0}}))
    assert Settings.from_env(environ).model_prices == {"local": ModelPrice(input=0, output=0)}
    for broken in ("{", '{"local": {"input": -1, "output": 0}}', '{"local": {"inputs": 1}}', "[]"):
        file.write_text(broken)
        with pytest.raises(SettingsError, match="MODEL_PRICES"):
            Settings.from_env(environ)
    file.unlink()
    with pytest.raises(SettingsError, match="MODEL_PRICES"):
        Settings.from_env(environ)
