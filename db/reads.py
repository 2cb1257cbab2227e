"""The plan's statements: who asks the same at the same time is answered together.

Who comes while others are being answered goes with those who ask the same statement in the same
turn of the loop: one message to PostgreSQL, in which each has an execution, a claim and rows of its
own. That saves waking two processes for every single read (pipelining, as libpq's manual has it),
and keeps nobody waiting for company. Short statements go together, long ones side by side.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
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


class _Crowd:
    """How many wait for the executions that go in one message, and who answers them."""

    __slots__ = ("size", "task")

    def __init__(self, size: int) -> None:
        self.size, self.task = size, asyncio.current_task()

    def leave(self) -> None:
        """One of them waits no longer. When nobody does, there is nothing to answer."""
        self.size -= 1
        if self.size == 0 and self.task is not None:
            self.task.cancel()


class _Question:
    """A reader that waits for its rows."""

    __slots__ = ("answer", "crowd", "values")

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        self.answer: asyncio.Future[list[Any] | None] = asyncio.get_running_loop().create_future()
        """None asks it to try again alone."""
        self.crowd: _Crowd | None = None

    def leave(self, statement: _Statement) -> None:
        """It waits no longer."""
        if self.crowd is None:
            statement.asked.remove(self)
        else:
            self.crowd.leave()


class _Statement:
    """A statement with who asks it, and how long it takes."""

    __slots__ = ("answering", "asked", "due", "seconds", "sql")

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.asked: list[_Question] = []
        self.due = False
        """Whether those who ask will be looked at."""
        self.answering = 0
        """How many tasks answer them, or wait for a connection to do so."""
        self.seconds = TOGETHER_SECONDS

    @property
    def together(self) -> int:
        """How many executions may go in one message."""
        return min(TOGETHER, max(1, int(TOGETHER_SECONDS / self.seconds)))

    def took(self, seconds: float, executions: int) -> None:
        """Learn how long it takes at its fastest of late: on a busy machine all looks slow."""
        self.seconds = min(seconds / executions, self.seconds * _FORGETTING)

    def take(self) -> list[_Question]:
        """The next ones to be answered, in one message."""
        many = self.together
        batch, self.asked = self.asked[:many], self.asked[many:]
        crowd = _Crowd(len(batch))
        for question in batch:
            question.crowd = crowd
        return batch


class Reads:
    """Answers statements by at most `size` connections."""

    def __init__(self, dsn: str, *, size: int, role: str) -> None:
        self._connections = ReadConnections(dsn, size=size, role=role)
        self._statements: OrderedDict[str, _Statement] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def fetch(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """The rows of a statement, each indexed by number; the last column is not the statement's.

        Raises DatabaseUnavailableError and DatabaseFullError as `db.engine.Database` does.
        """
        statement = self._statements.get(sql) or self._remembered(sql, len(values))
        if not self._connections.busy:
            return await self._alone(statement, values)
        question = _Question(values)
        statement.asked.append(question)
        if not statement.due:
            statement.due = True
            asyncio.get_running_loop().call_soon(self._look_at, statement)
        try:
            rows = await question.answer
        except asyncio.CancelledError:
            question.leave(statement)
            raise
        return await self._alone(statement, values) if rows is None else rows

    async def close(self) -> None:
        """Give up every connection."""
        for task in self._tasks:
            task.cancel()
        await self._connections.close()

    def _remembered(self, sql: str, values: int) -> _Statement:
        """Its rows end with the number of their execution."""
        number = f"${values + 1}::int4"
        statement = _Statement(f"SELECT q.*, {number} FROM ({sql}) AS q")  # noqa: S608 - a plan's
        self._statements[sql] = statement
        if len(self._statements) > KEPT_PACES:
            self._statements.popitem(last=False)
        return statement

    def _look_at(self, statement: _Statement) -> None:
        """Have everybody answered who has asked in this turn of the loop."""
        statement.due = False
        wanted = -(-len(statement.asked) // statement.together)
        if statement.together > 1:
            wanted = min(wanted, SIDE_BY_SIDE - statement.answering)
        for _ in range(wanted):
            statement.answering += 1
            task = asyncio.create_task(self._answer(statement))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, statement: _Statement) -> None:
        """Answer as many as may go together, by the next connection that is free."""
        batch: list[_Question] = []

        async def together(connection: Any) -> None:
            batch.extend(statement.take())
            if batch:
                await _together(connection, statement, batch)

        try:
            await self._connections.connected(together)
        except BaseException as error:
            _failed(batch or statement.take(), error)  # none is there without a connection
            if not isinstance(error, Exception):
                raise
        finally:
            statement.answering -= 1
            if statement.asked and not statement.due:
                self._look_at(statement)

    async def _alone(self, statement: _Statement, values: Sequence[Any]) -> list[Any]:
        async def alone(connection: Any) -> list[Any]:
            begin = time.perf_counter()
            rows = await _fetched(connection, statement.sql, values, 0)
            statement.took(time.perf_counter() - begin, 1)
            return rows

        return await self._connections.connected(alone)


CLAIM = """(SELECT CASE
    WHEN substr(current_setting('teamlore.found', true), 1, 36) = {account}::text
        AND current_setting('teamlore.account', true) = {account}::text
    THEN true ELSE teamlore_claim({account}) END)"""
"""A condition that claims the account for the statement that it is a part of, in the same round
trip, and looks its scopes up once for all tables. Naming no table, it is looked at before any row
is: PostgreSQL plans it as the one-time filter of a Result above all scans, which
`tests/graph/plan/test_shapes.py` looks for in every statement."""


async def _together(connection: Any, statement: _Statement, batch: list[_Question]) -> None:
    begin = time.perf_counter()
    if len(batch) == 1:
        answers = [await _fetched(connection, statement.sql, batch[0].values, 0)]
    else:
        asked = [(*question.values, number) for number, question in enumerate(batch)]
        answers = [[] for _ in batch]
        for row in await connection.fetchmany(statement.sql, asked):
            answers[row[-1]].append(row)
    statement.took(time.perf_counter() - begin, len(batch))
    for question, rows in zip(batch, answers, strict=True):
        if not question.answer.done():
            question.answer.set_result(rows)


def _failed(batch: list[_Question], error: BaseException) -> None:
    """Tell who waits, unless only one of several may be at fault: then each tries again alone."""
    if isinstance(error, asyncio.CancelledError):
        error = DatabaseUnavailableError()
    alone = len(batch) > 1 and not isinstance(error, DatabaseUnavailableError | DatabaseFullError)
    for question in batch:
        if question.answer.done():
            continue
        if alone:
            question.answer.set_result(None)
        else:
            question.answer.set_exception(error)


async def _fetched(connection: Any, sql: str, values: Sequence[Any], number: int) -> list[Any]:
    try:
        rows: list[Any] = await connection.fetch(sql, *values, number)
    except asyncpg.InvalidCachedStatementError:
        rows = await connection.fetch(sql, *values, number)  # a migration changed the tables
    return rows
