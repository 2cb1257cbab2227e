"""Push and pull of the Cloud API, as the MCP client speaks it."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.mcp_client import McpClient, entry


async def test_a_repeated_push_is_skipped_and_a_newer_one_taken_over(ada: McpClient) -> None:
    first = await ada.push([entry("a"), entry("b")])
    assert first == {"accepted": 2, "skipped": 0, "errors": []}
    newer = entry("a", timestamp=1_790_000_000_001, details="better", tags=["new"])
    assert await ada.push([newer, entry("b"), entry("b")]) == {
        "accepted": 0,
        "skipped": 3,
        "errors": [],
    }
    entries = {e["summary"]: e for e in (await ada.call("GET", "/api/knowledge"))["entries"]}
    assert (entries["a"]["details"], entries["a"]["tags"]) == ("better", ["new"])
    assert entries["b"]["details"] == "Because it keeps its promises"


async def test_a_push_with_one_bad_entry_stores_nothing(ada: McpClient) -> None:
    entries = [entry(f"e{i}") for i in range(5)]
    entries[3]["summary"] = "x" * 5_001
    answer = await ada.call("POST", "/api/sync/push/knowledge", {"entries": entries}, expect=400)
    assert answer["error"] == "Validation failed"
    assert answer["details"] == [
        {"path": ["entries", 3, "summary"], "message": "must be at most 5000 characters"}
    ]
    assert (await ada.call("GET", "/api/knowledge"))["total"] == 0


async def test_since_is_read_in_all_its_forms(ada: McpClient) -> None:
    await ada.push([entry(f"e{i}") for i in range(3)])
    far, near = "2020-01-01", "2100-01-01"
    for since in (None, 0, 1_577_836_800_000, far, f"{far}T00:00:00", f"{far}T00:00:00Z"):
        assert len((await ada.pull(since))["entries"]) == 3
    assert len((await ada.pull(f"{far}T00:00:00+02:00"))["entries"]) == 3
    unescaped = await ada.http.get(
        f"/api/sync/pull/knowledge?since={far}T00:00:00+02:00", headers=ada.headers
    )
    assert len(unescaped.json()["entries"]) == 3
    for since in (4_102_444_800_000, f"{near}T00:00:00.000Z"):
        assert (await ada.pull(since))["entries"] == []
    for bad in ("yesterday", "-1", "1e3", "A", "AQ=", "2026-13-01", "9" * 30, "NaN"):
        answer = await ada.call("GET", "/api/sync/pull/knowledge", since=bad, expect=400)
        assert answer["details"][0]["path"] == ["since"]


async def test_a_cursor_pages_through_everything_once_and_sees_deletions(ada: McpClient) -> None:
    await ada.push([entry(f"e{i}") for i in range(25)])
    seen: list[str] = []
    cursor: Any = None
    while True:
        page = await ada.pull(cursor, limit=7)
        seen += [e["summary"] for e in page["entries"]]
        cursor = page["cursor"]
        if not page["hasMore"]:
            break
    assert seen == [f"e{i}" for i in range(25)]
    assert (await ada.pull(cursor))["entries"] == []
    gone = (await ada.call("GET", "/api/knowledge", limit=1))["entries"][0]["id"]
    await ada.call("DELETE", f"/api/knowledge/{gone}")
    assert (await ada.pull(cursor))["entries"] == [{"id": gone, "deleted": True}]
    assert all("deleted" not in e for e in (await ada.pull(0))["entries"])


async def test_a_cursor_without_the_team_does_not_hide_the_team_later(
    ada: McpClient, bob: McpClient
) -> None:
    team = await ada.team()
    await ada.invite(team, bob)
    await ada.push([entry("from ada")], team)
    await bob.push([entry("from bob")], team)
    alone = await bob.pull(0)
    assert [e["summary"] for e in alone["entries"]] == ["from bob"]
    together = await bob.pull(alone["cursor"], team)
    assert {e["summary"] for e in together["entries"]} == {"from ada", "from bob"}


async def test_cursor_readers_lose_and_repeat_nothing_beside_writers(
    ada: McpClient, bob: McpClient
) -> None:
    team = await ada.team()
    await ada.invite(team, bob)
    writing = True

    async def write(number: int) -> None:
        for i in range(12):
            await ada.push([entry(f"{number}-{i}-{k}") for k in range(3)], team)

    async def read() -> list[str]:
        seen, cursor, done = [], 0, False
        while not done:
            done = not writing
            page = await bob.pull(cursor, team, limit=10)
            seen += [e["id"] for e in page["entries"]]
            cursor = page["cursor"]
            done = done and not page["hasMore"]
        return seen

    reader = asyncio.create_task(read())
    await asyncio.gather(*(write(i) for i in range(8)))
    writing = False
    seen = await reader
    assert len(seen) == len(set(seen)) == 8 * 12 * 3
