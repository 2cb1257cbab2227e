"""kill -9 of the server and of PostgreSQL while conversations are being uploaded."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from db.blobs import open_store
from db.engine import Database
from domain.scrub import Scrub
from tests.conftest import ServeProcess
from tests.support.dial import dial
from tests.support.places import Place
from tests.support.process import ServerProcess
from tests.support.registry import conversation, register
from tests.support.tails import Growth, body, outcomes
from tests.support.transcripts import session_id, transcript
from tests.test_cli import cli

SESSIONS = 4
WHOLE = [transcript(seed, 6_000_000) for seed in range(SESSIONS)]
SECONDS_UNTIL_KILL = 0.6


@dataclass
class Growing:
    """One session's transcript, which only ever grows, as Claude Code writes it."""

    number: int
    length: int = 0
    acknowledged: int = 0
    behind: bool = False
    sent: set[int] = field(default_factory=lambda: {0})

    @property
    def whole(self) -> bytes:
        return WHOLE[self.number]

    @property
    def path(self) -> str:
        if self.number % 2:
            return f"/api/sessions/{session_id(0)}/files/subagents/agent-{self.number}.jsonl"
        return conversation(session_id(self.number))

    async def upload(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        """Send it again and again, a little longer each time."""
        while True:
            await self.upload_once(client, chance)

    async def upload_once(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        """A connection may break: on a killed server, and on a large body that is refused."""
        self.length = min(self.length + chance.randint(1, 60_000), len(self.whole))
        self.sent.add(self.length)
        try:
            if not self.behind and self.length > self.acknowledged and chance.random() < 0.5:
                status = await self._append(client)
            else:
                answer = await client.put(self.path, content=self.whole[: self.length])
                status = answer.status_code
        except httpx.TransportError:
            await asyncio.sleep(0.02)
            return
        if status in {200, 201}:
            self.acknowledged, self.behind = self.length, False
        elif status == 409:  # more is stored than was acknowledged: send a whole one next
            self.behind = True
        elif status != 503:
            raise AssertionError(status)

    async def _append(self, client: httpx.AsyncClient) -> int:
        """Send what follows on what was acknowledged; the status of the file, else of it all."""
        whole, path = self.whole[: self.length], ""
        if self.number % 2:
            path = f"subagents/agent-{self.number}.jsonl"
        name = session_id(0 if path else self.number)
        sent = body(Growth(name, whole, self.acknowledged, path))
        answer = await client.post("/api/tails", content=sent)
        if answer.status_code != 200:
            return answer.status_code
        return int(outcomes(answer)[0]["status"])

    async def check(self, client: httpx.AsyncClient) -> None:
        answer = await client.get(self.path)
        if answer.status_code == 404:
            assert self.acknowledged == 0
            return
        assert answer.status_code == 200, answer.text
        assert len(answer.content) >= self.acknowledged
        assert len(answer.content) in self.sent
        assert answer.content == self.whole[: len(answer.content)]


async def busy(url: str, headers: dict[str, str], all_: list[Growing], seed: int) -> None:
    """Upload until cancelled."""
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        chance = random.Random(seed)
        await asyncio.gather(*(growing.upload(client, chance) for growing in all_))


async def begin(url: str, headers: dict[str, str], all_: list[Growing]) -> None:
    """Let each have something that was acknowledged."""
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        for growing in all_:
            await growing.upload_once(client, random.Random(growing.number))


async def ended(task: asyncio.Task[None]) -> None:
    """Stop uploading; what went wrong in it is raised here."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def check(url: str, headers: dict[str, str], all_: list[Growing]) -> None:
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        for growing in all_:
            await growing.check(client)


async def scrubbed(dsn: str, place: str) -> list[str]:
    db, store = Database(dsn, pool_size=4), open_store(place)
    try:
        scrub = Scrub(db, store)
        found = [damage.what async for damage in scrub.run()]
        assert found or scrub.read.versions
        return found
    finally:
        await store.close()
        await db.close()


async def registered(url: str) -> dict[str, str]:
    async with httpx.AsyncClient(base_url=url) as client:
        return {**await register(client), "Accept-Encoding": "identity"}


@pytest.mark.slow
@pytest.mark.on_s3
async def test_a_killed_server_has_kept_what_it_acknowledged(
    serve_process: ServeProcess, database_url: str, blocks: Place
) -> None:
    all_ = [Growing(number) for number in range(SESSIONS)]
    environ = {"BLOB_URL": blocks.url, **blocks.environ}
    server = await asyncio.to_thread(serve_process, environ)
    headers = await registered(server.url)
    await begin(server.url, headers, all_)
    for kill in range(dial(1 if blocks.is_bucket else 2, 200)):
        chance = random.Random(kill)
        task = asyncio.create_task(busy(server.url, headers, all_, kill))
        await asyncio.sleep(chance.random() * SECONDS_UNTIL_KILL)
        server.kill()
        await ended(task)
        server = await asyncio.to_thread(serve_process, environ)
        await check(server.url, headers, all_)
        if kill % 10 == 0:
            assert await scrubbed(database_url, blocks.url) == []
            restart_short(all_)
    assert await scrubbed(database_url, blocks.url) == []
    assert any(growing.acknowledged for growing in all_)


def restart_short(all_: list[Growing]) -> None:
    """Long transcripts take long to send; the rest of the campaign sends short ones again."""
    for growing in all_:
        if growing.length == len(growing.whole):
            growing.length = 0


def postmaster(server: ServerProcess, data: Path) -> psutil.Process:
    return psutil.Process(int((data / "postgres/postmaster.pid").read_text().split()[0]))


def kill_postgres(master: psutil.Process, chance: random.Random) -> None:
    """The postmaster alone, all its processes, or one that serves a connection."""
    with suppress(psutil.NoSuchProcess):
        family = [master, *master.children(recursive=True)]
        victims = chance.choice([[master], family, [chance.choice(family)]])
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                os.kill(victim.pid, signal.SIGKILL)


async def until_well(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=10) as client, asyncio.timeout(60):
        while True:
            with suppress(httpx.TransportError):
                if (await client.get("/health")).status_code == 200:
                    return
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_a_killed_database_has_kept_what_was_acknowledged(
    serve_process: ServeProcess, tmp_path: Path, blocks: Place
) -> None:
    data = tmp_path / "server-data"
    environ = {"BLOB_URL": blocks.url, **blocks.environ}
    server = await asyncio.to_thread(serve_process, {"DATABASE_URL": "", **environ})
    headers = await registered(server.url)
    all_ = [Growing(number) for number in range(SESSIONS)]
    await begin(server.url, headers, all_)
    for kill in range(dial(1, 50)):
        chance = random.Random(kill)
        master = postmaster(server, data)
        task = asyncio.create_task(busy(server.url, headers, all_, kill))
        await asyncio.sleep(chance.random() * SECONDS_UNTIL_KILL)
        kill_postgres(master, chance)
        await asyncio.sleep(0.1)
        await ended(task)
        await until_well(server.url)
        await check(server.url, headers, all_)
        restart_short(all_)
    # The command finds the database that the server runs.
    environ["TEAMLORE_DATA"] = str(data)
    done = await asyncio.to_thread(cli, "scrub", folder=tmp_path, **environ)
    assert (done.returncode, "no damage" in done.stdout) == (0, True), done.stdout + done.stderr
    assert any(growing.acknowledged for growing in all_)
