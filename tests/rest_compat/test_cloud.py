"""Every Cloud endpoint, driven as the published MCP client does."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.support.mcp_client import McpClient, entry


@pytest.fixture
async def ada(server: Any) -> McpClient:
    return await McpClient.register(server.client)


@pytest.fixture
async def bob(server: Any) -> McpClient:
    return await McpClient.register(server.client)


async def test_register_answers_user_token_and_key(server: Any) -> None:
    body = {"email": "Ada@Example.com", "password": "correct horse"}
    answer = await server.client.post("/api/auth/register", json=body)
    content = answer.json()
    assert answer.status_code == 201
    assert set(content) == {"user", "token", "apiKey"}
    assert set(content["user"]) == {"id", "email", "tier", "createdAt"}
    assert len(content["apiKey"]) == 64
    assert content["apiKey"] == content["apiKey"].lower()
    again = {"email": "aDA@example.COM", "password": "other password"}
    assert (await server.client.post("/api/auth/register", json=again)).status_code == 409


async def test_log_in_gives_a_token_that_works(ada: McpClient) -> None:
    body = {"email": ada.user["email"].upper(), "password": "correct horse"}
    answer = (await ada.http.post("/api/auth/login", json=body)).json()
    assert set(answer["user"]) == {"id", "email", "tier"}
    bearer = {"Authorization": f"Bearer {answer['token']}"}
    assert (await ada.http.get("/api/auth/me", headers=bearer)).json()["id"] == ada.id


@pytest.mark.parametrize("email", ["known", "nobody@example.com", "not an address"])
async def test_wrong_credentials_are_told_nothing(ada: McpClient, email: str) -> None:
    email = ada.user["email"] if email == "known" else email
    body = {"email": email, "password": "wrong password"}
    answer = await ada.http.post("/api/auth/login", json=body)
    assert (answer.status_code, answer.json()) == (401, {"error": "Invalid credentials"})


async def test_too_many_failed_log_ins_are_refused_for_a_while(ada: McpClient) -> None:
    body = {"email": ada.user["email"], "password": "wrong password"}
    answers = [await ada.http.post("/api/auth/login", json=body) for _ in range(21)]
    assert [a.status_code for a in answers] == [401] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


async def test_another_key_replaces_none(ada: McpClient) -> None:
    bearer = {"Authorization": f"Bearer {ada.token}"}
    second = (await ada.http.post("/api/auth/api-key", headers=bearer)).json()["apiKey"]
    assert second != ada.key
    for key in (ada.key, second):
        answer = await ada.http.get("/api/auth/me", headers={"X-API-Key": key})
        assert answer.json()["id"] == ada.id
        assert answer.json()["apiKey"] is None
        assert answer.json()["apiKeyPrefix"] == key[:8]


async def test_credentials_of_two_people_are_refused(ada: McpClient, bob: McpClient) -> None:
    both = {"X-API-Key": ada.key, "Authorization": f"Bearer {bob.key}"}
    assert (await ada.http.get("/api/auth/me", headers=both)).status_code == 400
    same = {"X-API-Key": ada.key, "Authorization": f"Bearer {ada.token}"}
    assert (await ada.http.get("/api/auth/me", headers=same)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "0" * 64},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Basic YTpi"},
        {"X-API-Key": "short"},
        {"X-API-Key": "ü".encode()},
    ],
)
async def test_no_or_bad_credentials_are_401(server: Any, headers: dict[str, Any]) -> None:
    answer = await server.client.get("/api/knowledge", headers=headers)
    assert answer.status_code == 401
    assert "error" in answer.json()


async def test_an_entry_is_kept_listed_read_changed_and_deleted(ada: McpClient) -> None:
    made = await ada.call("POST", "/api/knowledge", entry(), expect=201)
    path = f"/api/knowledge/{made['id']}"
    row = await ada.call("GET", path)
    assert row["timestamp"] == 1_790_000_000_000
    for snake, camel in (
        ("session_id", "sessionId"),
        ("related_files", "relatedFiles"),
        ("user_id", "userId"),
        ("team_id", "teamId"),
        ("created_at", "createdAt"),
        ("updated_at", "updatedAt"),
    ):
        assert row[snake] == row[camel]
    assert row["relatedFiles"] == ["db/engine.py"]
    assert row["user_id"] == ada.id
    listed = await ada.call("GET", "/api/knowledge")
    assert listed == {"entries": [row], "total": 1}
    assert await ada.call("PATCH", path, {"summary": "Changed", "tags": []}) == {"updated": True}
    changed = await ada.call("GET", path)
    assert (changed["summary"], changed["tags"], changed["details"]) == (
        "Changed",
        [],
        row["details"],
    )
    assert await ada.call("DELETE", path) == {"deleted": True}
    await ada.call("GET", path, expect=404)
    assert (await ada.call("GET", "/api/knowledge"))["total"] == 0


async def test_lists_are_newest_first_filtered_and_paged(ada: McpClient) -> None:
    await ada.push([entry(f"n{i}", timestamp=i, project=f"p{i % 2}") for i in range(30)])
    page = await ada.call("GET", "/api/knowledge", limit=5, offset=2)
    assert [e["summary"] for e in page["entries"]] == ["n27", "n26", "n25", "n24", "n23"]
    assert page["total"] == 30
    assert len((await ada.call("GET", "/api/knowledge"))["entries"]) == 20
    assert (await ada.call("GET", "/api/knowledge", project="p1"))["total"] == 15
    assert (await ada.call("GET", "/api/knowledge", type="other"))["total"] == 0


async def test_search_stems_ranks_and_survives_any_query(ada: McpClient) -> None:
    await ada.push(
        [
            entry("Retry failing migrations", tags=["alembic"], details=None),
            entry("Something else", tags=[], details="We once migrated a cache"),
            entry("Unrelated", tags=[], details=None),
        ]
    )
    found = await ada.call("GET", "/api/knowledge/search", q="migration")
    assert [e["summary"] for e in found["entries"]] == [
        "Retry failing migrations",
        "Something else",
    ]
    assert found["total"] == 2
    assert found["entries"][0]["rank"] > found["entries"][1]["rank"] > 0
    for odd in (
        "'",
        '"',
        "a & | ! b",
        "<->:*",
        "\\",
        "%",
        "-",
        "or",
        "ünï 漢字 🦖",
        "((((",
        "a" * 500,
    ):
        await ada.call("GET", "/api/knowledge/search", q=odd)
    await ada.call("GET", "/api/knowledge/search", q="a" * 501, expect=400)
    await ada.call("GET", "/api/knowledge/search", expect=400)


async def test_a_team_shares_what_is_pushed_to_it_and_nothing_else(
    ada: McpClient, bob: McpClient
) -> None:
    team = await ada.team()
    await ada.invite(team, bob)
    await ada.push([entry("private")])
    await ada.push([entry("shared")], team)
    assert (await bob.call("GET", "/api/knowledge"))["total"] == 0
    seen = await bob.call("GET", "/api/knowledge", teamId=team)
    assert [e["summary"] for e in seen["entries"]] == ["shared"]
    assert seen["entries"][0]["team_id"] == team
    own = await ada.call("GET", "/api/knowledge")
    assert {e["summary"] for e in own["entries"]} == {"private", "shared"}
    shared = f"/api/knowledge/{seen['entries'][0]['id']}"
    await bob.call("GET", shared)
    await bob.call("PATCH", shared, {"summary": "mine now"}, expect=403)
    await bob.call("DELETE", shared, expect=403)


async def test_a_team_is_created_listed_joined_and_left(ada: McpClient, bob: McpClient) -> None:
    made = await ada.call("POST", "/api/teams", {"name": "Core"}, expect=201)
    team = made["id"]
    assert {"id", "name", "created_at"} <= set(made)
    listed = (await ada.call("GET", "/api/teams"))["teams"]
    assert {"id", "name", "owner_id", "created_at", "role"} <= set(listed[0])
    invited = await ada.call(
        "POST", f"/api/teams/{team}/invite", {"email": bob.user["email"]}, expect=201
    )
    assert invited == {"added": True, "userId": bob.id}
    await ada.call("POST", f"/api/teams/{team}/invite", {"email": bob.user["email"]}, expect=409)
    await bob.call("POST", f"/api/teams/{team}/invite", {"email": "x@example.com"}, expect=403)
    members = (await bob.call("GET", f"/api/teams/{team}/members"))["members"]
    assert [(m["id"], m["role"]) for m in members] == [(ada.id, "owner"), (bob.id, "member")]
    await bob.call("DELETE", f"/api/teams/{team}/members/{ada.id}", expect=403)
    await ada.call("DELETE", f"/api/teams/{team}/members/{ada.id}", expect=400)
    assert await bob.call("DELETE", f"/api/teams/{team}/members/{bob.id}") == {"removed": True}
    await bob.call("GET", f"/api/teams/{team}/members", expect=403)
    await ada.call("DELETE", f"/api/teams/{team}/members/{bob.id}", expect=404)


async def test_an_invitation_link_works_once(ada: McpClient, server: Any) -> None:
    team = await ada.team()
    path = f"/api/teams/{team}/invite"
    invited = await ada.call("POST", path, {"email": "new@example.com"}, expect=202)
    assert invited["invited"] is True
    token = invited["inviteUrl"].rpartition("/")[2]
    new = await McpClient.register(server.client, "new@example.com")
    assert (await new.call("GET", "/api/teams"))["teams"] == []
    joined = await new.call("POST", "/api/invitations/accept", {"token": token})
    assert joined["teamId"] == team
    other = await McpClient.register(server.client)
    await other.call("POST", "/api/invitations/accept", {"token": token}, expect=404)


async def test_session_summaries_are_pushed_listed_and_replaced(
    ada: McpClient, bob: McpClient
) -> None:
    body = {"sessionId": "s-1", "project": "api", "summary": {"goal": "ship"}}
    assert await ada.call("POST", "/api/sessions", body, expect=201) == {"sessionId": "s-1"}
    body["summary"] = {"goal": "shipped"}
    await ada.call("POST", "/api/sessions", body, expect=201)
    row = await ada.call("GET", "/api/sessions/s-1")
    assert (row["session_id"], row["summary"]) == (row["sessionId"], {"goal": "shipped"})
    listed = await ada.call("GET", "/api/sessions", project="api")
    assert (listed["total"], listed["summaries"]) == (1, [row])
    pushed = await ada.call(
        "POST",
        "/api/sync/push/sessions",
        {"summaries": [{"sessionId": s, "summary": {}} for s in ("s-1", "s-2", "s-3")]},
    )
    assert pushed == {"accepted": 2, "updated": 1, "errors": []}
    pulled = await ada.call("GET", "/api/sync/pull/sessions", since=0)
    assert {s["sessionId"] for s in pulled["summaries"]} == {"s-1", "s-2", "s-3"}
    await bob.call("GET", "/api/sessions/s-1", expect=404)


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
    assert [(d["accepted"], d["merged"]) for d in done] == [(1, 0), (0, 1)]
    for _ in range(5):
        await people[0].call("POST", "/api/federation/contribute", {**body, "contributorHash": "x"})
    assert (await server.client.get("/api/federation/patterns")).json()["total"] == 0
    pattern["approach"] = "take the LOCKS, in  id order!"
    await people[2].call("POST", "/api/federation/contribute", body)
    shown = (await server.client.get("/api/federation/patterns?tags=locks,other")).json()
    assert set(shown) == {"patterns", "total", "offset", "limit"}
    assert shown["patterns"][0]["contributorCount"] == 3
    assert shown["patterns"][0]["approach"] == "Take the locks in id order"
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


async def test_usage_and_health(ada: McpClient) -> None:
    await ada.push([entry("a"), entry("b")])
    usage = await ada.call("GET", "/api/usage")
    assert usage["knowledgeEntries"] == 2
    assert set(usage) == {
        "knowledgeEntries",
        "sessionSummaries",
        "syncActions",
        "tier",
        "limits",
    }
    health = (await ada.http.get("/health")).json()
    assert (health["status"], health["database"]) == ("ok", "ok")


async def test_outsiders_are_turned_away_from_every_team_read_and_write(
    ada: McpClient, bob: McpClient
) -> None:
    team = await ada.team()
    made = await ada.call("POST", "/api/knowledge", entry("x", teamId=team), expect=201)
    summary = {"sessionId": "s-1", "summary": {"a": 1}, "teamId": team}
    await ada.call("POST", "/api/sessions", summary, expect=201)
    refused = [
        ("GET", "/api/knowledge", None, {"teamId": team}),
        ("GET", "/api/knowledge/search", None, {"teamId": team, "q": "x"}),
        ("POST", "/api/knowledge", entry(teamId=team), {}),
        ("POST", "/api/sessions", summary, {}),
        ("GET", "/api/sessions", None, {"teamId": team}),
        ("POST", "/api/sync/push/knowledge", {"entries": [entry()], "teamId": team}, {}),
        (
            "POST",
            "/api/sync/push/sessions",
            {"summaries": [{"sessionId": "z", "summary": {}}], "teamId": team},
            {},
        ),
        ("GET", "/api/sync/pull/knowledge", None, {"teamId": team}),
        ("GET", "/api/sync/pull/sessions", None, {"teamId": team}),
        ("POST", f"/api/teams/{team}/invite", {"email": "x@example.com"}, {}),
        ("GET", f"/api/teams/{team}/members", None, {}),
        ("DELETE", f"/api/teams/{team}/members/{ada.id}", None, {}),
        ("DELETE", f"/api/teams/{team}/members/{bob.id}", None, {}),
    ]
    hidden = [
        ("GET", f"/api/knowledge/{made['id']}", None),
        ("PATCH", f"/api/knowledge/{made['id']}", {"summary": "y"}),
        ("DELETE", f"/api/knowledge/{made['id']}", None),
        ("GET", "/api/sessions/s-1", None),
    ]

    async def turned_away(who: McpClient) -> None:
        for method, path, body, query in refused:
            await who.call(method, path, body, expect=403, **query)
            absent = {k: str(uuid4()) if k == "teamId" else v for k, v in query.items()}
            if query:
                await who.call(method, path, body, expect=403, **absent)
        for method, path, body in hidden:
            await who.call(method, path, body, expect=404)

    await turned_away(bob)
    await ada.invite(team, bob)
    await bob.call("GET", f"/api/knowledge/{made['id']}")
    await ada.call("DELETE", f"/api/teams/{team}/members/{bob.id}")
    await turned_away(bob)
    assert (await ada.call("GET", "/api/knowledge", teamId=team))["total"] == 1
