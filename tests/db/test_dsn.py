"""Connection strings as operators write them."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from db.dsn import DsnError, to_asyncpg_url, to_libpq_dsn


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+asyncpg"], ids=["short", "plain", "driver"]
)
def test_every_spelling_of_the_scheme_means_the_same(scheme: str) -> None:
    url = to_asyncpg_url(f"{scheme}://user:p%40ss@db.example:5433/app")
    assert url.drivername == "postgresql+asyncpg"
    assert (url.username, url.password, url.host, url.port) == ("user", "p@ss", "db.example", 5433)
    assert to_libpq_dsn(f"{scheme}://user:p%40ss@db.example:5433/app") == (
        "postgresql://user:p%40ss@db.example:5433/app"
    )


def test_sslmode_becomes_what_the_driver_calls_it_and_back() -> None:
    dsn = "postgres://u@h/d?sslmode=require&connect_timeout=5&application_name=x"
    assert dict(to_asyncpg_url(dsn).query) == {"ssl": "require"}
    assert to_libpq_dsn(dsn) == "postgresql://u@h/d?sslmode=require"


@pytest.mark.parametrize(
    ("dsn", "names"),
    [
        ("mysql://u@h/d", "mysql"),
        ("localhost:5432", "DATABASE_URL"),
        ("postgresql://u@h:port/d", "DATABASE_URL"),
        ("postgresql://u@h/d?sslrootcert=/ca.pem", "PGSSLROOTCERT"),
        ("postgresql://u@h/d?search_path=x", "search_path"),
    ],
)
def test_what_would_silently_be_lost_is_refused(dsn: str, names: str) -> None:
    with pytest.raises(DsnError, match=names):
        to_asyncpg_url(dsn)


def test_a_refusal_never_shows_the_password() -> None:
    with pytest.raises(DsnError) as caught:
        to_asyncpg_url("postgresql://user:hunter2@h:x/d")
    assert "hunter2" not in str(caught.value)


async def test_both_forms_reach_the_database_behind_a_unix_socket(postgres: str) -> None:
    engine = create_async_engine(to_asyncpg_url(postgres))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()
    direct = await asyncpg.connect(to_libpq_dsn(postgres))
    assert await direct.fetchval("SELECT current_database()") == "teamlore"
    await direct.close()
