"""Accounts, knowledge and summaries through the Cloud API, as the MCP client speaks it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.mcp_client import McpClient, entry


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


async def test_a_balancer_may_ask_as_often_as_it_likes(serve: Any, settings: Any) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_anonymous_max": 3}))
    for path in ("/health", "/ready"):
        answers = [await server.client.get(path) for _ in range(5)]
        assert [a.status_code for a in answers] == [200] * 5
    asked = [await server.client.get("/api/federation/stats") for _ in range(4)]
    assert [a.status_code for a in asked] == [200, 200, 200, 429]
    assert asked[0].headers["RateLimit-Remaining"] == "2"
    assert int(asked[3].headers["Retry-After"]) >= 1
