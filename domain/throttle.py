"""Rate limits: points per account or address and window, and failed log-ins.

A REST request costs `POINTS_PER_REQUEST`; so does a GraphQL request until its document is
measured, then its computed cost takes that place. Log-in attempts are counted inside the operation
(by the `limits` package), so that a thousand aliased log-ins in one GraphQL request are still a
thousand attempts.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from domain.budgets import Balance, Budgets, ProcessBudgets
from domain.errors import RateLimited
from settings import Settings

LOGIN_WINDOW_MINUTES = 15
POINTS_PER_REQUEST = 10
SPREAD = 0.1
"""Whoever must wait is told up to this part of a window more: not all come back at once."""


@dataclass(frozen=True, slots=True)
class Allowance:
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
        seconds = settings.rate_limit_window_ms / 1000
        self._spread = seconds * SPREAD
        self._budgets = budgets or ProcessBudgets(seconds)
        self._account = settings.rate_limit_max * POINTS_PER_REQUEST
        self._address = settings.rate_limit_anonymous_max * POINTS_PER_REQUEST
        self._attempts = MovingWindowRateLimiter(MemoryStorage())
        self._login = RateLimitItemPerMinute(settings.login_attempts_max, LOGIN_WINDOW_MINUTES)

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
            spread = random.uniform(0, self._spread)  # noqa: S311 - no secret
            raise OverBudget(balance.reset_seconds + spread, allowance)
        return allowance

    async def check_login(self, account: str, address: str) -> None:
        """Raises RateLimited when this account or this pair has failed too often of late."""
        for key in _login_keys(account, address):
            if not await self._attempts.test(self._login, *key):
                stats = await self._attempts.get_window_stats(self._login, *key)
                raise RateLimited(
                    max(1.0, stats.reset_time - time.time()),
                    "Too many failed log-ins: wait before the next attempt",
                )

    async def failed_login(self, account: str, address: str) -> None:
        """Count a failed attempt."""
        for key in _login_keys(account, address):
            await self._attempts.hit(self._login, *key)


def _login_keys(account: str, address: str) -> tuple[tuple[str, ...], ...]:
    return (("login", account, address),)
