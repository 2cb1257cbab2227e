"""Budgets of points: what is taken, given back, refused and renewed."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.budgets import SWEEP_EVERY, ProcessBudgets
from domain.throttle import POINTS_PER_REQUEST, OverBudget, Throttle, retry_after
from settings import Settings

SETTINGS = Settings(data_dir=Path("unused"), rate_limit_max=10, rate_limit_anonymous_max=1)


@given(costs=st.lists(st.integers(1, 150), max_size=30))
def test_the_sum_of_what_passed_is_what_is_gone(costs: list[int]) -> None:
    async def spend() -> None:
        throttle, left = Throttle(SETTINGS), 100
        for cost in costs:
            try:
                allowance = await throttle.count("a", anonymous=False)
            except OverBudget:
                assert left == 0
                return
            held = min(POINTS_PER_REQUEST, left)
            charged = min(cost, 100)
            try:
                allowance = await throttle.settle(allowance, cost)
            except OverBudget as refusal:
                assert charged > left
                left, allowance = left - held, refusal.allowance
            else:
                assert charged <= left
                left -= charged
            assert allowance.remaining == left

    asyncio.run(spend())


async def test_a_budget_is_whole_again_when_its_window_ends() -> None:
    budgets = ProcessBudgets(0.05)
    await budgets.take("a", 5, least=5, limit=5)
    assert (await budgets.take("a", 1, least=1, limit=5)).refused
    assert not (await budgets.take("b", 1, least=1, limit=5)).refused
    await asyncio.sleep(0.06)
    assert (await budgets.take("a", 1, least=1, limit=5)).remaining == 4


async def test_what_is_given_back_after_the_window_ended_is_no_credit() -> None:
    budgets = ProcessBudgets(60)
    assert (await budgets.take("a", -9, least=-9, limit=5)).remaining == 5


async def test_addresses_do_not_pile_up() -> None:
    budgets = ProcessBudgets(0.0)
    for number in range(SWEEP_EVERY):
        await budgets.take(str(number), 1, least=1, limit=5)
    assert len(budgets._windows) < 2


async def test_those_who_wait_are_told_different_times() -> None:
    throttle = Throttle(SETTINGS)
    await throttle.count("a", anonymous=True)
    told = set()
    for _ in range(100):
        with pytest.raises(OverBudget) as refusal:
            await throttle.count("a", anonymous=True)
        told.add(round(refusal.value.retry_after))
        assert 59 < refusal.value.retry_after <= 90
    assert len(told) >= 15


def test_a_thousand_who_wake_in_one_second_come_back_over_half_a_window() -> None:
    chance = random.Random(1)
    seconds = [math.ceil(retry_after(0.4, 60, chance.random())) for _ in range(1_000)]
    assert min(seconds) >= 1
    assert max(seconds) <= 31
    assert max(Counter(seconds).values()) < 60
    assert len(set(seconds)) == 31


@given(
    reset=st.floats(0, 60), window=st.floats(0.1, 86_400), draw=st.floats(0, 1, exclude_max=True)
)
def test_nobody_is_told_to_come_before_the_window_has_ended(
    reset: float, window: float, draw: float
) -> None:
    assert reset <= retry_after(reset, window, draw) <= reset + window / 2
