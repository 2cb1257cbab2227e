"""Points that somebody may spend in a window of time: the interface, and a count in memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple, Protocol

SWEEP_EVERY = 4096


class Balance(NamedTuple):
    """What a budget looks like after it was asked for points."""

    taken: int
    """How many points were taken; 0 when it was refused."""
    refused: bool
    remaining: int
    reset_seconds: float
    """Until the window ends and the budget is whole again."""


class Budgets(Protocol):
    """Where points are counted. A store that several processes share has this one method too."""

    async def take(self, key: str, points: int, *, least: int, limit: int) -> Balance:
        """Take `points` of the `limit` of this window, or what is left when that is `least`.

        A refusal takes nothing. Negative points are given back.
        """
        ...  # pragma: no cover

    def at_once(self, key: str, points: int, *, limit: int) -> Balance | None:
        """Take points that are known to be there; None where that is not known."""
        ...  # pragma: no cover


@dataclass(slots=True)
class _Window:
    ends: float
    used: int


class ProcessBudgets:
    """Fixed windows, each beginning with the first request after the last one ended."""

    def __init__(self, window_seconds: float) -> None:
        self._seconds = window_seconds
        self._windows: dict[str, _Window] = {}
        self._opened = 0

    async def take(self, key: str, points: int, *, least: int, limit: int) -> Balance:
        """Take points, as the interface says."""
        now = time.monotonic()
        window = self._windows.get(key)
        if window is None or window.ends <= now:
            window = self._windows[key] = _Window(now + self._seconds, 0)
            self._sweep(now)
        left = limit - window.used
        refused = left < least
        taken = 0 if refused else min(points, left)
        window.used = max(0, window.used + taken)
        return Balance(taken, refused, max(0, limit - window.used), window.ends - now)

    def at_once(self, key: str, points: int, *, limit: int) -> Balance | None:
        """Take points, as the interface says."""
        now, window = time.monotonic(), self._windows.get(key)
        if window is None or window.ends <= now or limit - window.used < points:
            return None
        window.used += points
        return Balance(points, False, limit - window.used, window.ends - now)

    def _sweep(self, now: float) -> None:
        """Forget windows that have ended, now and then, so that addresses do not pile up."""
        self._opened += 1
        if self._opened % SWEEP_EVERY == 0:
            self._windows = {key: w for key, w in self._windows.items() if w.ends > now}
