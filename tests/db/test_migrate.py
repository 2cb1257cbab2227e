"""Migrations: from several servers at once, and refused where they cannot help."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from db.migrate import MigrationError, current_equals_head, upgrade
from tests.support.postgres import dsn_of


async def empty_database(postgres: str) -> str:
    name = f"empty_{uuid4().hex}"
    connection = await asyncpg.connect(postgres)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return dsn_of(postgres, name)


async def test_four_servers_that_start_at_once_migrate_once(postgres: str) -> None:
    dsn = await empty_database(postgres)
    assert not await current_equals_head(dsn)
    await asyncio.gather(*(upgrade(dsn) for _ in range(4)))
    assert await current_equals_head(dsn)
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    await connection.close()


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    await upgrade(database_url)
    assert await current_equals_head(database_url)


async def test_a_database_of_a_newer_server_is_refused(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    await connection.close()
    with pytest.raises(MigrationError, match="newer version"):
        await upgrade(database_url)


async def test_a_database_that_is_not_there_is_a_clear_error(postgres: str) -> None:
    with pytest.raises(MigrationError, match=r"cannot connect.*no_such_database"):
        await upgrade(dsn_of(postgres, "no_such_database"))
    with pytest.raises(MigrationError, match="cannot connect"):
        await upgrade("postgresql://user@127.0.0.1:1/db")
