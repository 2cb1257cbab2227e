"""Budgets that several servers share: never more than the limit, hardly less, few statements."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from db import budgets as rows
from db.claims import NOBODY
from db.engine import Database
from domain import shared_budgets
from domain.errors import DatabaseUnavailableError, RateLimited
from domain.login_attempts import ACCOUNT_TIMES, ADDRESS_TIMES, LoginAttempts
from domain.login_attempts import sweep as forget_attempts
from domain.shared_budgets import LEASES, SharedBudgets
from domain.throttle import OverBudget, Throttle
from settings import Settings
from tests.support.dial import dial

LIMIT = 2_000
WINDOW = 60.0


@pytest.fixture
async def servers(settings: Settings) -> AsyncIterator[list[Database]]:
    """The databases of three servers, each with connections of its own."""
    assert settings.database_url is not None
    found = [Database(settings.database_url, pool_size=3) for _ in range(3)]
    yield found
    for db in found:
        await db.close()


@hypothesis_settings(
    max_examples=dial(15, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    orders=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 400)), min_size=1, max_size=60),
    name=st.uuids(),
)
async def test_all_servers_together_let_through_no_more_than_the_limit(
    servers: list[Database], orders: list[tuple[int, int]], name: Any
) -> None:
    budgets = [SharedBudgets(db, WINDOW) for db in servers]
    spent = 0
    for server, points in orders:
        balance = await budgets[server].take(str(name), points, least=points, limit=LIMIT)
        assert balance.taken == (0 if balance.refused else points)
        spent += balance.taken
        assert spent <= LIMIT
        assert 0 <= balance.remaining <= LIMIT


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_what_servers_hold_back_from_each_other_is_little(
    servers: list[Database], number: int
) -> None:
    budgets = [SharedBudgets(db, WINDOW) for db in servers[:number]]
    chance, spent, refused = random.Random(number), 0, 0
    while refused < 50:
        balance = await chance.choice(budgets).take("a", 10, least=1, limit=LIMIT)
        spent += balance.taken
        refused += balance.refused
    assert LIMIT * (1 - (number - 1) / LEASES) <= spent <= LIMIT


async def test_parallel_requests_of_two_servers_pass_up_to_the_limit(
    servers: list[Database],
) -> None:
    budgets = [SharedBudgets(db, WINDOW) for db in servers[:2]]
    asked = (budgets[n % 2].take("a", 10, least=10, limit=LIMIT) for n in range(LIMIT // 5))
    balances = await asyncio.gather(*asked)
    passed = sum(not balance.refused for balance in balances)
    assert LIMIT / 10 * (1 - 1 / LEASES) <= passed <= LIMIT / 10


async def test_a_first_sync_of_2000_sessions_passes_and_costs_few_statements(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    open_window = rows.open_window

    async def counted(*given: Any) -> rows.Window:
        nonlocal asked
        asked += 1
        return await open_window(*given)

    monkeypatch.setattr(rows, "open_window", counted)
    throttle = Throttle(settings, SharedBudgets(db, WINDOW))
    for _ in range(2_000 * 5):  # a session's row, its conversation and three further files
        await throttle.count("account", anonymous=False)
    assert asked <= 25
    for _ in range(2_000):
        await throttle.count("account", anonymous=False)
    with pytest.raises(OverBudget):
        await throttle.count("account", anonymous=False)
    before = asked
    with pytest.raises(OverBudget):
        await throttle.count("account", anonymous=False)
    assert asked == before


async def test_a_window_that_ends_ends_for_all(servers: list[Database]) -> None:
    one, other = (SharedBudgets(db, 1.5) for db in servers[:2])
    assert not (await one.take("a", LIMIT, least=LIMIT, limit=LIMIT)).refused
    assert (await other.take("a", 1, least=1, limit=LIMIT)).refused
    await asyncio.sleep(1.6)
    balance = await one.take("a", -LIMIT, least=-LIMIT, limit=LIMIT)
    assert (balance.taken, balance.remaining) == (0, LIMIT)
    assert not (await other.take("a", 1, least=1, limit=LIMIT)).refused
    await asyncio.sleep(1.6)
    async with servers[0].begin(NOBODY) as connection:
        assert await rows.forget(connection) == 0  # only a minute later


async def test_what_is_given_back_can_be_taken_again(db: Database) -> None:
    budgets = SharedBudgets(db, WINDOW)
    await budgets.take("a", LIMIT, least=1, limit=LIMIT)
    assert (await budgets.take("a", 1, least=1, limit=LIMIT)).refused
    assert (await budgets.take("a", -5, least=-5, limit=LIMIT)).remaining == 5
    assert (await budgets.take("a", 5, least=5, limit=LIMIT)).taken == 5


async def test_while_the_database_is_away_each_server_counts_alone(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_given: object) -> rows.Window:
        raise DatabaseUnavailableError

    budgets = SharedBudgets(db, WINDOW)
    with monkeypatch.context() as patched:
        patched.setattr(rows, "open_window", away)
        assert (await budgets.take("a", LIMIT, least=LIMIT, limit=LIMIT)).taken == LIMIT
        assert (await budgets.take("a", 1, least=1, limit=LIMIT)).refused
    monkeypatch.setattr(shared_budgets, "ALONE_SECONDS", 0.0)
    assert not (await SharedBudgets(db, WINDOW).take("a", 1, least=1, limit=LIMIT)).refused


async def tried(logins: LoginAttempts, account: str, address: str, times: int) -> int:
    """How many of so many attempts are let through."""
    passed = 0
    for _ in range(times):
        with suppress(RateLimited):
            await logins.begin(account, address)
            passed += 1
    return passed


async def test_log_ins_are_counted_exactly_by_all_servers(servers: list[Database]) -> None:
    logins = [LoginAttempts(db, b"secret", 20) for db in servers]
    asked = [tried(logins[n % 3], "ada", "::1", 10) for n in range(9)]
    assert sum(await asyncio.gather(*asked)) == 20


async def test_who_reaches_the_limit_again_waits_twice_as_long(db: Database) -> None:
    logins, waits = LoginAttempts(db, b"secret", 2), []
    for _ in range(8):
        assert await tried(logins, "ada", "::1", 2) == 2
        with pytest.raises(RateLimited) as refusal:
            await logins.begin("ada", "::1")
        waits.append(round(refusal.value.retry_after / 60))
        async with db.begin(NOBODY) as connection:
            await connection.exec_driver_sql("UPDATE login_attempts SET ends = now()")
    assert waits == [15, 30, 60, 120, 240, 480, 480, 480]
    async with db.begin(NOBODY) as connection:
        await connection.exec_driver_sql("UPDATE login_attempts SET ends = now() - interval '2d'")
    assert await forget_attempts(db) == 3
    assert await tried(logins, "ada", "::1", 3) == 2


async def test_a_right_password_counts_for_nothing_and_makes_its_address_known(
    db: Database,
) -> None:
    logins = LoginAttempts(db, b"secret", 2)
    for _ in range(10):
        await logins.begin("ada", "home")
        await logins.succeeded("ada", "home")
    guesses = sum([await tried(logins, "ada", f"10.0.0.{n}", 3) for n in range(20)])
    assert guesses == 2 * ACCOUNT_TIMES
    assert await tried(logins, "ada", "new", 1) == 0
    assert await tried(logins, "ada", "home", 1) == 1
    assert await tried(logins, "bob", "new", 1) == 1


async def test_one_address_has_a_limit_over_all_accounts(db: Database) -> None:
    logins = LoginAttempts(db, b"secret", 1)
    passed = sum([await tried(logins, f"account {n}", "::1", 1) for n in range(ADDRESS_TIMES + 5)])
    assert passed == ADDRESS_TIMES
    assert await tried(logins, "account 0", "::2", 1) == 1
