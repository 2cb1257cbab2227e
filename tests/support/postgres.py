"""One PostgreSQL for the run, and a fresh migrated database for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg

from db.claims import System
from db.migrate import upgrade

# Scratch data: nothing has to survive a power cut.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
TEMPLATE = "migrated"
TESTING = System("tests")
"""What tests look at and prepare in the database themselves, through the server's own role."""


def dsn_of(server_dsn: str, database: str) -> str:
    """Return the DSN of another database on the same server."""
    return server_dsn.replace("@/teamlore?", f"@/{database}?")


async def make_template(server_dsn: str) -> None:
    """Make the database that all others are copies of, with the real migrations."""
    await execute(server_dsn, f"CREATE DATABASE {TEMPLATE}")
    await upgrade(dsn_of(server_dsn, TEMPLATE))


@asynccontextmanager
async def fresh_database(server_dsn: str, template: str = TEMPLATE) -> AsyncIterator[str]:
    """Yield the DSN of a new, migrated database; it goes when the block ends."""
    name = f"test_{uuid4().hex}"
    await execute(server_dsn, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield dsn_of(server_dsn, name)
    finally:
        await execute(server_dsn, f"DROP DATABASE {name} WITH (FORCE)")


async def execute(dsn: str, statement: str) -> None:
    """Run a statement as the superuser that the database belongs to."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
