"""The migrated schema is the declared one."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from db.engine import Database
from db.tables import metadata
from tests.support.postgres import TESTING


async def test_the_migrated_schema_equals_the_declared_one(database_url: str) -> None:
    db = Database(database_url)

    def differences(connection: Any) -> Any:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return compare_metadata(context, metadata)

    async with db.read(TESTING) as connection:
        assert await connection.run_sync(differences) == []
    await db.close()
