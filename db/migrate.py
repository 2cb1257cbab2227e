"""Bringing a database to the newest revision, safely from several servers at once."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from db.dsn import to_asyncpg_url
from db.server_role import SERVER_ROLE, let_searches_use_indexes, prepare

# Any constant that nothing else in the database uses: "teamlore" as bytes.
_ADVISORY_LOCK = int.from_bytes(b"teamlore")
_CONNECT_SECONDS = 10

_logger = logging.getLogger(__name__)


class MigrationError(RuntimeError):
    """The database cannot be brought to the newest revision; the message says why."""


async def upgrade(dsn: str, role: str = SERVER_ROLE) -> None:
    """Run every migration that the database at `dsn` lacks.

    Of several servers that start at once one migrates and the others wait for it, on an advisory
    lock of the database. Afterwards `role` is what the server's connections act as. Raises
    MigrationError if the database cannot be reached or was migrated by a newer server, and DsnError
    for an address that makes no sense.
    """
    async with _connected(dsn) as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
        await connection.commit()  # the lock belongs to the session and stays
        await connection.run_sync(_upgrade)
        await connection.run_sync(_let_in, role)
        trigrams = await connection.execute(text("SELECT to_regproc('word_similarity')"))
        if trigrams.scalar_one() is None:
            _logger.warning("no extension pg_trgm: searches will not look past typos")


async def current_equals_head(dsn: str) -> bool:
    """Whether the database at `dsn` has every migration of this version and no other."""
    async with _connected(dsn) as connection:
        current = await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_heads()
        )
    return set(current) == set(ScriptDirectory.from_config(_config()).get_heads())


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        to_asyncpg_url(dsn), poolclass=NullPool, connect_args={"timeout": _CONNECT_SECONDS}
    )
    try:
        try:
            connection = await engine.connect()
        except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            reason = getattr(error, "orig", None) or error
            raise MigrationError(
                f"cannot connect to the database: {reason or 'no answer'}"
            ) from error
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        await engine.dispose()


def _config() -> Config:
    config = Config()
    # "%" begins an interpolation in Alembic's configuration, also in the path of a checkout.
    folder = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    return config


def _let_in(connection: Connection, role: str) -> None:
    prepare(connection, role)
    if not let_searches_use_indexes(connection):
        _logger.warning("not a superuser: searches read whole scopes, see docs/operating.md")
    connection.commit()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "locate revision" not in str(error):
            raise
        raise MigrationError(
            "the database was migrated by a newer version of the server than this one"
        ) from error
