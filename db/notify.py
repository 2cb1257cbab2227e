"""One LISTEN connection a process: calls back with the id of each scope whose log has grown.

A notification may be lost (a connection that breaks, a queue that overflows): whoever tails the log
also looks for itself now and then. After every reconnection the callback gets None: look at all.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import asyncpg

from background import Background
from db.dsn import to_libpq_dsn
from db.log import CHANNEL

CONNECT_SECONDS = 2.0
PROBE_SECONDS = 10.0
FIRST_DELAY, LONGEST_DELAY = 0.1, 3.0

_logger = logging.getLogger(__name__)


class Listener(Background):
    """Listens from `start` to `stop`, through any number of restarts of PostgreSQL."""

    name = "log listener"

    def __init__(self, dsn: str, woken: Callable[[UUID | None], None]) -> None:
        self._dsn = to_libpq_dsn(dsn)
        self._woken = woken

    async def _run(self) -> None:
        delay = FIRST_DELAY
        while True:
            try:
                connection = await asyncpg.connect(self._dsn, timeout=CONNECT_SECONDS)
                delay = FIRST_DELAY
                await self._listen(connection)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                level = logging.WARNING if delay == FIRST_DELAY else logging.DEBUG
                _logger.log(level, "Not listening to the log, trying again: %r", error)
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            delay = min(delay * 2, LONGEST_DELAY)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        """Listen until the connection breaks, which PROBE_SECONDS bring to light at the latest."""
        closed = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _connection: closed.set())
            await connection.add_listener(CHANNEL, self._notified)
            self._woken(None)
            while not closed.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(closed.wait(), PROBE_SECONDS)
                    return
                await connection.execute("SELECT 1", timeout=CONNECT_SECONDS)
        finally:
            connection.terminate()

    def _notified(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        with suppress(ValueError):
            self._woken(UUID(str(payload)))
