"""REST: a push of 500 new entries, a list, and a pull of 10,000 entries."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from bench.place import Place
from bench.processes import Process
from bench.shapes import token
from bench.world import World, uuid_of
from domain.entries import PUSH_MAX

PULLED = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What one kind of request cost: milliseconds to the whole answer, and of processor time."""

    name: str
    times: list[float]
    server_cpu: float
    database_cpu: float
    grown_bytes: int
    """How much larger the server was after the last one than before the first."""

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

    async def push(self, rounds: int) -> Cost:
        """Pushes of as many new entries as a push may hold."""
        bodies = [self._push_body() for _ in range(rounds + 2)]

        async def one(client: httpx.AsyncClient, turn: int) -> None:
            body = bodies[turn]
            answer = await client.post("/api/sync/push/knowledge", content=body)
            assert answer.json()["accepted"] == PUSH_MAX, answer.text

        return await self._measure(f"push of {PUSH_MAX}", one, rounds)

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

        async def one(client: httpx.AsyncClient, _turn: int) -> None:
            url = f"/api/sync/pull/knowledge?since=0&teamId={team}&limit={PULLED}"
            async with client.stream("GET", url) as answer:
                assert answer.status_code == 200
                async for _chunk in answer.aiter_bytes():
                    pass

        return await self._measure("pull", one, rounds)

    async def _measure(self, name: str, one: Any, rounds: int) -> Cost:
        async with self._client() as client:
            for turn in range(2):
                await one(client, turn)
            times = []
            before, database = self._server.usage(), self._place.cpu_seconds()
            for turn in range(2, rounds + 2):
                begin = time.perf_counter()
                await one(client, turn)
                times.append((time.perf_counter() - begin) * 1000)
            after = self._server.usage()
            return Cost(
                name,
                times,
                (after.cpu_seconds - before.cpu_seconds) / rounds * 1000,
                (self._place.cpu_seconds() - database) / rounds * 1000,
                after.resident_bytes - before.resident_bytes,
            )

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer {token(0)}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(
            base_url=self._server.url, headers=headers, timeout=60
        ) as client:
            yield client
