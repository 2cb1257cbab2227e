"""The plan's statements: who asks the same at the same time is answered together.

Who comes while others are being answered goes with those who ask the same statement in the same
turn of the loop: one message to PostgreSQL, in which each has an execution, a claim and rows of its
own. That saves waking two processes for every single read (pipelining, as libpq's manual has it),
and keeps nobody waiting for company. Short statements go together, long ones side by side.

One of those who go together leads: it sends the message and hands the others their rows. When it is
done, it has somebody lead of those who came meanwhile (leader and followers, as in Schmidt, Stal,
Rohnert and Buschmann, Pattern-Oriented Software Architecture 2, 2000). No task is made for it.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from enum import Enum
from typing import Any

import asyncpg

from db.errors import DatabaseFullError, DatabaseUnavailableError
from db.read_connections import ReadConnections

KEPT_PACES = 2000
TOGETHER_SECONDS = 0.003
"""How long the executions that go in one message may take together."""
TOGETHER = 16
SIDE_BY_SIDE = 4
"""How many messages of a statement may be on their way that is short enough to go together: more
would only make small ones of them."""
_FORGETTING = 1.0005
"""By how much the fastest time of a statement grows with each other one, until it is that one."""


class _Question:
    """A reader that waits for its rows, to lead, or to be told to try again alone."""

    __slots__ = ("answer", "values")

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        self.answer: asyncio.Future[list[Any] | _Told] = asyncio.get_running_loop().create_future()

    @property
    def leads(self) -> bool:
        """Whether it was told to lead."""
        answer = self.answer
        if not answer.done() or answer.cancelled() or answer.exception() is not None:
            return False
        return answer.result() is _Told.LEAD


class _Told(Enum):
    """What a reader may be told instead of its rows."""

    LEAD = 1
    ALONE = 2


class _Statement:
    """A statement with who asks it, and how long it takes."""

    __slots__ = ("asked", "coming", "due", "leading", "seconds", "sql")

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.asked: list[_Question] = []
        self.due = False
        """Whether somebody will lead in the next turn of the loop."""
        self.leading = 0
        """How many lead."""
        self.coming = 0
        """How many of those wait for a connection yet, before they take others with them."""
        self.seconds = TOGETHER_SECONDS

    @property
    def together(self) -> int:
        """How many executions may go in one message."""
        return min(TOGETHER, max(1, int(TOGETHER_SECONDS / self.seconds)))

    @property
    def may_lead(self) -> bool:
        """Whether one more message may be on its way."""
        return self.leading < SIDE_BY_SIDE or self.together == 1

    def took(self, seconds: float, executions: int) -> None:
        """Learn how long it takes at its fastest of late: on a busy machine all looks slow."""
        self.seconds = min(seconds / executions, self.seconds * _FORGETTING)

    def lead(self) -> None:
        """One more leads."""
        self.leading += 1
        self.coming += 1

    def take(self) -> list[_Question]:
        """Who goes with one that leads."""
        self.coming -= 1
        many = self.together - 1
        followers, self.asked = self.asked[:many], self.asked[many:]
        return [question for question in followers if not question.answer.done()]

    def pass_on(self) -> None:
        """Have as many lead of those who wait as it takes to answer them."""
        together = self.together
        left = len(self.asked) - self.coming * (together - 1)
        while left > 0 and self.asked and self.may_lead:
            question = self.asked.pop(0)
            if not question.answer.done():
                left -= together
                self.lead()
                question.answer.set_result(_Told.LEAD)


class Reads:
    """Answers statements by at most `size` connections."""

    def __init__(self, dsn: str, *, size: int, role: str) -> None:
        self._connections = ReadConnections(dsn, size=size, role=role)
        self._statements: OrderedDict[str, _Statement] = OrderedDict()

    async def fetch(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """The rows of a statement, each indexed by number; the last column is not the statement's.

        Raises DatabaseUnavailableError and DatabaseFullError as `db.engine.Database` does.
        """
        statement = self._statements.get(sql) or self._remembered(sql, len(values))
        if not self._connections.busy:
            return await self._led(statement, values)
        if statement.due or not statement.may_lead:
            told = await self._followed(statement, values)
            if told is _Told.ALONE:
                return await self._led(statement, values)
            if told is not _Told.LEAD:
                return told
        else:
            statement.due = True
            statement.lead()
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                _resign(statement, took=False)
                raise
            finally:
                statement.due = False
        return await self._lead(statement, values)

    async def close(self) -> None:
        """Give up every connection."""
        await self._connections.close()

    def _remembered(self, sql: str, values: int) -> _Statement:
        """Its rows end with the number of their execution."""
        number = f"${values + 1}::int4"
        statement = _Statement(f"SELECT q.*, {number} FROM ({sql}) AS q")  # noqa: S608 - a plan's
        self._statements[sql] = statement
        if len(self._statements) > KEPT_PACES:
            self._statements.popitem(last=False)
        return statement

    async def _followed(self, statement: _Statement, values: Sequence[Any]) -> list[Any] | _Told:
        question = _Question(values)
        statement.asked.append(question)
        try:
            return await question.answer
        except asyncio.CancelledError:
            if question.leads:
                _resign(statement, took=False)
            raise

    async def _lead(self, statement: _Statement, values: Sequence[Any]) -> list[Any]:
        followers: list[_Question] | None = None

        async def run(connection: Any) -> list[Any]:
            nonlocal followers
            followers = statement.take()
            return await _together(connection, statement, values, followers)

        statement.pass_on()
        try:
            return await self._connections.connected(run)
        except BaseException as error:
            if not _tell(followers or [], error):
                raise
        finally:
            _resign(statement, took=followers is not None)
        return await self._led(statement, values)

    async def _led(self, statement: _Statement, values: Sequence[Any]) -> list[Any]:
        """The rows of one that goes alone."""
        return await self._connections.connected(
            lambda connection: _together(connection, statement, values, [])
        )


CLAIM = """(SELECT CASE
    WHEN substr(current_setting('teamlore.found', true), 1, 36) = {account}::text
        AND current_setting('teamlore.account', true) = {account}::text
    THEN true ELSE teamlore_claim({account}) END)"""
"""A condition that claims the account for the statement that it is a part of, in the same round
trip, and looks its scopes up once for all tables. Naming no table, it is looked at before any row
is: PostgreSQL plans it as the one-time filter of a Result above all scans, which
`tests/graph/plan/test_shapes.py` looks for in every statement."""


async def _together(
    connection: Any, statement: _Statement, values: Sequence[Any], followers: list[_Question]
) -> list[Any]:
    """The rows of one that leads; its followers are given theirs."""
    begin = time.perf_counter()
    if not followers:
        rows = await _fetched(connection, statement.sql, values)
        statement.took(time.perf_counter() - begin, 1)
        return rows
    asked = [(*values, 0), *((*q.values, n) for n, q in enumerate(followers, 1))]
    answers: list[list[Any]] = [[] for _ in asked]
    for row in await connection.fetchmany(statement.sql, asked):
        answers[row[-1]].append(row)
    statement.took(time.perf_counter() - begin, len(asked))
    for question, rows in zip(followers, answers[1:], strict=True):
        if not question.answer.done():
            question.answer.set_result(rows)
    return answers[0]


def _tell(followers: list[_Question], error: BaseException) -> bool:
    """Whether one that led is to try again alone, as its followers are told: one may be at fault.

    Where the database is away, they are told that instead. Who leads and is cancelled has them
    try again.
    """
    away = isinstance(error, DatabaseUnavailableError | DatabaseFullError)
    for question in followers:
        if question.answer.done():
            continue
        if away:
            question.answer.set_exception(error)
        else:
            question.answer.set_result(_Told.ALONE)
    return bool(followers) and not away and isinstance(error, Exception)


def _resign(statement: _Statement, *, took: bool) -> None:
    """One that led leads no longer; others may have to."""
    statement.leading -= 1
    statement.coming -= not took
    statement.pass_on()


async def _fetched(connection: Any, sql: str, values: Sequence[Any]) -> list[Any]:
    try:
        rows: list[Any] = await connection.fetch(sql, *values, 0)
    except asyncpg.InvalidCachedStatementError:
        rows = await connection.fetch(sql, *values, 0)  # a migration changed the tables
    return rows
