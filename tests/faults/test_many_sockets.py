"""Thousands of dashboards on one team: fast for those who read, harmless from those who do not."""

from __future__ import annotations

import asyncio
import json
import os
import time
from statistics import median

import httpx
import pytest

from domain import cursor
from domain.cursor import Position
from graph.schema import ids
from settings import Settings
from tests.conftest import ServeProcess
from tests.graph.client import Caller, newcomer
from tests.support.crowd import Crowd
from tests.support.dial import PROVING, dial
from tests.support.process import ServerProcess
from tests.support.server import RunningServer

TOO_SLOW = 4413
MEBIBYTE = 1024 * 1024
DETAILS = 100_000
"""Characters that are pushed in all; a deaf socket is sent eight times as many, more than the
system takes on its own."""

DASHBOARD = """
subscription Dashboard($team: ID!, $after: Cursor) { teamFeed(teamId: $team, after: $after) {
  __typename cursor at actor { username email }
  ... on KnowledgeCreated { entry {
    id summary type tags author { username } team { id name }
  } }
  ... on KnowledgeDeleted { entryId }
  ... on MembershipEvent { member { username } }
  ... on MemberJoined { role }
} }
"""
DEAF = """
subscription Deaf($team: ID!, $after: Cursor) { teamFeed(teamId: $team, after: $after) {
  ... on KnowledgeCreated { entry {
    summary a: details b: details c: details d: details e: details f: details g: details h: details
  } }
} }
"""


async def _team(server: RunningServer, size: int) -> tuple[str, list[Caller]]:
    people = [await newcomer(server) for _ in range(size)]
    team_id = await people[0].found_team()
    for person in people[1:]:
        invitation = {"teamId": team_id, "email": person.email}
        await people[0].do("inviteToTeam", invitation, "memberId")
    return team_id, people


async def _deliveries(
    crowd: Crowd, writer: Caller, team_id: str, pushes: int, readers: int
) -> list[list[float]]:
    """Of each push, how many seconds after its request each reader had it."""
    began: list[float] = []
    for number in range(1, pushes + 1):
        details = "x" * (DETAILS // pushes)
        began.append(time.monotonic())
        await writer.write(f"push {number}!", team_id, details=details, tags=["a", "b"])
        await asyncio.sleep(0.3)
    deadline = time.monotonic() + 30
    while True:
        report = await crowd.report()
        arrivals = report["arrivals"]
        if all(len(arrivals.get(str(n), ())) == readers for n in range(1, pushes + 1)):
            break
        assert time.monotonic() < deadline, report["closed"]
        await asyncio.sleep(0.2)
    assert (report["twice"], report["closed"]) == (0, {})
    return [[at - start for at in arrivals[str(n)]] for n, start in enumerate(began, 1)]


def beginning(team_id: str) -> str:
    """The cursor before everything that happened in a team."""
    return cursor.encode({ids.decode("Team", team_id): Position(0)})


def _figures(deliveries: list[list[float]]) -> dict[str, object]:
    lasts = sorted(times[-1] for times in deliveries)
    each = [{"first": times[0], "median": median(times), "last": times[-1]} for times in deliveries]
    rounded = [{name: round(at * 1000, 1) for name, at in push.items()} for push in each]
    p99 = lasts[min(len(lasts) - 1, int(len(lasts) * 0.99))]
    return {"milliseconds": rounded, "p99_last_ms": round(p99 * 1000, 1)}


def _memory(process: ServerProcess) -> float:
    return process.resident_bytes() / MEBIBYTE


async def test_a_push_reaches_everybody_at_once_and_who_never_reads_is_sent_away(
    serve_process: ServeProcess, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    readers, silent, pushes = dial(200, 2000), dial(5, 50), dial(5, 40)
    process = serve_process()
    async with httpx.AsyncClient(base_url=process.url, timeout=60) as client:
        server = RunningServer(process.url, settings, client)
        team_id, people = await _team(server, dial(4, 20))
        await people[0].write("push 0!", team_id)
        variables = {"team": team_id, "after": beginning(team_id)}
        alone = _memory(process)
        payloads = [{"authorization": f"Bearer {person.token}"} for person in people]
        everybody = [payloads[i % len(payloads)] for i in range(readers)]
        crowd = await Crowd.start(
            process.url, readers=everybody, silent=[], document=DASHBOARD, **variables
        )
        idle = (_memory(process) - alone) * 1024 / readers
        deaf = await Crowd.start(
            process.url,
            readers=[],
            silent=payloads[:1] * silent,
            document=DEAF,
            **variables,
        )
        try:
            before = _memory(process)
            deliveries = await _deliveries(crowd, people[0], team_id, pushes, readers)
            await asyncio.sleep(7)
            after = _memory(process)
            codes = await deaf.end_of_silence()
        finally:
            await crowd.end()
            await deaf.end()
    figures = _figures(deliveries) | {
        "sockets": readers,
        "idle_kib_per_socket": round(idle, 1),
        "rss_mib": {"alone": round(alone), "before": round(before), "after": round(after)},
        "silent": codes,
    }
    if PROVING or os.environ.get("TEAMLORE_FIGURES"):
        with capsys.disabled():
            print(json.dumps(figures))  # noqa: T201 - what a proof has found
    assert codes == {str(TOO_SLOW): silent}
    assert after - before < 50
    assert float(str(figures["p99_last_ms"])) < 1000
