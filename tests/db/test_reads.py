"""The plan's connections: whatever happens to one reader, the others are answered."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from db.errors import DatabaseUnavailableError
from db.reads import Question, Reads
from db.server_role import SERVER_ROLE
from tests.support.dial import dial
from tests.support.postgres import execute


@pytest.fixture
async def reads(database_url: str) -> AsyncIterator[Reads]:
    """One connection, so that the next reader gets what the last one left."""
    reads = Reads(database_url, size=1, role=SERVER_ROLE)
    yield reads
    await reads.close()


async def one(reads: Reads, sql: str, *values: object) -> object:
    """The only value of the only row."""
    ((value, _ours),) = [tuple(row) for row in await reads.fetch(sql, values)]
    return value


async def test_who_leaves_in_the_middle_leaves_nothing_behind(reads: Reads) -> None:
    for _ in range(3):
        leaving = asyncio.create_task(reads.fetch("SELECT pg_sleep(20)", ()))
        await asyncio.sleep(0.1)
        leaving.cancel()
        assert await one(reads, "SELECT 1") == 1
        with pytest.raises(asyncio.CancelledError):
            await leaving


async def test_a_connection_that_is_cut_is_replaced(database_url: str, reads: Reads) -> None:
    for _ in range(3):
        process = await one(reads, "SELECT pg_backend_pid()")
        waiting = asyncio.create_task(reads.fetch("SELECT pg_sleep(20)", ()))
        await asyncio.sleep(0.1)
        await execute(database_url, f"SELECT pg_terminate_backend({process})")
        with pytest.raises(DatabaseUnavailableError):
            await waiting
        assert await one(reads, "SELECT 1") == 1


SERIES = "SELECT n, $1::text FROM generate_series(1, $2::int) AS n"


async def _messages(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the messages that are sent, single ones and those of several."""
    sent: Counter[str] = Counter()
    for name in ("fetch", "fetchmany"):
        whole = getattr(asyncpg.Connection, name)

        async def counted(*given: object, name: str = name, whole: object = whole) -> object:
            sent[name] += 1
            return await whole(*given)  # type: ignore[operator]

        monkeypatch.setattr(asyncpg.Connection, name, counted)
    return sent


@pytest.mark.parametrize("size", [1, 3])
async def test_who_asks_at_once_goes_together_and_gets_the_own_rows(
    database_url: str, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    reads = Reads(database_url, size=size, role=SERVER_ROLE)
    for _ in range(10):  # how long it takes is to be known
        await reads.fetch(SERIES, ("first", 1))
    sent = await _messages(monkeypatch)
    chance = random.Random(7)
    wanted = [(f"reader {n}", chance.randrange(4)) for n in range(150)]
    answers = await asyncio.gather(*(reads.fetch(SERIES, values) for values in wanted))
    for (name, count), rows in zip(wanted, answers, strict=True):
        assert [tuple(row)[:2] for row in rows] == [(n + 1, name) for n in range(count)]
    assert sent["fetchmany"] > 0
    assert sent.total() < 75
    await reads.close()


async def test_one_that_fails_or_leaves_among_others_fails_alone(reads: Reads) -> None:
    divide = "SELECT pg_sleep($1::int / 20.0) IS NULL, 12 / $1::int"
    for _ in range(3):
        await reads.fetch(divide, (1,))
    asked = [asyncio.create_task(reads.fetch(divide, (n % 4,))) for n in range(24)]
    await asyncio.sleep(0.03)
    for task in asked[1::8]:
        task.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for number, answer in enumerate(answers):
        if number % 8 == 1:
            assert isinstance(answer, asyncio.CancelledError)
        elif number % 4 == 0:
            assert isinstance(answer, asyncpg.DivisionByZeroError)
        else:
            assert isinstance(answer, list)
            assert answer[0][1] == 12 // (number % 4)


async def test_who_waits_when_it_ends_is_told(database_url: str) -> None:
    reads = Reads(database_url, size=1, role=SERVER_ROLE)
    asked = [asyncio.create_task(reads.fetch("SELECT pg_sleep(20)", ())) for _ in range(5)]
    await asyncio.sleep(0.1)
    await reads.close()
    asked[0].cancel()  # it is no task of the pool's own
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers[1:]] == [DatabaseUnavailableError] * 4


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_whatever_readers_do_each_that_stays_gets_its_rows(
    database_url: str, size: int
) -> None:
    reads = Reads(database_url, size=size, role=SERVER_ROLE)
    chance, many = random.Random(size), dial(300, 5_000)
    statements = [f"SELECT pg_sleep(0.0005) IS NULL, 12 / $1::int + {n}" for n in range(3)]

    async def reader(number: int) -> None:
        which, divisor = chance.randrange(3), chance.randrange(5)
        await asyncio.sleep(chance.random() * many / 200)
        asking = asyncio.create_task(reads.fetch(statements[which], (divisor,)))
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() / 100)
            if asking.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await asking
                return
        if divisor == 0:
            with pytest.raises(asyncpg.DivisionByZeroError):
                await asking
        else:
            assert (await asking)[0][1] == 12 // divisor + which, number

    async with asyncio.timeout(120):
        await asyncio.gather(*(reader(number) for number in range(many)))
    if reads._errands:
        await asyncio.wait(reads._errands, timeout=10)
    for statement in reads._statements.values():
        assert (statement.errands, statement.coming, len(statement.asked)) == (0, 0, 0)
    assert not reads._errands
    await reads.close()


