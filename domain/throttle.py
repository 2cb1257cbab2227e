"""Rate limits: points per account or address and window.

A REST request costs `POINTS_PER_REQUEST`; so does a GraphQL request until its document is
measured, then its computed cost takes that place.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from domain.budgets import Balance, Budgets, ProcessBudgets
from domain.errors import RateLimited
from settings import Settings

POINTS_PER_REQUEST = 10
SPREAD = 0.5
"""Whoever must wait is told up to this part of a window more: not all come back at once."""


def retry_after(reset_seconds: float, window_seconds: float, draw: float) -> float:
    """When to come back: once the window has ended, and a part of one later by `draw` (0 to 1).

    So those who were refused in one second come back over half a window (jitter, after Brooker,
    "Exponential Backoff And Jitter", 2015).
    """
    return reset_seconds + draw * SPREAD * window_seconds


class Allowance(NamedTuple):
    """What a request took of a window in points and what is left, for the RateLimit headers."""

    who: str
    taken: int
    limit: int
    remaining: int
    reset_seconds: float


class OverBudget(RateLimited):
    """Too many requests: wait and try again"""

    def __init__(self, retry_after: float, allowance: Allowance) -> None:
        super().__init__(retry_after)
        self.allowance = allowance


class Throttle:
    """Counts and refuses."""

    def __init__(self, settings: Settings, budgets: Budgets | None = None) -> None:
        self._seconds = settings.rate_limit_window_ms / 1000
        self._budgets = budgets or ProcessBudgets(self._seconds)
        self._account = settings.rate_limit_max * POINTS_PER_REQUEST
        self._address = settings.rate_limit_anonymous_max * POINTS_PER_REQUEST

    def at_once(self, who: str, cost: int) -> Allowance | None:
        """As `count` and `settle` of an account's request, if this server knows that it may.

        None where that has to be asked for, or be refused.
        """
        points = min(cost, self._account)
        balance = self._budgets.at_once(who, points, limit=self._account)
        if balance is None:
            return None
        return Allowance(who, points, self._account, balance.remaining, balance.reset_seconds)

    async def count(self, who: str, *, anonymous: bool) -> Allowance:
        """Count one request of `who`. Raises OverBudget when the window is used up."""
        limit = self._address if anonymous else self._account
        balance = await self._budgets.take(who, POINTS_PER_REQUEST, least=1, limit=limit)
        return self._allowed(who, 0, limit, balance)

    async def settle(self, allowance: Allowance, cost: int) -> Allowance:
        """Charge what a counted request turns out to cost, but never more than a whole window.

        Raises OverBudget when too little is left; then it stays charged as a plain request.
        """
        more = min(cost, allowance.limit) - allowance.taken
        balance = await self._budgets.take(allowance.who, more, least=more, limit=allowance.limit)
        return self._allowed(allowance.who, allowance.taken, allowance.limit, balance)

    def _allowed(self, who: str, before: int, limit: int, balance: Balance) -> Allowance:
        taken = before + balance.taken
        allowance = Allowance(who, taken, limit, balance.remaining, balance.reset_seconds)
        if balance.refused:
            draw = random.random()  # noqa: S311 - no secret
            raise OverBudget(retry_after(balance.reset_seconds, self._seconds, draw), allowance)
        return allowance
