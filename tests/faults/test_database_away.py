"""PostgreSQL goes away and comes back under a running server."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from db.embedded import EmbeddedPostgres
from db.migrate import upgrade
from settings import Settings
from tests.conftest import Serve
from tests.support.dial import dial
from tests.support.mcp_client import McpClient, entry
from tests.support.postgres import FAST_SETTINGS

ANSWER_SECONDS = dial(15.0, 3.0)
RECOVERY_SECONDS = dial(30.0, 5.0)


class Restartable:
    """A PostgreSQL whose address stays the same: a link leads to wherever its socket is now."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._link = folder / "data", folder / "socket"
        self._folder.mkdir()
        self.dsn = f"postgresql://teamlore@/teamlore?host={self._link}"
        self._running: EmbeddedPostgres | None = None

    async def start(self) -> None:
        self._running = EmbeddedPostgres(self._folder, settings=FAST_SETTINGS)
        dsn = await asyncio.to_thread(self._running.start)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(str(make_url(dsn).query["host"]))

    async def stop(self) -> None:
        if self._running is not None:
            await asyncio.to_thread(self._running.stop)
            self._running = None


@pytest.fixture
async def postgres_of_its_own() -> AsyncIterator[Restartable]:
    """A running PostgreSQL that the test may stop and start again."""
    folder = Path(tempfile.mkdtemp(prefix="teamlore-"))
    server = Restartable(folder)
    await server.start()
    yield server
    await server.stop()
    shutil.rmtree(folder)


async def _until_well(http: httpx.AsyncClient) -> float:
    started = time.monotonic()
    while (await http.get("/health")).status_code != 200:
        assert time.monotonic() - started < RECOVERY_SECONDS
        await asyncio.sleep(0.1)
    return time.monotonic() - started


async def test_requests_get_503_meanwhile_and_work_again_afterwards(
    serve: Serve, settings: Settings, postgres_of_its_own: Restartable
) -> None:
    postgres = postgres_of_its_own
    await upgrade(postgres.dsn)
    server = await serve(settings.model_copy(update={"database_url": postgres.dsn}))
    ada = await McpClient.register(server.client)
    await ada.push([entry("before")])
    await postgres.stop()

    calls = [
        server.client.get("/health"),
        server.client.get("/api/knowledge", headers=ada.headers),
        server.client.post("/api/knowledge", headers=ada.headers, json=entry("meanwhile")),
        server.client.get("/api/federation/patterns"),
    ]
    started = time.monotonic()
    answers = await asyncio.gather(*calls)
    assert time.monotonic() - started < ANSWER_SECONDS
    assert [answer.status_code for answer in answers] == [503] * 4
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)

    await postgres.start()
    await _until_well(server.client)
    assert (await ada.call("GET", "/api/knowledge"))["total"] == 1
    await ada.push([entry("after")])