async def test_who_fails_with_the_rows_fails_alone(reads: Reads) -> None:
    def fail(rows: object) -> None:
        raise ValueError

    for _ in range(3):
        await reads.fetch(SERIES, ("first", 1))
    process = await one(reads, "SELECT pg_backend_pid()")
    for _ in range(5):
        reads.ask(SERIES, ("failing", 1), fail)
        assert len(await reads.fetch(SERIES, ("other", 2))) == 2
    assert await one(reads, "SELECT pg_backend_pid()") == process


async def test_what_all_have_left_is_broken_off(reads: Reads) -> None:
    told: list[object] = []
    for _ in range(3):
        asked = [reads.ask("SELECT pg_sleep($1)", (20,), told.append) for _ in range(3)]
        await asyncio.sleep(0.1)
        for question in asked:
            question.leave()
        async with asyncio.timeout(5):
            assert await one(reads, "SELECT 1") == 1
    assert told == []


async def test_a_statement_that_is_asked_on_and_on_leaves_room_for_others(reads: Reads) -> None:
    asked, answered = 0, asyncio.Event()

    async def go_on() -> None:
        nonlocal asked
        while not answered.is_set():  # so that there is always somebody left who asks
            for _ in range(40):
                asked += 1
                reads.ask(SERIES, ("again", 1), lambda _rows: None)
            await asyncio.sleep(0.0005)

    going_on = asyncio.create_task(go_on())
    await asyncio.sleep(0.1)
    async with asyncio.timeout(3):
        assert await one(reads, "SELECT 1") == 1
    answered.set()
    await going_on
    assert asked > 400


async def test_who_had_not_gone_yet_when_connections_were_cut_goes_then(database_url: str) -> None:
    reads = Reads(database_url, size=4, role=SERVER_ROLE)
    nap = "SELECT pg_sleep($1) IS NULL, $2::int"
    for _ in range(5):  # it looks short, so many go together
        await reads.fetch(nap, (0, 0))
    asked = [asyncio.create_task(reads.fetch(nap, (0.02, number))) for number in range(200)]
    await asyncio.sleep(0.1)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
    await execute(database_url, f"{cut} current_database() AND application_name = 'teamlore reads'")
    async with asyncio.timeout(20):
        answers = await asyncio.gather(*asked, return_exceptions=True)
    told = [answer for answer in answers if isinstance(answer, DatabaseUnavailableError)]
    rows = [answer[0][1] for answer in answers if isinstance(answer, list)]
    assert len(told) + len(rows) == 200
    assert 0 < len(told) < 200
    await reads.close()


async def test_one_that_takes_long_for_once_keeps_nobody_waiting(database_url: str) -> None:
    reads = Reads(database_url, size=4, role=SERVER_ROLE)
    nap = "SELECT pg_sleep($1) IS NULL, $2::int"
    for _ in range(5):
        await reads.fetch(nap, (0, 0))
    slow = asyncio.create_task(reads.fetch(nap, (20, 0)))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        for number in range(20):
            answers = await asyncio.gather(*(reads.fetch(nap, (0, n)) for n in range(number)))
            assert [answer[0][1] for answer in answers] == list(range(number))
    assert not slow.done()
    slow.cancel()
    await reads.close()


async def test_the_shortest_go_in_one_message_after_another(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(database_url, size=4, role=SERVER_ROLE)
    monkeypatch.setattr("db.reads.TOGETHER_SECONDS", 5.0)  # so that none is late
    process = "SELECT pg_backend_pid()"
    first = await one(reads, process)

    chance = random.Random(5)

    async def reader() -> set[object]:
        seen = set()
        for _ in range(50):
            await asyncio.sleep(chance.random() / 500)
            seen.add(await one(reads, process))
        return seen

    seen = await asyncio.gather(*(reader() for _ in range(10)))
    assert seen == [{first}] * 10
    await reads.close()


async def test_all_who_leave_when_their_rows_have_come_take_nobody_along(
    reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Any = asyncpg.Connection.fetch
    leaving: list[Question] = []

    async def fetch(*given: object) -> object:
        rows = await whole(*given)
        while leaving:
            leaving.pop().leave()
        return rows

    monkeypatch.setattr(asyncpg.Connection, "fetch", fetch)
    for number in range(5):
        leaving.append(reads.ask(SERIES, ("leaves", 1), lambda _rows: None))
        await asyncio.sleep(0)  # it has gone
        rows = await reads.fetch(SERIES, ("stays", number))
        assert len(rows) == number
