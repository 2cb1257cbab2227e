"""Sixteen people write into one team as fast as they can, and three readers keep up: none lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from domain import cursor
from domain.cursor import Position
from graph.schema import ids
from settings import Settings
from tests.conftest import ServeProcess
from tests.graph.client import Caller, socket_of
from tests.support.dial import PROVING, dial
from tests.support.server import RunningServer

WRITERS = 16
SECONDS = dial(3, 60)
ENTRIES_AT_LEAST = dial(100, 20_000)
PUSH_MAX = dial(40, 250)
DROP_EVERY = 0.7
SILENCE = 15.0
CHANGES = """
query ($after: Cursor, $team: ID!) { changes(after: $after, scopes: [$team], first: 100) {
  nodes { ... on KnowledgeCreated { entry { summary } } }
  pageInfo { hasNextPage endCursor } } }
"""
FEED = """
subscription ($team: ID!, $after: Cursor) { teamFeed(teamId: $team, after: $after) {
  cursor ... on KnowledgeCreated { entry { summary } } } }
"""


@dataclass
class Bench:
    """One team, its sixteen writers, and what they have been told is stored."""

    http: httpx.AsyncClient
    team: UUID
    keys: list[str]
    acknowledged: dict[str, float] = field(default_factory=dict)
    writing: bool = True

    async def write(self, number: int) -> None:
        """Push a few entries at a time until the time is over."""
        until, count = time.monotonic() + SECONDS, 0
        while time.monotonic() < until:
            names = [f"{number:02}-{count + i:05}" for i in range(random.randint(1, PUSH_MAX))]
            count += len(names)
            entries = [{"type": "decision", "timestamp": 1, "summary": name} for name in names]
            body = {"entries": entries, "teamId": str(self.team)}
            path, headers = "/api/sync/push/knowledge", {"X-API-Key": self.keys[number]}
            answer = await self.http.post(path, json=body, headers=headers)
            while answer.status_code == 503:  # on a busy machine; said again, it is stored once
                await asyncio.sleep(float(answer.headers["Retry-After"]))
                answer = await self.http.post(path, json=body, headers=headers)
            done = answer.json()
            assert (done["accepted"] + done["skipped"], done["errors"]) == (len(names), [])
            self.acknowledged |= dict.fromkeys(names, time.monotonic())

    async def pull(self, seen: Callable[[list[str]], None]) -> None:
        """Read with the cursor of pulls, to the end."""
        since, more = "0", True
        while more:
            more = self.writing
            query = {"since": since, "teamId": str(self.team), "limit": "1000"}
            path, headers = "/api/sync/pull/knowledge", {"X-API-Key": self.keys[0]}
            page = (await self.http.get(path, params=query, headers=headers)).json()
            seen([row["summary"] for row in page["entries"]])
            since, more = page["cursor"], more or page["hasMore"]

    async def page(self, seen: Callable[[list[str]], None]) -> None:
        """Read with `changes`, to the end."""
        after, more = None, True
        while more:
            more = self.writing
            variables = {"after": after, "team": str(self.team)}
            body, headers = {"query": CHANGES, "variables": variables}, {"X-API-Key": self.keys[1]}
            answer = (await self.http.post("/graphql", json=body, headers=headers)).json()
            page = answer["data"]["changes"]
            seen([e["entry"]["summary"] for e in page["nodes"] if e])
            after, more = page["pageInfo"]["endCursor"], more or page["pageInfo"]["hasNextPage"]

    async def follow(self, reading: Reading) -> None:
        """Follow the feed, losing the connection every now and then.

        Until everything has come, or nothing more for long.
        """
        caller = Caller(_as_running(self.http), token=self.keys[2])
        variables = {"team": str(ids.encode("Team", self.team))}
        after = cursor.encode({self.team: Position(0)})
        came = time.monotonic()
        over = False
        while not over:
            async with socket_of(caller) as socket:
                await socket.subscribe(FEED, after=after, **variables)
                until = time.monotonic() + DROP_EVERY
                while time.monotonic() < until and not over:
                    try:
                        event = (await asyncio.wait_for(socket.next(), 1.0))["teamFeed"]
                    except TimeoutError:
                        all_came = self.acknowledged.keys() <= reading.first.keys()
                        silent = time.monotonic() - came > SILENCE
                        over = not self.writing and (all_came or silent)
                        continue
                    after, came = event["cursor"], time.monotonic()
                    reading.saw([event["entry"]["summary"]] if "entry" in event else [])
                socket.raw.transport.abort()


@dataclass
class Reading:
    """What one reader was shown, and when."""

    times: Counter[str] = field(default_factory=Counter)
    first: dict[str, float] = field(default_factory=dict)
    disordered: int = 0
    _newest: dict[str, str] = field(default_factory=dict)

    def saw(self, names: list[str]) -> None:
        """Take note. What one writer wrote has to come in the order in which it was written."""
        now = time.monotonic()
        for name in names:
            self.times[name] += 1
            self.first.setdefault(name, now)
            self.disordered += name < self._newest.get(name[:2], "")
            self._newest[name[:2]] = name

    def figures(self, acknowledged: dict[str, float]) -> dict[str, float]:
        """Lost, repeated and disordered entries, and the lag in seconds behind the answer."""
        lags = sorted(max(0.0, at - acknowledged[name]) for name, at in self.first.items())
        return {
            "seen": len(self.first),
            "lost": len(acknowledged.keys() - self.first.keys()),
            "twice": sum(times - 1 for times in self.times.values()),
            "disordered": self.disordered,
            "lag p50": round(lags[len(lags) // 2], 3),
            "lag p99": round(lags[len(lags) * 99 // 100], 3),
        }


async def test_sixteen_writers_and_no_reader_loses_anything(
    serve_process: ServeProcess, database_url: str
) -> None:
    limits = {"RATE_LIMIT_MAX": "10000000", "RATE_LIMIT_ANONYMOUS_MAX": "1000"}
    server = await asyncio.to_thread(serve_process, limits)
    pool = httpx.Limits(max_connections=WRITERS + 4)
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=pool) as http:
        bench = await _bench(http, database_url)
        pulled, paged, followed = Reading(), Reading(), Reading()

        async def write() -> None:
            await asyncio.gather(*(bench.write(number) for number in range(WRITERS)))
            bench.writing = False

        readers: list[Awaitable[Any]] = [
            bench.pull(pulled.saw),
            bench.page(paged.saw),
            bench.follow(followed),
        ]
        await asyncio.gather(write(), *readers)
    written = bench.acknowledged
    print(f"\n{len(written)} entries by {WRITERS} writers in {SECONDS} s")  # noqa: T201
    for name, reading in (("pull", pulled), ("changes", paged), ("subscription", followed)):
        print(f"{name}: {reading.figures(written)}")  # noqa: T201
    for reading in (pulled, paged, followed):
        found = reading.figures(written)
        assert (found["lost"], found["twice"], found["disordered"]) == (0, 0, 0)
        assert reading.first.keys() == written.keys()
    assert len(written) >= ENTRIES_AT_LEAST or not PROVING


async def _bench(http: httpx.AsyncClient, database_url: str) -> Bench:
    keys, accounts = [], []
    for _ in range(WRITERS):
        body = {"username": uuid4().hex}
        keys.append((await http.post("/api/auth/register", json=body)).json()["api_key"])
        me = await http.get("/api/auth/me", headers={"X-API-Key": keys[-1]})
        accounts.append(UUID(me.json()["id"]))
    headers = {"X-API-Key": keys[0]}
    made = await http.post("/api/teams", json={"name": "Writers"}, headers=headers)
    team = UUID(made.json()["id"])
    # Invitations go by e-mail, which costs a password each; how they joined is not the question.
    connection = await asyncpg.connect(database_url)
    await connection.executemany(
        "INSERT INTO memberships (scope_id, account_id, role) VALUES ($1, $2, 'member')",
        [(team, account) for account in accounts[1:]],
    )
    await connection.close()
    return Bench(http, team, keys)


def _as_running(http: httpx.AsyncClient) -> RunningServer:
    """What a socket needs to know of a server that is a process of its own."""
    url = str(http.base_url).rstrip("/")
    return RunningServer(url, Settings(data_dir=Path()), http)
