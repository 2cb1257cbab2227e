"""A client that speaks as the published MCP client does: bearer key, camelCase, epoch ms."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx


class McpClient:
    """One account on one machine. Answers are parsed JSON; a wrong status fails the test."""

    def __init__(self, http: httpx.AsyncClient, key: str, user: dict[str, Any], token: str) -> None:
        self.http, self.key, self.user, self.token = http, key, user, token

    @classmethod
    async def register(cls, http: httpx.AsyncClient, email: str | None = None) -> McpClient:
        """Open a fresh account."""
        email = email or f"{uuid4().hex[:12]}@example.com"
        body = {"email": email, "password": "correct horse"}
        answer = await http.post("/api/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        content = answer.json()
        return cls(http, content["apiKey"], content["user"], content["token"])

    @property
    def id(self) -> str:
        return str(self.user["id"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}

    async def call(
        self, method: str, path: str, body: Any = None, *, expect: int = 200, **query: Any
    ) -> Any:
        """One request; its JSON when the status is `expect`."""
        answer = await self.http.request(
            method,
            path,
            headers=self.headers,
            json=body,
            params={name: value for name, value in query.items() if value is not None},
        )
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def team(self, name: str = "Team") -> str:
        """Found a team; its id."""
        return str((await self.call("POST", "/api/teams", {"name": name}, expect=201))["id"])

    async def invite(self, team_id: str, other: McpClient) -> None:
        """Let another account into a team."""
        body = {"email": other.user["email"]}
        await self.call("POST", f"/api/teams/{team_id}/invite", body, expect=201)

    async def push(self, entries: list[dict[str, Any]], team_id: str | None = None) -> Any:
        """Bulk-push knowledge."""
        body = {"entries": entries, **({"teamId": team_id} if team_id else {})}
        return await self.call("POST", "/api/sync/push/knowledge", body)

    async def pull(self, since: Any = None, team_id: str | None = None, **more: Any) -> Any:
        """Pull knowledge."""
        return await self.call(
            "GET", "/api/sync/pull/knowledge", since=since, teamId=team_id, **more
        )


def entry(summary: str = "We use PostgreSQL", **fields: Any) -> dict[str, Any]:
    """An entry as the client sends it."""
    return {
        "type": "decision",
        "timestamp": 1_790_000_000_000,
        "summary": summary,
        "project": "api",
        "sessionId": "s-1",
        "details": "Because it keeps its promises",
        "tags": ["database"],
        "relatedFiles": ["db/engine.py"],
        **fields,
    }
