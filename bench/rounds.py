"""The reads: answers compared first, then every server measured in turn, round after round."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.load import Load, drive, request_bytes
from bench.place import Place
from bench.processes import Process
from bench.shapes import SHAPES, Shape, token
from bench.world import World

COMPARED = 40
"""Questions of each shape whose answers are compared before anything is measured."""
FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured."""

    rounds: int
    seconds: float
    warm: float
    connections: tuple[int, ...] = (4, 32, 256)


@dataclass(slots=True)
class Cell:
    """One server, one shape, one number of connections: what its rounds came to."""

    server: str
    shape: str
    connections: int
    loads: list[Load] = field(default_factory=list)
    server_cpu: list[float] = field(default_factory=list)
    """Microseconds of processor time an answer took, by round."""
    database_cpu: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second: the median of the rounds."""
        return statistics.median(load.rate for load in self.loads)

    def quantile(self, part: float) -> float:
        """Milliseconds within which that part of the answers came: the median of the rounds."""
        return statistics.median(load.quantile(part) for load in self.loads)


class Unequal(Exception):  # noqa: N818 - what was found
    """Two servers answer the same question differently."""


async def compare(servers: Mapping[str, Process], world: World, answers: Path) -> int:
    """Ask every server the same, and keep an answer of each shape for the floor.

    Returns how many questions were compared. Raises Unequal naming the first difference.
    PostGraphile's cursors are its own, so for it only their presence counts.
    """
    compared = 0
    async with httpx.AsyncClient(timeout=60) as client:
        for shape in SHAPES:
            for number, question in enumerate(shape.questions(world, COMPARED)):
                bodies = {
                    name: await _ask(client, server, shape.body(question), question.person)
                    for name, server in servers.items()
                }
                _check(shape, bodies)
                if number == 0:
                    first = next(iter(bodies.values()))
                    (answers / f"{shape.name}.json").write_bytes(first)
                compared += 1
    return compared


async def _ask(client: httpx.AsyncClient, server: Process, body: bytes, person: int) -> bytes:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token(person)}"}
    answer = await client.post(f"{server.url}/graphql", content=body, headers=headers)
    return answer.content


def _check(shape: Shape, bodies: Mapping[str, bytes]) -> None:
    (reference, expected), *others = ((n, json.loads(body)) for n, body in bodies.items())
    if expected.get("errors") or not expected.get("data"):
        raise Unequal(f"{reference} answers {shape.name} with {str(expected)[:500]}")
    for name, found in others:
        same = found == expected
        if name == "postgraphile":
            same = _without_cursors(found) == _without_cursors(expected)
        if not same:
            words = zip(str(found).split(), str(expected).split(), strict=False)
            here, there = next(((a, b) for a, b in words if a != b), ("less", "more"))
            raise Unequal(f"{shape.name}: {name} says {here}, {reference} {there}")


def _without_cursors(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: isinstance(item, str) if key == "endCursor" else _without_cursors(item)
            for key, item in value.items()
        }
    return [_without_cursors(item) for item in value] if isinstance(value, list) else value


class Rounds:
    """Measures the same cells again and again, each time beginning with another server."""

    def __init__(self, servers: Mapping[str, Process], place: Place, world: World) -> None:
        self._servers = servers
        self._place = place
        self._requests = {
            (name, shape.name): _requests(name, server, shape, world)
            for name, server in servers.items()
            for shape in SHAPES
        }
        self.cells: dict[tuple[str, str, int], Cell] = {}

    async def run(self, effort: Effort) -> None:
        """Warm everybody up, then measure."""
        for shape in SHAPES:
            for name in self._servers:
                await self._drive(name, shape.name, 16, Effort(1, 0.2, effort.seconds))
        names = list(self._servers)
        for turn in range(effort.rounds):
            begin = turn * len(names) // effort.rounds
            for shape in SHAPES:
                for connections in effort.connections:
                    for name in names[begin:] + names[:begin]:
                        await self._measure(name, shape.name, connections, effort)
            print(f"round {turn + 1} of {effort.rounds} done", flush=True)

    async def _drive(self, name: str, shape: str, connections: int, effort: Effort) -> Load:
        return await drive(
            self._servers[name].url,
            self._requests[name, shape],
            connections=connections,
            warm=effort.warm,
            seconds=effort.seconds,
        )

    async def _measure(self, name: str, shape: str, connections: int, effort: Effort) -> None:
        cell = self.cells.setdefault((name, shape, connections), Cell(name, shape, connections))
        server = self._servers[name]
        before, database = server.usage().cpu_seconds, self._place.cpu_seconds()
        load = await self._drive(name, shape, connections, effort)
        # The processor time is that of the whole run, in which this many answers came.
        answers = max(1.0, load.rate * (effort.warm + effort.seconds))
        cell.loads.append(load)
        cell.server_cpu.append((server.usage().cpu_seconds - before) / answers * 1e6)
        cell.database_cpu.append((self._place.cpu_seconds() - database) / answers * 1e6)

    def cell(self, name: str, shape: str, connections: int) -> Cell:
        """What was measured there."""
        return self.cells[name, shape, connections]


def _requests(name: str, server: Process, shape: Shape, world: World) -> Sequence[bytes]:
    host = server.url.removeprefix("http://")
    path = f"/{shape.name}" if name == FLOOR else "/graphql"
    return [
        request_bytes(host, path, shape.body(question), token(question.person))
        for question in shape.questions(world)
    ]
