"""What a legacy client pushes over REST is live in the graph: one log under both."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from graph.schema import ids
from tests.graph.client import socket_of, team_of_two
from tests.support.dial import dial
from tests.support.server import RunningServer

FEED = """
subscription ($team: ID!, $after: Cursor) { teamFeed(teamId: $team, after: $after) {
  cursor actor { id } ... on KnowledgeCreated { entry { summary } } } }
"""


async def test_500_entries_pushed_over_rest_are_seen_once_and_in_order_across_a_drop(
    server: RunningServer,
) -> None:
    reader, writer, team_id = await team_of_two(server)
    entries = [
        {"type": "decision", "timestamp": 1_700_000_000_000 + i, "summary": f"Entry {i}"}
        for i in range(500)
    ]
    body = {"entries": entries, "teamId": str(ids.decode("Team", team_id))}
    seen: list[Any] = []
    async with socket_of(reader) as socket:
        await socket.subscribe(FEED, team=team_id)
        await asyncio.sleep(0.1)
        answer = await server.client.post(
            "/api/sync/push/knowledge", json=body, headers={"x-api-key": str(writer.api_key)}
        )
        pushed = time.monotonic()
        assert answer.json()["accepted"] == 500
        while len(seen) < 250:
            seen.append((await socket.next())["teamFeed"])
        socket.raw.transport.abort()
    async with socket_of(reader) as socket:
        await socket.subscribe(FEED, team=team_id, after=seen[-1]["cursor"])
        while len(seen) < 500:
            seen.append((await socket.next())["teamFeed"])
    assert time.monotonic() - pushed < dial(16, 2)
    assert [event["entry"]["summary"] for event in seen] == [f"Entry {i}" for i in range(500)]
    assert {event["actor"]["id"] for event in seen} == {writer.id}
