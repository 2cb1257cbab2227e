"""Connections that only read: no transaction, no reset, nothing between them and asyncpg.

SQLAlchemy's connection costs more than a point read takes. What resets a connection between two
users costs a round trip; nothing here changes a connection's state, so nothing is reset. Statements
are prepared once a connection and planned once: limits are written out in them, so one plan fits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from db.dsn import to_libpq_dsn
from db.engine import (
    COMMAND_SECONDS,
    CONNECT_SECONDS,
    POOL_WAIT_SECONDS,
    STATEMENT_MS,
    translated,
)
from db.errors import DatabaseUnavailableError
from db.server_role import assume

_T = TypeVar("_T")
KEPT_STATEMENTS = 200


class ReadConnections:
    """A pool of them; the connection used last is used next."""

    def __init__(self, dsn: str, *, size: int, role: str) -> None:
        self._role = role
        self._dsn = to_libpq_dsn(dsn)
        self._free: list[Any] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._left = size
        self._closed = False

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for one."""
        return bool(self._waiting)

    async def connected(self, run: Callable[[Any], Awaitable[_T]]) -> _T:
        """What `run` makes of a connection, which is given up if it fails.

        Raises DatabaseUnavailableError and DatabaseFullError as `db.engine.Database` does.
        """
        with translated():
            connection = await self._take()
            try:
                return await run(connection)
            except BaseException:
                # An answer may still be on its way to it, as after a cancellation.
                connection.terminate()
                raise
            finally:
                self._give(connection)

    async def close(self) -> None:
        """Give up every connection."""
        self._closed = True
        while self._waiting:
            self._wake()
        while self._free:
            await self._free.pop().close()

    async def _take(self) -> Any:
        while True:
            if self._closed:
                raise DatabaseUnavailableError
            while self._free:
                connection = self._free.pop()
                if not connection.is_closed():
                    return connection
                self._left += 1
            if self._left > 0:
                self._left -= 1
                try:
                    return await self._connect()
                except BaseException:
                    self._left += 1
                    self._wake()
                    raise
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            try:
                async with asyncio.timeout(POOL_WAIT_SECONDS):
                    await waiting
            except (asyncio.CancelledError, TimeoutError):
                if waiting.done() and not waiting.cancelled():
                    self._wake()
                raise

    def _give(self, connection: Any) -> None:
        if connection.is_closed() or self._closed:
            connection.terminate()
            self._left += 1
        else:
            self._free.append(connection)
        self._wake()

    def _wake(self) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return

    async def _connect(self) -> Any:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            statement_cache_size=KEPT_STATEMENTS,
            max_cached_statement_lifetime=0,
            server_settings={
                "application_name": "teamlore reads",
                "jit": "off",
                "statement_timeout": str(STATEMENT_MS),
                "default_transaction_read_only": "on",
                "max_parallel_workers_per_gather": "0",
                # What is read again and again is in memory: following an index costs no seek.
                "random_page_cost": "1.1",
                "plan_cache_mode": "force_generic_plan",
            },
        )
        try:
            await assume(connection, self._role)
        except BaseException:
            connection.terminate()
            raise
        return connection
