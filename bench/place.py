"""The benchmark's own PostgreSQL, whose databases are kept while their worlds are equal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil

from bench.processes import pin
from db.embedded import EmbeddedPostgres
from db.migrate import upgrade

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".dev" / "bench"
"""Where everything is that a run leaves for the next one; git ignores it."""
SETTINGS = {
    "shared_buffers": "512MB",
    "max_connections": "300",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    # Measured is who computes how much, not how fast this machine's disk can flush.
    "synchronous_commit": "off",
    "autovacuum": "off",
}


class Place:
    """A running PostgreSQL and the folder that it is in."""

    def __init__(self, folder: Path = KEPT) -> None:
        self._server = EmbeddedPostgres(folder / "database", settings=SETTINGS)
        self._cluster = folder / "database" / "postgres"
        self.log = self._server.log
        self.dsn = self._server.start()
        head = (self._cluster / "postmaster.pid").read_text()
        self.postmaster = int(head.splitlines()[0])

    def pin(self, core: int) -> None:
        """Bind PostgreSQL to a core, where that is possible; processes to come inherit it."""
        whole = psutil.Process(self.postmaster)
        pin(core, *(process.pid for process in (whole, *whole.children())))

    def close(self) -> None:
        """Stop it."""
        self._server.stop()

    def cpu_seconds(self) -> float:
        """The processor time of all its processes so far."""
        postmaster = psutil.Process(self.postmaster)
        ended = postmaster.cpu_times()
        total = float(ended.children_user + ended.children_system)
        for process in postmaster.children():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

    async def database(self, name: str, fill: Callable[[str], Awaitable[None]]) -> str:
        """The DSN of a migrated database that `fill` has filled, in this run or an earlier one."""
        stem, name = f"{name}_", f"{name}_{_revision()}"
        if not await self._run("SELECT 1 FROM pg_database WHERE datname = $1", name):
            query = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)"
            for older in await self._run(query, stem):
                await self.drop(older["datname"])
            await self.drop("draft")
            await self._run('CREATE DATABASE "draft"')
            await upgrade(dsn_of(self.dsn, "draft"))
            await fill(dsn_of(self.dsn, "draft"))
            await self._run(f'ALTER DATABASE "draft" RENAME TO "{name}"')
        return dsn_of(self.dsn, name)

    async def copy(self, dsn: str, name: str) -> str:
        """The DSN of a copy of a database, which may be written to; `drop` it when done."""
        await self.drop(name)
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE "{name_of(dsn)}" STRATEGY file_copy')
        return dsn_of(self.dsn, name)

    async def drop(self, name: str) -> None:
        """Drop a database, if it is there."""
        await self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _run(self, statement: str, *values: object) -> list[Any]:
        connection = await asyncpg.connect(self.dsn)
        try:
            rows: list[Any] = await connection.fetch(statement, *values)
            return rows
        finally:
            await connection.close()


def dsn_of(server_dsn: str, database: str) -> str:
    """The DSN of another database on the same server."""
    parts = urlsplit(server_dsn)
    return parts._replace(path=f"/{database}").geturl().replace("@/", "@/", 1)


def name_of(dsn: str) -> str:
    """The database that a DSN names."""
    return urlsplit(dsn).path.removeprefix("/")


def variables_of(dsn: str) -> dict[str, str]:
    """The same address as the variables that libpq and its likes read."""
    parts = urlsplit(dsn)
    host = parse_qs(parts.query)["host"][0]
    return {"PGHOST": host, "PGUSER": parts.username or "", "PGDATABASE": name_of(dsn)}


def _revision() -> str:
    """The newest migration: what an older one filled is filled anew."""
    versions = sorted((ROOT / "db" / "migrations" / "versions").glob("0*.py"))
    return versions[-1].name.split("_")[0]


def run(main: Awaitable[None]) -> None:
    """Run to the end on uvloop."""
    import uvloop  # noqa: PLC0415 - only a benchmark that runs needs it

    async def whole() -> None:
        await main

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole())
