"""REST: a push of 500 new entries, a list, and a pull of 10,000 entries."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx

from bench.place import Place
from bench.processes import Process
from bench.shapes import token
from bench.world import World, uuid_of
from domain.entries import PUSH_MAX

PULLED = 10_000
PAUSE_SECONDS = 0.5
"""Long enough for PostgreSQL to index what a push brought."""


_SEARCH = """
SELECT string_agg('count(' || pg_get_expr(adbin, adrelid) || ')', ', ')
FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
WHERE adrelid = 'knowledge'::regclass AND attgenerated = 's'
"""


async def search_ms(dsn: str) -> float:
    """Milliseconds that PostgreSQL takes for the search columns of 500 entries: part of a push."""
    connection = await asyncpg.connect(dsn, server_settings={"jit": "off"})
    try:
        counts = await connection.fetchval(_SEARCH)
        query = f"SELECT {counts} FROM (SELECT * FROM knowledge LIMIT {PUSH_MAX}) AS k"
        times = []
        for _ in range(7):
            begin = time.perf_counter()
            await connection.fetch(query)
            times.append((time.perf_counter() - begin) * 1000)
        return statistics.median(times)
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one kind of request cost: milliseconds to the whole answer, and of processor time."""

    name: str
    times: list[float]
    server_cpu: float
    database_cpu: float
    grown_bytes: int
    """How much larger the server became meanwhile than it was before."""

    @property
    def median(self) -> float:
        """The middle one of the times."""
        return statistics.median(self.times)

    @property
    def worst(self) -> float:
        """The longest time."""
        return max(self.times)


class Rest:
    """Drives one server's REST, one request at a time."""

    def __init__(self, server: Process, place: Place, world: World) -> None:
        self._server, self._place, self._world = server, place, world
        self._batch = 0
        self._peak = 0

    async def push(self, rounds: int, pause: float = 0.0) -> Cost:
        """Pushes of as many new entries as a push may hold, with so many seconds in between."""
        bodies = [self._push_body() for _ in range(rounds + 2)]

        async def one(client: httpx.AsyncClient, turn: int) -> None:
            body = bodies[turn]
            answer = await client.post("/api/sync/push/knowledge", content=body)
            assert answer.json()["accepted"] == PUSH_MAX, answer.text

        how = "now and then" if pause else "one behind the other"
        return await self._measure(f"push of {PUSH_MAX}, {how}", one, rounds, pause)

    def _push_body(self) -> bytes:
        self._batch += 1
        chance = random.Random(f"push {self._batch}")
        entries = []
        for number in range(PUSH_MAX):
            entry = self._world.entry(chance.randrange(10**9))
            entry["summary"] += f", {self._batch}.{number}"
            entries.append(
                {
                    "type": entry["type"],
                    "timestamp": entry["timestamp"],
                    "summary": entry["summary"],
                    "project": entry["project"],
                    "details": entry["details"],
                    "tags": entry["tags"],
                    "relatedFiles": entry["related_files"],
                }
            )
        return json.dumps({"entries": entries}).encode()

    async def page(self, rounds: int) -> Cost:
        """Lists of the newest 20."""

        async def one(client: httpx.AsyncClient, _turn: int) -> None:
            answer = await client.get("/api/knowledge?limit=20")
            assert answer.status_code == 200, answer.text

        return await self._measure("list of 20", one, rounds)

    async def pull(self, rounds: int) -> Cost:
        """Pulls of a team and all else that the caller wrote."""
        team = uuid_of("team", self._world.teams_of(0)[0])
        url = f"/api/sync/pull/knowledge?since=0&teamId={team}&limit={PULLED}"

        async def one(client: httpx.AsyncClient, _turn: int) -> None:
            async with client.stream("GET", url) as answer:
                assert answer.status_code == 200
                async for _chunk in answer.aiter_bytes():
                    self._look()

        cost = await self._measure("pull", one, rounds)
        async with self._client() as client:
            answer = await client.get(url)
        size = len(answer.content) / 1024**2
        count = len(answer.json()["entries"])
        return replace(cost, name=f"pull of {count:,} entries, {size:.1f} MiB")

    def _look(self) -> None:
        """Note how large the server is now."""
        self._peak = max(self._peak, self._server.usage().resident_bytes)

    async def _measure(self, name: str, one: Any, rounds: int, pause: float = 0.0) -> Cost:
        async with self._client() as client:
            for turn in range(2):
                await one(client, turn)
                await asyncio.sleep(pause)
            times = []
            self._peak = 0
            before, database = self._server.usage(), self._place.cpu_seconds()
            for turn in range(2, rounds + 2):
                begin = time.perf_counter()
                await one(client, turn)
                times.append((time.perf_counter() - begin) * 1000)
                self._look()
                await asyncio.sleep(pause)
            after = self._server.usage()
            return Cost(
                name,
                times,
                (after.cpu_seconds - before.cpu_seconds) / rounds * 1000,
                (self._place.cpu_seconds() - database) / rounds * 1000,
                max(0, self._peak - before.resident_bytes),
            )

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer {token(0)}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(
            base_url=self._server.url, headers=headers, timeout=60
        ) as client:
            yield client
