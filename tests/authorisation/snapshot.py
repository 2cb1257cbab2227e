"""A database as it was, again and again: for cells that change what the next one asks for."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection
from typing import Self

import asyncpg

LEFT_BEHIND = {"audit", "budgets", "login_attempts", "reading_due", "alembic_version"}
"""What requests that only read may write to: who failed to get in, what was counted."""
_NOTED = "- '{last_used_at,last_address,last_program,sync_actions}'::text[]"
_TABLES = """
SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ') AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1
"""


class Snapshot:
    """All rows of all tables, taken as the superuser."""

    def __init__(self, connection: asyncpg.Connection, columns: dict[str, str]) -> None:
        self._connection, self._columns = connection, columns

    @classmethod
    async def take(cls, dsn: str) -> Self:
        """Remember what there is, once all conversations have been read."""
        connection = await asyncpg.connect(dsn)
        for _ in range(600):
            if not await connection.fetchval("SELECT count(*) FROM reading_due"):
                break
            await asyncio.sleep(0.05)
        columns = {row["name"]: row["columns"] for row in await connection.fetch(_TABLES)}
        await connection.execute("SET session_replication_role = replica; CREATE SCHEMA kept")
        for name in columns:
            await connection.execute(f"CREATE TABLE kept.{name} AS TABLE public.{name}")
        return cls(connection, columns)

    async def restore(self) -> None:
        """Make it all as it was."""
        statements = [
            f"DELETE FROM public.{name}; "
            f"INSERT INTO public.{name} ({columns}) SELECT {columns} FROM kept.{name};"
            for name, columns in self._columns.items()
        ]
        await self._connection.execute("BEGIN;" + "".join(statements) + "COMMIT")

    @property
    def tables(self) -> list[str]:
        """The names of all tables."""
        return list(self._columns)

    async def digests(
        self, naming: Collection[str] = ("",), schema: str = "public"
    ) -> dict[str, str]:
        """What each table holds in rows that name one of these, but for traces of reading."""
        found = {}
        for name in self._columns.keys() - LEFT_BEHIND:
            query = f"SELECT (to_jsonb(t) {_NOTED})::text FROM public.{name} t ORDER BY 1"
            rows = [row[0] for row in await self._connection.fetch(query)]
            lines = [row for row in rows if any(name in row for name in naming)]
            found[name] = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        return found

    async def close(self) -> None:
        """Give up the connection."""
        await self._connection.close()
