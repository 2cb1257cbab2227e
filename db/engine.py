"""Connections: `read(who)` for what changes nothing, `begin(who)` for one short transaction.

Both tell PostgreSQL on whose behalf, for its row-level security: see `db.claims`. That takes no
round trip of its own, because it is sent together with BEGIN. SQLAlchemy Core builds and caches the
statements, asyncpg runs them prepared. A connection is held for one operation, never for a request:
GraphQL fields run concurrently.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from db.claims import NOBODY, Claimant
from db.dsn import to_asyncpg_url
from db.errors import DatabaseFullError, DatabaseUnavailableError, DuplicateError
from db.rows import to_json
from db.server_role import SERVER_ROLE, assume

Connection = AsyncConnection
"""A connection, for the layers above that pass it on but hold no SQL."""

CONNECT_SECONDS = 1.5
COMMAND_SECONDS = 35.0
STATEMENT_MS = 30_000
IDLE_IN_TRANSACTION_MS = 15_000
POOL_WAIT_SECONDS = 10.0

_FULL = {"53100"}
_AWAY = {"53300", "57P01", "57P02", "57P03", "57P05", "25006"}
_TRY_AGAIN = {"53200", "57014", "55P03", "25P03", "40001", "40P01"}
"""No memory, time-outs, failed serialisations, deadlocks: nothing was done, a retry may work."""


class Database:
    """A pool of connections to one PostgreSQL.

    Every method raises DatabaseUnavailableError when the server is away (within about two
    seconds), DatabaseFullError when its disk is, and DuplicateError for a violated unique key.
    """

    def __init__(self, dsn: str, *, pool_size: int = 20, role: str = SERVER_ROLE) -> None:
        self.dsn, self.role = dsn, role
        self.commits = 0
        """How many transactions this process has committed, quiet ones aside: what was read of
        accounts and their teams before may be old."""
        self.engine: AsyncEngine = create_async_engine(
            to_asyncpg_url(dsn),
            pool_size=pool_size,
            max_overflow=0,  # a connection beyond the pool serves once, for 2 ms of PostgreSQL
            pool_timeout=POOL_WAIT_SECONDS,
            pool_use_lifo=True,
            hide_parameters=True,  # private text must not reach the log in an error's message
            json_serializer=to_json,
            json_deserializer=orjson.loads,
            connect_args={
                "timeout": CONNECT_SECONDS,
                "command_timeout": COMMAND_SECONDS,
                "server_settings": {
                    "application_name": "teamlore",
                    "jit": "off",
                    # No write transaction may outlast what a pull by time looks back.
                    "statement_timeout": str(STATEMENT_MS),
                    "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
                    # How much words must look alike where a search looks past typos.
                    "pg_trgm.word_similarity_threshold": "0.45",
                },
            },
        )
        event.listen(self.engine.sync_engine, "connect", self._assume_role)
        # SQLAlchemy's own BEGIN would be a round trip apart from the claim's.
        self._plain = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def read(self, who: Claimant) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for reading; each statement sees what is committed when it starts."""
        return self._transaction(f"BEGIN READ ONLY; {who.claim.sql}", writes=False)

    def begin(
        self, who: Claimant, *, quiet: bool = False
    ) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction: committed when the block ends, rolled back when it raises.

        A `quiet` one changes nothing that says who somebody is and what that somebody may see.
        """
        quiet = quiet or who is NOBODY
        return self._transaction(f"BEGIN; {who.claim.sql}", writes=not quiet)

    @asynccontextmanager
    async def _transaction(self, opening: str, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._plain.connect() as connection:
                driver = await _driver(connection)
                try:
                    await driver.execute(opening)
                    yield connection
                    await driver.execute("COMMIT")
                    self.commits += writes
                except BaseException:
                    await _undo(connection, driver)
                    raise

    def _assume_role(self, connection: Any, _record: object) -> None:
        connection.run_async(lambda driver: assume(driver, self.role))

    async def ping(self) -> bool:
        """Whether a statement comes back within two seconds."""
        try:
            async with asyncio.timeout(2), self.read(NOBODY) as connection:
                await connection.execute(text("SELECT 1"))
        except (DatabaseUnavailableError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Give up every connection."""
        await self.engine.dispose()


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    """The connection below SQLAlchemy's; another one where PostgreSQL has closed it meanwhile."""
    found: Any = (await connection.get_raw_connection()).driver_connection
    if found is None or found.is_closed():
        await connection.invalidate()
        found = (await connection.get_raw_connection()).driver_connection
    driver: asyncpg.Connection = found
    return driver


async def _undo(connection: AsyncConnection, driver: asyncpg.Connection) -> None:
    """Leave the connection as it came, or give it up."""
    if connection.invalidated:
        return
    try:
        await driver.execute("ROLLBACK", timeout=CONNECT_SECONDS)
    except Exception:
        await connection.invalidate()


class translated:  # noqa: N801 - reads as what it does where it is used
    """`with translated():` turns what the driver raises into conditions to act on."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and (condition := _condition(error)) is not None:
            raise condition from error


def _condition(error: BaseException) -> Exception | None:
    if isinstance(error, IntegrityError):
        constraint = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
        state = getattr(error.orig, "sqlstate", None)
        return DuplicateError(str(constraint)) if state == "23505" else None
    if isinstance(error, DBAPIError):
        return _driver_condition(error)
    if isinstance(error, asyncpg.PostgresError):
        return _state_condition(error.sqlstate or "")
    away = (
        ConnectionError,
        FileNotFoundError,
        TimeoutError,
        PoolTimeoutError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    )
    return DatabaseUnavailableError() if isinstance(error, away) else None


def _driver_condition(error: DBAPIError) -> Exception | None:
    state = getattr(error.orig, "sqlstate", None) or ""
    cause = getattr(error.orig, "__cause__", None)
    broken = error.connection_invalidated or isinstance(cause, asyncpg.InterfaceError)
    return _state_condition(state) or (DatabaseUnavailableError() if broken else None)


def _state_condition(state: str) -> Exception | None:
    if state in _FULL:
        return DatabaseFullError()
    away = state.startswith("08") or state in _AWAY | _TRY_AGAIN
    return DatabaseUnavailableError() if away else None
