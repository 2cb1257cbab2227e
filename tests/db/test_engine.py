"""What the driver raises becomes a condition that callers can act on."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from db.engine import Database
from db.errors import DatabaseUnavailableError
from tests.support.postgres import TESTING


async def test_a_statement_that_takes_too_long_asks_to_try_again(database_url: str) -> None:
    db = Database(database_url)

    async def sleep_too_long() -> None:
        async with db.begin(TESTING) as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 50"))
            await connection.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(DatabaseUnavailableError):
        await sleep_too_long()
    assert await db.ping()
    await db.close()


async def test_a_defect_of_ours_is_not_hidden_as_an_absence(database_url: str) -> None:
    db = Database(database_url)

    async def ask_for_nothing() -> None:
        async with db.read(TESTING) as connection:
            await connection.execute(text("SELECT * FROM nothing_like_that"))

    with pytest.raises(ProgrammingError, match="nothing_like_that"):
        await ask_for_nothing()
    await db.close()
