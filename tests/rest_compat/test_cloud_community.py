"""Community patterns through the Cloud API."""

from __future__ import annotations

from typing import Any

from tests.support.mcp_client import McpClient


async def test_patterns_show_once_three_independent_people_share_them(server: Any) -> None:
    pattern = {
        "type": "error_fix",
        "category": "Database",
        "platform": "postgres",
        "approach": "Take the locks in id order",
        "tags": ["locks"],
        "effectiveness": 0.9,
    }
    body = {"contributorHash": "whatever", "patterns": [pattern]}
    people = [await McpClient.register(server.client) for _ in range(3)]
    done = [await p.call("POST", "/api/federation/contribute", body) for p in people[:2]]
    assert [(d["accepted"], d["merged"]) for d in done] == [(1, 0)] * 2, "no word of others"
    for _ in range(5):
        await people[0].call("POST", "/api/federation/contribute", {**body, "contributorHash": "x"})
    assert (await server.client.get("/api/federation/patterns")).json()["total"] == 0
    pattern["approach"] = "take the LOCKS, in  id order!"
    await people[2].call("POST", "/api/federation/contribute", body)
    shown = (await server.client.get("/api/federation/patterns?tags=locks,other")).json()
    assert set(shown) == {"patterns", "total", "offset", "limit"}
    assert shown["patterns"][0]["contributorCount"] == 3
    assert shown["patterns"][0]["approach"] == "take the locks in id order"
    found = await server.client.get("/api/federation/patterns/search", params={"q": "lock"})
    assert found.json()["total"] == 1
    assert (await server.client.get("/api/federation/patterns/search?q=x")).status_code == 400
    stats = (await server.client.get("/api/federation/stats")).json()
    assert (stats["totalPatterns"], stats["totalContributors"]) == (1, 3)
    assert stats["topCategories"] == [{"category": "Database", "count": 1}]


async def test_team_mates_count_as_one_contributor(server: Any) -> None:
    people = [await McpClient.register(server.client) for _ in range(4)]
    team = await people[0].team()
    for other in people[1:3]:
        await people[0].invite(team, other)
    pattern = {"type": "solution", "category": "ci", "approach": "Cache the lock file only"}
    body = {"contributorHash": "h", "patterns": [pattern]}
    for person in people:
        await person.call("POST", "/api/federation/contribute", body)
    assert (await server.client.get("/api/federation/patterns")).json()["total"] == 0


async def test_patterns_with_private_things_are_refused_with_the_reason(ada: McpClient) -> None:
    texts = [
        "Mail admin@corp.example about it",
        "See https://corp.example/wiki for more",
        "Edit /home/ada/work/secret.py by hand",
        "Set password = hunter2hunter2 in there",
    ]
    patterns = [{"type": "solution", "category": "x", "approach": text} for text in texts]
    body = {"contributorHash": "h", "patterns": patterns}
    done = await ada.call("POST", "/api/federation/contribute", body)
    assert (done["accepted"], done["rejected"]) == (0, 4)
    assert [e["index"] for e in done["errors"]] == [0, 1, 2, 3]


async def test_contributing_needs_an_account(server: Any) -> None:
    pattern = {"type": "solution", "category": "x", "approach": "Write it down first"}
    body = {"contributorHash": "h", "patterns": [pattern]}
    answer = await server.client.post("/api/federation/contribute", json=body)
    assert answer.status_code == 401
