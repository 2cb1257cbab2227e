"""The plan's statements: who asks the same at the same time is answered together.

Who comes while others are being answered goes with those who ask the same statement meanwhile: one
message to PostgreSQL, in which each has an execution, a claim and rows of its own. That saves
waking two processes for every single read (pipelining, as libpq's manual has it), and keeps nobody
waiting for company. Short statements go together, long ones side by side.

Whoever asks leaves word where the rows are to go, and no task waits for them: an errand takes a
connection, answers all who ask its statement until nobody does, and ends.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import asyncpg

from db.errors import DatabaseFullError, DatabaseUnavailableError
from db.read_connections import ReadConnections

KEPT_PACES = 2000
TOGETHER_SECONDS = 0.003
"""How long the executions that go in one message may take together."""
TOGETHER = 16
SIDE_BY_SIDE = 4
"""How many messages of a statement may be on their way that is short enough to go together: more
would only make small ones of them. Of the shortest it is one, while that comes back in time."""
_FORGETTING = 1.0005
"""By how much the fastest time of a statement grows with each other one, until it is that one."""
Rows: TypeAlias = list[Any]
"""Each indexed by number; the last column is not the statement's."""
Answer: TypeAlias = Callable[["Rows | BaseException"], None]
_logger = logging.getLogger(__name__)


class Question:
    """What somebody asks who waits for the rows."""

    __slots__ = ("answer", "message", "values")

    def __init__(self, values: Sequence[Any], answer: Answer) -> None:
        self.values = values
        self.answer: Answer | None = answer
        self.message: _Message | None = None

    def leave(self) -> None:
        """Wait no longer: what nobody waits for is not asked, or broken off."""
        self.answer = None
        if self.message is not None:
            self.message.left()

    def told(self, rows: Rows | BaseException) -> None:
        """Hand over the rows, or what stood in the way."""
        self.message = None
        answer, self.answer = self.answer, None
        if answer is None:
            return
        try:
            answer(rows)
        except Exception:  # theirs alone
            _logger.exception("Whoever was given rows failed")


class _Message:
    """Who goes together on a connection."""

    __slots__ = ("_connection", "_staying")

    def __init__(self, connection: Any, questions: Sequence[Question]) -> None:
        self._connection, self._staying = connection, len(questions)
        for question in questions:
            question.message = self

    def left(self) -> None:
        """One waits no longer. The last one breaks it off: that ends the connection."""
        self._staying -= 1
        if self._staying == 0:
            self._connection.terminate()


class _Statement:
    """A statement with who asks it, and how long it takes."""

    __slots__ = ("asked", "coming", "errands", "seconds", "sent", "sql", "together", "watch")

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.asked: deque[Question] = deque()
        self.errands = 0
        self.coming = 0
        """How many of the errands wait for a connection yet, before they take anybody along."""
        self.seconds = TOGETHER_SECONDS
        self.together = 1
        """How many executions may go in one message."""
        self.sent = 0
        """Messages so far."""
        self.watch: asyncio.TimerHandle | None = None
        """Looks whether the one that others wait for comes back."""

    @property
    def is_shortest(self) -> bool:
        """Whether waiting for the message before costs less than sending another beside it."""
        return self.together == TOGETHER

    @property
    def wanting(self) -> bool:
        """Whether it takes one more errand to answer those who ask."""
        if not self.asked or len(self.asked) <= self.coming * self.together:
            return False
        if self.errands == 0:
            return True
        return not self.is_shortest and (self.errands < SIDE_BY_SIDE or self.together == 1)

    def took(self, seconds: float, executions: int) -> None:
        """Learn how long it takes at its fastest of late: on a busy machine all looks slow."""
        self.seconds = min(seconds / executions, self.seconds * _FORGETTING)
        self.together = min(TOGETHER, max(1, int(TOGETHER_SECONDS / self.seconds)))

    def take(self) -> list[Question]:
        """Who goes next."""
        asked, many = self.asked, self.together
        taken: list[Question] = []
        while asked and len(taken) < many:
            question = asked.popleft()
            if question.answer is not None:
                taken.append(question)
        self.sent += 1
        return taken


