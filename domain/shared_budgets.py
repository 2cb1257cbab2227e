"""Budgets that all servers of one database share, at a statement now and then.

A server takes a lease: a part of somebody's window that it then spends from memory. Leases are cut
out of the limit, so all servers together never let through more than it; what one of them has
leased and not spent, another cannot give. Leases shrink with what is left (guided self-scheduling,
Polychronopoulos and Kuck, IEEE Transactions on Computers C-36, 1987), so that this is little when
it matters: with n servers at least `1 - (n - 1) / LEASES` of the limit gets through, and usually
nearly all of it. Leasing capacity to the processes that spend it is what Doorman does
(https://github.com/youtube/doorman).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from typing import Final

from db import budgets as rows
from db.claims import NOBODY
from db.engine import Database
from domain.budgets import SWEEP_EVERY, Balance
from domain.errors import DatabaseFullError, DatabaseUnavailableError

LEASES: Final = 20
"""A lease is at most this part of the limit."""
SHRINK: Final = 4
"""And at most this part of what is left."""
ASK_SECONDS: Final = 1.0
ALONE_SECONDS: Final = 2.0
"""For how long a server goes by its own count when the database did not answer."""


@dataclass(slots=True)
class _Lease:
    """What this server may still spend of a window of somebody's."""

    ends: float = 0.0
    left: int = 0
    others: int = 0
    """What is taken of the window, by all servers, other than `left`."""
    exhausted: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class SharedBudgets:
    """Leases of windows in the database. While that is away, each server counts alone."""

    def __init__(self, db: Database, window_seconds: float) -> None:
        self._db, self._seconds = db, window_seconds
        self._leases: dict[str, _Lease] = {}
        self._opened = 0
        self._alone_until = 0.0

    async def take(self, key: str, points: int, *, least: int, limit: int) -> Balance:
        """Take points, as the interface `Budgets` says."""
        lease = self._leases.get(key)
        if lease is None:
            self._sweep()
            lease = self._leases[key] = _Lease()
        if points < 0 and lease.ends <= time.monotonic():
            points = 0  # the window that they were taken of has ended
        if not _covers(lease, points):
            async with lease.asking:
                if not _covers(lease, points):
                    await self._lease_more(key, lease, max(points, 0), limit)
        taken = min(points, lease.left)
        refused = taken < least
        if refused:
            taken = 0
        lease.left -= taken
        lease.others += taken
        remaining = min(limit, max(0, limit - lease.others))
        return Balance(taken, refused, remaining, max(0.0, lease.ends - time.monotonic()))

    def at_once(self, key: str, points: int, *, limit: int) -> Balance | None:
        """Take points of what is leased, as the interface says."""
        now, lease = time.monotonic(), self._leases.get(key)
        if lease is None or lease.ends <= now or lease.left < points:
            return None
        lease.left -= points
        lease.others += points
        return Balance(points, False, min(limit, max(0, limit - lease.others)), lease.ends - now)

    async def _lease_more(self, key: str, lease: _Lease, points: int, limit: int) -> None:
        asked_at = time.monotonic()
        if asked_at >= self._alone_until:
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    await self._ask(key, lease, points, limit, asked_at)
                return
            except (DatabaseUnavailableError, DatabaseFullError, TimeoutError):
                self._alone_until = asked_at + ALONE_SECONDS
        if lease.ends <= asked_at:
            lease.ends, lease.left, lease.others = asked_at + self._seconds, limit, 0

    async def _ask(self, key: str, lease: _Lease, points: int, limit: int, asked_at: float) -> None:
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        async with self._db.begin(NOBODY) as connection:
            window = await rows.open_window(connection, digest, self._seconds)
            # A window that ended takes what was leased of it along.
            ends = asked_at + window.seconds  # a little early, never late
            left = lease.left if abs(ends - lease.ends) < self._seconds / 2 else 0
            free = max(0, limit - window.used)
            wanted = max(points - left, min(limit // LEASES, free // SHRINK))
            granted = min(wanted, free)
            if granted:
                await rows.take(connection, digest, granted)
        lease.ends = ends
        lease.left = left + granted
        lease.others = window.used + granted - lease.left
        lease.exhausted = granted == free

    def _sweep(self) -> None:
        """Forget windows that have ended, now and then, so that addresses do not pile up."""
        self._opened += 1
        if self._opened % SWEEP_EVERY == 0:
            now = time.monotonic()
            self._leases = {
                key: lease
                for key, lease in self._leases.items()
                if lease.ends > now or lease.asking.locked()
            }


def _covers(lease: _Lease, points: int) -> bool:
    """Whether the answer is known without asking the database."""
    if lease.ends <= time.monotonic():
        return False
    return lease.left >= points or lease.exhausted


async def sweep(db: Database) -> int:
    """Forget windows that ended; how many."""
    async with db.begin(NOBODY) as connection:
        return await rows.forget(connection)
