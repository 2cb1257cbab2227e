"""What there is to be asked for: a team with a member of each role, and something of everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import asyncpg

from db.dsn import to_libpq_dsn
from tests.graph.client import Caller, newcomer
from tests.graph.test_conversations import upload
from tests.support.library import answered, said, transcript
from tests.support.server import RunningServer

SESSION = "s-1"
SUBAGENT = "subagents/agent-a1.jsonl"
_KEY = """mutation ($scopes: [ApiKeyScope!]) { createApiKey(input: {label: "", scopes: $scopes}) {
    ... on CreateApiKeyPayload { secret apiKey { id } } } }"""
_TOKENS = (10, 20, 5, 2, 30)


@dataclass
class Estate:
    """The ids of one thing of each kind, and who is who."""

    people: dict[str, Caller]
    keys: dict[str, str]
    """Secrets of the owner's keys."""
    team: str
    entry: str = ""
    session: str = ""
    key: str = ""
    pattern: str = ""

    @property
    def ids(self) -> dict[str, str]:
        """The ids, as queries name them."""
        named = ("team", "entry", "session", "key", "pattern")
        return {name: getattr(self, name) for name in named} | {"user": self.people["member"].id}


async def build(server: RunningServer) -> Estate:
    """Everything there is."""
    owner = await newcomer(server)
    estate = Estate({"owner": owner, "stranger": await newcomer(server)}, {}, "")
    estate.team = await owner.found_team()
    for role in ("admin", "member", "viewer"):
        estate.people[role] = await newcomer(server)
        await _invite(estate, estate.people[role].email, role.upper())
    for name in ("one", "another"):
        await _invite(estate, f"{name}@example.org", "MEMBER")
    await _entries(estate)
    await _keys(estate)
    await _sessions(estate)
    await _patterns(estate)
    return estate


async def _invite(estate: Estate, email: str, role: str) -> None:
    invited = {"teamId": estate.team, "email": email, "role": role}
    await estate.people["owner"].do("inviteToTeam", invited, "memberId")


async def _entries(estate: Estate) -> None:
    owner, team = estate.people["owner"], estate.team
    for number in range(6):
        shown: dict[str, Any] = {
            "tags": ["a", "b"][: number % 3],
            "project": "api" if number % 2 else None,
        }
        await owner.write(f"How to do {number}", sessionId=SESSION, **shown)
        more = {"sessionId": SESSION, "details": "é\n"}
        estate.entry = await owner.write(f"Shared {number}", team, **more)
        for role in ("admin", "member"):
            await estate.people[role].write(f"{role} {number}", team, timestamp=number, **shown)
    await owner.do("starKnowledge", {"id": estate.entry}, "entry { id }")
    await owner.do("pinKnowledge", {"id": estate.entry}, "entry { id }")


async def _keys(estate: Estate) -> None:
    owner = estate.people["owner"]
    for name, scopes in (("reading key", ["READ"]), ("managing key", ["ADMIN", "READ"])):
        made = (await owner.ask(_KEY, scopes=scopes))["createApiKey"]
        estate.keys[name], estate.key = made["secret"], made["apiKey"]["id"]


async def _sessions(estate: Estate) -> None:
    owner = estate.people["owner"]
    listed = {
        "sessions": [
            {"session_id": f"s-{n}", "project_name": "api", "working_directory": f"/home/x/api{n}"}
            for n in range(4)
        ]
    }
    kept = await owner.server.client.post("/api/sessions/sync", json=listed, headers=owner.headers)
    assert kept.status_code == 200, kept.text
    await _back_up(owner, "/conversation/machined", transcript(*_talk(2)), owner.api_key)
    await _back_up(owner, f"/{SESSION}/files/{SUBAGENT}", transcript(*_talk(3)))
    estate.session = await upload(owner, SESSION, *_conversation())
    diverged = (said("Something else", "v1"), *_conversation())
    await upload(owner, SESSION, *diverged)
    shared = {"id": estate.session, "teamId": estate.team, "title": "See /home/someone/x"}
    await owner.do("shareSession", {**shared, "note": "n"}, "sharedSession { id }")


async def _back_up(owner: Caller, path: str, content: bytes, key: str | None = None) -> None:
    headers = {"x-api-key": key} if key else owner.headers
    url = f"/api/sessions{path}"
    answer = await owner.server.client.put(url, content=content, headers=headers)
    assert answer.status_code in {200, 201}, answer.text


def _talk(count: int) -> Iterable[dict[str, Any]]:
    return (said(f"Message {n}", f"u{n}") for n in range(count))


def _conversation() -> list[dict[str, Any]]:
    """Prompts, answers that cost tokens, calls of tools, and records without a time."""
    call = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls é"}}
    thinking = {"type": "thinking", "thinking": "Let me see"}
    calling = answered("m1", "r1", _TOKENS, model="claude-sonnet-4-5-20250929", uuid="c1")
    calling["message"]["content"] = [thinking, {"type": "text", "text": "Looking"}, call]
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "a\nb", "is_error": True}
    told = said("", "c2", parentUuid="c1", cwd="/home/x/api1", gitBranch="main", version="2.1")
    told["message"]["content"] = [result]
    return [
        *_talk(5),
        calling,
        told,
        answered("m2", "r2", _TOKENS, model="unheard of", day="2026-05-02", uuid="c3"),
        {"type": "system", "subtype": "compact_boundary", "uuid": "c4"},
        {"type": "summary", "summary": "All about tests"},
        *_talk(20),
    ]


async def _patterns(estate: Estate) -> None:
    """Two that everybody sees, one that nobody does, and a draw of the numbers."""
    owner = estate.people["owner"]
    others = [await newcomer(owner.server) for _ in range(3)]
    for number, caller in enumerate((owner, *others)):
        for approach in ("Wait for the lock to be free", "Retry with a longer pause"):
            offered = _pattern(approach, tags=["locks"], platform="linux", effectiveness=0.5)
            await caller.do("contributePatterns", {"patterns": [offered]}, "results { __typename }")
        alone = _pattern(f"Only number {number} does it like this", category="Odd")
        await caller.do("contributePatterns", {"patterns": [alone]}, "results { __typename }")
    estate.pattern = (await owner.ask("{ patterns { nodes { id } } }"))["patterns"]["nodes"][0][
        "id"
    ]
    connection = await asyncpg.connect(to_libpq_dsn(str(owner.server.settings.database_url)))
    await connection.execute(
        "INSERT INTO privacy_ledger (epoch, epsilon, spent, budget, contributors, margin)"
        " VALUES ('2026-05-04T00:00:00Z', 0.5, 0.5, 10, 7, 4)"
    )
    await connection.close()


def _pattern(approach: str, **more: Any) -> dict[str, Any]:
    return {"type": "ERROR_FIX", "category": "Database", "approach": approach, **more}
