"""Rate limits of this process: requests per account or address, and failed log-ins.

Counting is done by the `limits` package. Log-in attempts are counted inside the operation, so that
a thousand aliased log-ins in one GraphQL request are still a thousand attempts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from domain.errors import RateLimited
from settings import Settings

LOGIN_WINDOW_MINUTES = 15


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a window is left, for the RateLimit headers."""

    limit: int
    remaining: int
    reset_seconds: float


class Throttle:
    """Counts and refuses."""

    def __init__(self, settings: Settings) -> None:
        storage = MemoryStorage()
        self._windows = FixedWindowRateLimiter(storage)
        self._attempts = MovingWindowRateLimiter(storage)
        seconds = max(1, round(settings.rate_limit_window_ms / 1000))
        self._account = RateLimitItemPerSecond(settings.rate_limit_max, seconds)
        self._address = RateLimitItemPerSecond(settings.rate_limit_anonymous_max, seconds)
        self._login = RateLimitItemPerMinute(settings.login_attempts_max, LOGIN_WINDOW_MINUTES)

    async def count(self, who: str, *, anonymous: bool) -> Allowance:
        """Count one request of `who`. Raises RateLimited when the window is used up."""
        item: RateLimitItem = self._address if anonymous else self._account
        accepted = await self._windows.hit(item, who)
        stats = await self._windows.get_window_stats(item, who)
        left = max(0.0, stats.reset_time - time.time())
        if not accepted:
            raise RateLimited(left)
        return Allowance(item.amount, stats.remaining, left)

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
