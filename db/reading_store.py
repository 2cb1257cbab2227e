"""The writing side of readings: what is due, claimed by one reader at a time, and its rows.

It has a connection of its own, so that reading never takes one from the requests. Every write is
idempotent: it carries the position that it goes on from, and is refused when that has moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from db import reading_sql as sql
from db.claims import System
from db.dsn import to_libpq_dsn
from db.engine import translated
from db.errors import DatabaseUnavailableError
from db.server_role import SERVER_ROLE, assume

CONNECT_SECONDS: Final = 2.0
COMMAND_SECONDS: Final = 60.0
_CLAIM: Final = System("reading of conversations").claim


class OvertakenError(Exception):
    """Somebody else has read on from the same place."""


@dataclass(frozen=True, slots=True)
class Due:
    """A file of a session that is to be read."""

    scope_id: UUID
    session: UUID
    file: str
    generation: int = 0

    @property
    def target(self) -> tuple[UUID, UUID, str]:
        """What it is about, whatever the generation."""
        return self.scope_id, self.session, self.file


@dataclass(slots=True)
class Progress:
    """How far a version was read, and what its records say together."""

    number: int
    latest_at: datetime
    size: int = 0
    lines: int = 0
    open_line: bool = False
    """Whether the last line has been read though its end was not there yet."""
    counts: dict[str, int] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)
    problem: str | None = None

    @property
    def place(self) -> tuple[int, int, int]:
        """What a write that goes on from here has to find unchanged."""
        return self.number, self.size, self.lines


class ReadingStore:
    """Claims, progress and rows of readings. Raises what `Database` raises."""

    def __init__(self, dsn: str, role: str = SERVER_ROLE) -> None:
        self._dsn, self._role = to_libpq_dsn(dsn), role
        self._connection: asyncpg.Connection | None = None
        self._busy = asyncio.Lock()

    async def close(self) -> None:
        """Give up the connection."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def claim(self) -> Due | None:
        """Something that is due and that nobody else is reading; None when there is nothing."""
        rows = await self._run(sql.CLAIM)
        return Due(*rows[0]) if rows else None

    async def hold(self, due: Due) -> None:
        """Keep the claim for longer."""
        await self._run(sql.HOLD, due)

    async def finish(self, due: Due) -> None:
        """Say that it was read, unless more has come meanwhile; then it is due again."""
        await self._run(sql.FINISH, due, due.generation)

    async def release(self, due: Due) -> None:
        """Give the claim back: it is due for anybody."""
        await self._run(sql.RELEASE, due)

    async def postpone(self, due: Due) -> None:
        """Give the claim back, to be gone on with when others have had their turn."""
        await self._run(sql.POSTPONE, due)

    async def is_due(self, scope_id: UUID, session: UUID, file: str) -> bool:
        """Whether something is waiting to be read."""
        rows = await self._run(sql.IS_DUE, Due(scope_id, session, file))
        return bool(rows)

    async def begin_again(self) -> int:
        """Make everything due, from its beginning; how much that is."""
        await self._run(sql.BEGIN_AGAIN)
        return len(await self._run(sql.ALL))

    async def head(self, due: Due) -> Mapping[str, Any] | None:
        """The version to read: number, size, lines, digest, block_size, blocks."""
        rows = await self._run(sql.HEAD, due)
        return rows[0] if rows else None

    async def progress(self, due: Due) -> Progress | None:
        """How far it was read; None for one that was never begun."""
        rows = await self._run(sql.PROGRESS, due)
        if not rows:
            return None
        values = dict(rows[0])
        return Progress(**{**values, "counts": orjson.loads(values["counts"])})

    async def erase(self, due: Due) -> None:
        """Forget everything that was read."""
        await self._transaction(self._erase, due)

    async def write(
        self,
        due: Due,
        before: Progress | None,
        after: Progress,
        messages: Sequence[Sequence[Any]],
        usage: Sequence[Sequence[Any]],
    ) -> None:
        """Add rows and move on. Raises OvertakenError when it is no longer at `before`."""
        await self._transaction(self._write, due, before, after, messages, usage)

    async def _erase(self, connection: asyncpg.Connection, due: Due) -> None:
        keys = await connection.fetch(sql.ERASE_USAGE, *due.target)
        await connection.execute(sql.ERASE, *due.target)
        if keys:
            await connection.execute(sql.COUNT, due.scope_id, [row[0] for row in keys])

    async def _write(
        self,
        connection: asyncpg.Connection,
        due: Due,
        before: Progress | None,
        after: Progress,
        messages: Sequence[Sequence[Any]],
        usage: Sequence[Sequence[Any]],
    ) -> None:
        counts = orjson.dumps(after.counts).decode()
        values = [*due.target, *after.place, after.open_line, after.latest_at, counts]
        values += [after.models, after.versions, after.folders, after.branches, after.problem]
        if before is None:
            done = await connection.fetch(sql.BEGIN, *values)
        else:
            done = await connection.fetch(sql.GO_ON, *values, *before.place)
        if not done:
            raise OvertakenError
        if messages:
            columns = [list(column) for column in zip(*messages, strict=True)]
            await connection.execute(sql.MESSAGES, *due.target, *columns)
        if usage:
            columns = [list(column) for column in zip(*usage, strict=True)]
            await connection.execute(sql.USAGE, *due.target, *columns)
            await connection.execute(sql.COUNT, due.scope_id, columns[0])

    async def _run(self, statement: str, due: Due | None = None, *more: Any) -> list[Any]:
        given = due.target if due else ()
        async with self._busy:
            with translated():
                connection = await self._connected()
                return list(await connection.fetch(statement, *given, *more))

    async def _transaction(self, work: Any, due: Due, *more: Any) -> None:
        """Run `work` alone in its scope: which row of a key is counted is decided among all."""
        async with self._busy:
            with translated():
                connection = await self._connected()
                async with connection.transaction():
                    await connection.execute(sql.ALONE, due.scope_id)
                    await work(connection, due, *more)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await asyncpg.connect(
                    self._dsn,
                    timeout=CONNECT_SECONDS,
                    command_timeout=COMMAND_SECONDS,
                    server_settings={
                        "application_name": "teamlore reading",
                        "jit": "off",
                        _CLAIM.setting: _CLAIM.value,
                    },
                )
                await assume(self._connection, self._role)
            except asyncpg.PostgresError as error:
                raise DatabaseUnavailableError from error
        return self._connection
