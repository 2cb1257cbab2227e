"""Subscriptions: how long one change takes to thousands of sockets, and what an idle one holds."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import httpx

from bench.processes import Process
from bench.shapes import DOCUMENTS, token
from bench.world import World, uuid_of
from domain import cursor
from domain.cursor import Position
from graph.schema import ids
from tests.support.crowd import Crowd

TEAM = 0
SETTLE_SECONDS = 1.0
WAIT_SECONDS = 30.0

Say = Callable[[httpx.AsyncClient, str], Awaitable[None]]
"""Makes a server tell everybody of an entry with this summary."""


@dataclass(frozen=True, slots=True)
class Live:
    """What a crowd of subscribers found."""

    server: str
    sockets: int
    firsts: list[float]
    """For each push: milliseconds from its request to the first socket that had it."""
    lasts: list[float]
    idle_bytes: float
    """Resident memory that a waiting socket added."""
    cpu: float
    """Microseconds of the server's processor time for each delivery."""

    @property
    def first(self) -> float:
        """The median time to the first socket."""
        return statistics.median(self.firsts)

    @property
    def last(self) -> float:
        """The median time to the last socket."""
        return statistics.median(self.lasts)


async def say_ours(client: httpx.AsyncClient, summary: str) -> None:
    """Push one entry over our REST."""
    team = str(uuid_of("team", TEAM))
    entry = {"type": "fact", "timestamp": 1_800_000_000_000, "summary": summary, "tags": ["a"]}
    body = {"entries": [entry], "teamId": team}
    answer = await client.post("/api/sync/push/knowledge", json=body)
    answer.raise_for_status()


async def say_theirs(client: httpx.AsyncClient, summary: str) -> None:
    """Have a peer publish an entry to its own subscribers, without a database."""
    (await client.post("/publish", json={"summary": summary})).raise_for_status()


async def crowd(
    server: Process, name: str, world: World, sockets: int, pushes: int, say: Say
) -> Live:
    """Subscribe so often, then push one entry after the other."""
    people = [m.person for m in world.memberships if m.team == TEAM]
    headers = {"Authorization": f"Bearer {token(people[0])}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
        team = uuid_of("team", TEAM)
        before_all = cursor.encode({team: Position(await _head(client, team, say))})
        alone = server.usage().resident_bytes
        subscribers = await Crowd.start(
            server.url,
            readers=[
                {"authorization": f"Bearer {token(people[i % len(people)])}"}
                for i in range(sockets)
            ],
            silent=[],
            document=(DOCUMENTS / "feed.graphql").read_text("utf-8"),
            team=str(ids.encode("Team", team)),
            after=before_all,
        )
        try:
            await asyncio.sleep(SETTLE_SECONDS)
            idle = (server.usage().resident_bytes - alone) / sockets
            begin = server.usage().cpu_seconds
            deliveries = [
                await _push(client, subscribers, number, sockets, say)
                for number in range(1, pushes + 1)
            ]
            cpu = (server.usage().cpu_seconds - begin) / (pushes * sockets) * 1e6
        finally:
            await subscribers.end()
    firsts, lasts = zip(*deliveries, strict=True)
    return Live(name, sockets, list(firsts), list(lasts), idle, cpu)


async def _head(client: httpx.AsyncClient, team: UUID, say: Say) -> int:
    """The version of the team's log below a new entry that says `push 0!`."""
    if say is not say_ours:
        return 0
    await say(client, f"push 0! {time.monotonic_ns()}")
    pulled, since = {"hasMore": True}, "0"
    while pulled["hasMore"]:
        url = f"/api/sync/pull/knowledge?since={since}&teamId={team}&limit=10000"
        pulled = (await client.get(url)).json()
        since = str(pulled["cursor"])
    return cursor.decode(since)[team].version - 1


async def _push(
    client: httpx.AsyncClient, subscribers: Crowd, number: int, sockets: int, say: Say
) -> tuple[float, float]:
    begin = time.monotonic()
    await say(client, f"push {number}! {time.monotonic_ns()}")
    while True:
        await asyncio.sleep(0.5)
        arrivals = (await subscribers.report())["arrivals"].get(str(number), [])
        if len(arrivals) == sockets:
            return (arrivals[0] - begin) * 1000, (arrivals[-1] - begin) * 1000
        if time.monotonic() > begin + WAIT_SECONDS:
            raise TimeoutError(f"only {len(arrivals)} of {sockets} had push {number}")
