"""How Alembic gets its connection.

The server hands one over (`db.migrate`). To draft a revision from a change in `db/tables.py`:

    alembic -x database=postgresql://… revision --autogenerate -m "what changes"
"""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from db.dsn import to_asyncpg_url
from db.tables import metadata


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        # A later migration that fails leaves the earlier ones done.
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_migrate(dsn: str) -> None:
    engine = create_async_engine(to_asyncpg_url(dsn))
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


if (given := context.config.attributes.get("connection")) is not None:
    _migrate(given)
else:
    asyncio.run(_connect_and_migrate(context.get_x_argument(as_dictionary=True)["database"]))
