"""A desk with a reader, and records as Claude Code writes them, made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg

from db.dsn import to_libpq_dsn
from db.reading_store import Due, ReadingStore
from domain import sessions
from domain.reading.reader import Reader
from settings import Settings
from tests.support.desk import Desk

BLOCK = 256


class Library(Desk):
    """Custody with small blocks, one account, and a reader that reads when it is told to."""

    def __init__(
        self, settings: Settings, block_size: int = BLOCK, line_max: int = 4 * 1024 * 1024
    ) -> None:
        super().__init__(settings, block_size)
        self.readings = ReadingStore(self.db.dsn)
        self.reader = Reader(self.readings, self.custody, line_max)

    async def close(self) -> None:
        await self.reader.stop()
        await super().close()

    async def keep(self, session: str, *lines: dict[str, Any] | bytes) -> UUID:
        """Upload these lines and read them; our id of the session."""
        await self.upload(session, transcript(*lines), chunk=64 * 1024)
        await self.reader.read_all()
        return await self.id(session)

    async def id(self, session: str) -> UUID:
        """Our id of a session."""
        return (await sessions.get(self.db, self.actor, session)).id

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        """What a statement finds, straight from the database."""
        connection = await asyncpg.connect(to_libpq_dsn(self.db.dsn))
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()


def transcript(*lines: dict[str, Any] | bytes) -> bytes:
    """Lines as a file: objects as JSON, bytes as they are."""
    return b"".join(
        (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines
    )


def said(text: str, uuid: str | None = None, **more: Any) -> dict[str, Any]:
    """A person's prompt."""
    record = {
        "type": "user",
        "uuid": uuid,
        "timestamp": "2026-05-01T10:00:00Z",
        "message": {"role": "user", "content": text},
    }
    return {**record, **more}


def answered(
    id: str | None,
    request: str | None,
    tokens: Iterable[int],
    *,
    model: str = "opus",
    day: str = "2026-05-01",
    **more: Any,
) -> dict[str, Any]:
    """A model's answer; tokens: input, output, written to the cache, of these for 1 h, read."""
    input, output, written, hour, read = tokens
    usage = {
        "input_tokens": input,
        "output_tokens": output,
        "cache_creation_input_tokens": written,
        "cache_creation": {"ephemeral_1h_input_tokens": hour},
        "cache_read_input_tokens": read,
    }
    message: dict[str, Any] = {
        "id": id,
        "role": "assistant",
        "model": model,
        "usage": usage,
        "content": [],
    }
    record = {"type": "assistant", "timestamp": f"{day}T10:00:00Z", "message": message}
    return {**record, **({"requestId": request} if request else {}), **more}


def due(library: Library, session: UUID, file: str = "") -> Due:
    """What the reader is handed for a file of a session."""
    return Due(library.actor.account_id, session, file)
