"""The plan's connections: whatever happens to one reader, the next one is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from db.errors import DatabaseUnavailableError
from db.reads import Reads
from db.server_role import SERVER_ROLE
from tests.support.postgres import execute


@pytest.fixture
async def reads(database_url: str) -> AsyncIterator[Reads]:
    """One connection, so that the next reader gets what the last one left."""
    reads = Reads(database_url, size=1, role=SERVER_ROLE)
    yield reads
    await reads.close()


async def test_who_leaves_in_the_middle_leaves_nothing_behind(reads: Reads) -> None:
    for _ in range(3):
        leaving = asyncio.create_task(reads.fetch("SELECT pg_sleep(20)", ()))
        await asyncio.sleep(0.1)
        leaving.cancel()
        assert [tuple(row) for row in await reads.fetch("SELECT 1", ())] == [(1,)]
        with pytest.raises(asyncio.CancelledError):
            await leaving


async def test_a_connection_that_is_cut_is_replaced(database_url: str, reads: Reads) -> None:
    for _ in range(3):
        ((process,),) = [tuple(row) for row in await reads.fetch("SELECT pg_backend_pid()", ())]
        waiting = asyncio.create_task(reads.fetch("SELECT pg_sleep(20)", ()))
        await asyncio.sleep(0.1)
        await execute(database_url, f"SELECT pg_terminate_backend({process})")
        with pytest.raises(DatabaseUnavailableError):
            await waiting
        assert [tuple(row) for row in await reads.fetch("SELECT 1", ())] == [(1,)]