class Reads:
    """Answers statements by at most `size` connections."""

    def __init__(self, dsn: str, *, size: int, role: str) -> None:
        self._connections = ReadConnections(dsn, size=size, role=role)
        self._statements: OrderedDict[str, _Statement] = OrderedDict()
        self._errands: set[asyncio.Task[None]] = set()

    async def fetch(self, sql: str, values: Sequence[Any]) -> Rows:
        """The rows of a statement.

        Raises DatabaseUnavailableError and DatabaseFullError as `db.engine.Database` does.
        """
        rows: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        question = self.ask(sql, values, partial(_settle, rows))
        try:
            return await rows
        finally:
            question.leave()

    def ask(self, sql: str, values: Sequence[Any], answer: Answer) -> Question:
        """Have `answer` called in a later turn of the loop, with the rows or what was raised."""
        statement = self._statements.get(sql) or self._remembered(sql, len(values))
        question = Question(values, answer)
        statement.asked.append(question)
        self._send_out(statement)
        return question

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

    def _send_out(self, statement: _Statement) -> None:
        while statement.wanting:
            self._send_one(statement)
        if statement.asked and statement.watch is None:
            self._watch(statement)

    def _send_one(self, statement: _Statement) -> None:
        statement.errands += 1
        statement.coming += 1
        errand = asyncio.create_task(self._errand(statement))
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    def _watch(self, statement: _Statement) -> None:
        """See to it that nobody waits long for what others have asked before."""
        if not statement.is_shortest:
            return
        look = partial(self._look, statement, statement.sent)
        statement.watch = asyncio.get_running_loop().call_later(TOGETHER_SECONDS, look)

    def _look(self, statement: _Statement, sent: int) -> None:
        statement.watch = None
        stuck = statement.asked and statement.sent == sent and not statement.coming
        if stuck and statement.errands < SIDE_BY_SIDE:
            self._send_one(statement)
        if statement.asked:
            self._watch(statement)

    async def _errand(self, statement: _Statement) -> None:
        """Answer those who ask, until nobody does or others wait for the connection."""
        waiting = True
        taken: list[Question] = []

        async def run(connection: Any) -> None:
            nonlocal waiting, taken
            waiting = False
            statement.coming -= 1
            # It is closed when all have left who went last, even if their rows had just come.
            while not connection.is_closed() and (taken := statement.take()):
                answers = await _together(connection, statement, taken)
                self._send_out(statement)
                for question, rows in zip(taken, answers, strict=True):
                    question.told(rows)
                if self._connections.wanted:
                    break

        try:
            await self._connections.connected(run)
        except BaseException as error:
            self._failed(statement, taken or statement.take(), error)
            if not isinstance(error, Exception):
                raise
        finally:
            statement.errands -= 1
            statement.coming -= waiting
            self._send_out(statement)

    def _failed(self, statement: _Statement, taken: list[Question], error: BaseException) -> None:
        """Tell those who were on the way; one of several may be at fault, so each goes again alone.

        Where the database is away, they are told that.
        """
        away = isinstance(error, DatabaseUnavailableError | DatabaseFullError)
        staying = [question for question in taken if question.answer is not None]
        for question in staying:
            if away or len(taken) == 1 or not isinstance(error, Exception):
                question.told(error)
            else:
                alone = _Statement(statement.sql)
                alone.asked.append(question)
                self._send_out(alone)


CLAIM = """(SELECT CASE
    WHEN substr(current_setting('teamlore.found', true), 1, 36) = {account}::text
        AND current_setting('teamlore.account', true) = {account}::text
    THEN true ELSE teamlore_claim({account}) END)"""
"""A condition that claims the account for the statement that it is a part of, in the same round
trip, and looks its scopes up once for all tables. Naming no table, it is looked at before any row
is: PostgreSQL plans it as the one-time filter of a Result above all scans, which
`tests/graph/plan/test_shapes.py` looks for in every statement."""


def _settle(future: asyncio.Future[Rows], rows: Rows | BaseException) -> None:
    if future.done():
        return
    if isinstance(rows, asyncio.CancelledError):
        future.cancel()
    elif isinstance(rows, BaseException):
        future.set_exception(rows)
    else:
        future.set_result(rows)


async def _together(
    connection: Any, statement: _Statement, questions: list[Question]
) -> list[Rows]:
    """The rows of each."""
    _Message(connection, questions)
    begin = time.perf_counter()
    if len(questions) == 1:
        answers = [await _fetched(connection, statement.sql, questions[0].values)]
    else:
        asked = [(*question.values, n) for n, question in enumerate(questions)]
        answers = [[] for _ in asked]
        for row in await connection.fetchmany(statement.sql, asked):
            answers[row[-1]].append(row)
    statement.took(time.perf_counter() - begin, len(questions))
    return answers


async def _fetched(connection: Any, sql: str, values: Sequence[Any]) -> Rows:
    try:
        rows: Rows = await connection.fetch(sql, *values, 0)
    except asyncpg.InvalidCachedStatementError:
        rows = await connection.fetch(sql, *values, 0)  # a migration changed the tables
    return rows
