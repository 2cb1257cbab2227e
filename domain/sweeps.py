"""What only the passing of time brings about, looked for every now and then by every process.

Nothing that callers see waits for it: what has expired is invisible at once, by the SQL that reads
it. A sweep writes it into the log and tidies up; two that run at a time do it once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from background import Background
from db.engine import Database
from domain import indexing, login_attempts, publication, share_ends, shared_budgets
from domain.errors import DatabaseFullError, DatabaseUnavailableError

EVERY_SECONDS = 30.0
Sweep = Callable[[Database], Awaitable[int]]
SWEEPS: Final[Sequence[Sweep]] = (
    share_ends.sweep,
    publication.sweep,
    login_attempts.sweep,
    shared_budgets.sweep,
    indexing.sweep,
)

_logger = logging.getLogger(__name__)


class Sweeps(Background):
    """The one task of this process that sweeps."""

    name = "sweeps"

    def __init__(self, db: Database, sweeps: Sequence[Sweep] = SWEEPS) -> None:
        self._db = db
        self._sweeps = sweeps

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            for sweep in self._sweeps:
                try:
                    await sweep(self._db)
                except (DatabaseUnavailableError, DatabaseFullError):
                    pass  # the next round will do it
                except Exception:
                    _logger.exception("A sweep failed, going on")
