"""Teams through the Cloud API: what is shared, and who is turned away."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.support.mcp_client import McpClient, entry


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
