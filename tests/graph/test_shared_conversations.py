"""Conversations shared with teams: what was said, masked, to members, while the owner shows it."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from tests.graph.client import Caller, newcomer, team_of_two
from tests.graph.test_sessions import back_up, one
from tests.graph.test_shared_sessions import NODE, Scene, share
from tests.support import secrets
from tests.support.dial import dial
from tests.support.server import RunningServer

SAID = """query ($id: ID!, $after: Cursor) { node(id: $id) { ... on SharedSession {
  messages(first: 100, after: $after) { totalCount pageInfo { hasNextPage endCursor }
    nodes { line role timestamp model text tools } } } } }"""
PREVIEW = """query ($id: ID!) { redactionPreview(sessionId: $id) {
  messages complete counts { kind count } findings { line kinds excerpt } } }"""
FOLDER = "/home/ada/work/tea"


def said(text: str, role: str = "user", cwd: str = FOLDER, **more: Any) -> bytes:
    message = {"role": role, "content": text, **more.pop("message", {})}
    record = {
        "type": role,
        "cwd": cwd,
        "timestamp": "2026-01-02T10:00:00Z",
        "message": message,
        **more,
    }
    return json.dumps(record).encode() + b"\n"


@pytest.fixture
async def scene(server: RunningServer) -> Scene:
    """Somebody with a session, a team-mate who owns their team, the team, the session."""
    mate, owner, team_id = await team_of_two(server)
    await back_up(owner, "s", said("Boil water"))
    await read(owner, len(said("Boil water")))
    return owner, mate, team_id, await one(owner, "s")


async def read(owner: Caller, size: int) -> None:
    """Wait until the server has read a conversation's first bytes."""
    query = 'query { session(sessionId: "s") { reading { size } } }'
    for _ in range(300):
        if int((await owner.ask(query))["session"]["reading"]["size"]) >= size:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the conversation was not read")


async def shown(scene: Scene, data: bytes) -> list[dict[str, Any]]:
    """What the team-mate reads of a conversation that is shared."""
    owner, mate, team_id, session_id = scene
    await back_up(owner, "s", data)
    await read(owner, len(data))
    shared = await share(owner, session_id, team_id, show=["TITLE", "CONVERSATION"])
    return await everything(mate, shared["id"])


async def everything(caller: Caller, share_id: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await caller.ask(SAID, id=share_id, after=after))["node"]["messages"]
        nodes += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(nodes)
            return nodes
        after = page["pageInfo"]["endCursor"]


async def test_a_team_reads_what_was_said_without_tools_thoughts_and_places(scene: Scene) -> None:
    calls = [
        {"type": "thinking", "thinking": "hidden-thought"},
        {"type": "text", "text": f"Look at {FOLDER}/src/a.py and /home/ada/.ssh/config"},
        {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "hidden-command"}},
    ]
    result = [{"type": "tool_result", "tool_use_id": "t", "content": "hidden-result"}]
    nodes = await shown(
        scene,
        said("Ask ada@example.org at 192.168.0.17 or C:\\\\Users\\\\ada\\\\x, -home-ada-work-tea")
        + said("", "assistant", message={"content": calls, "model": "m"})
        + said("", message={"content": result})
        + said("hidden-agent", isSidechain=True)
        + b'{"type":"summary","summary":"hidden-summary"}\n',
    )
    assert [(n["line"], n["role"], n["model"], n["tools"]) for n in nodes] == [
        (1, "user", None, []),
        (2, "assistant", "m", ["Bash"]),
    ]
    assert nodes[0]["text"].startswith(
        "Ask [redacted:email-address] at [redacted:private-address] or ~"
    )
    assert nodes[1]["text"] == "Look at ./src/a.py and ~/.ssh/config"
    assert {n["timestamp"] for n in nodes} == {None}
    assert "hidden" not in str(nodes)
    assert "ada" not in str(nodes)


async def test_nothing_is_read_unless_the_owner_shows_the_conversation(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    shared = await share(owner, session_id, team_id)
    assert await everything(mate, shared["id"]) == []
    await share(owner, session_id, team_id, show=["CONVERSATION"])
    assert [n["text"] for n in await everything(mate, shared["id"])] == ["Boil water"]
    outsider = await newcomer(owner.server)
    assert (await outsider.ask(SAID, id=shared["id"]))["node"] is None
    assert (await outsider.ask(NODE, id=shared["id"]))["node"] is None
    await share(owner, session_id, team_id, show=["TITLE"])
    assert await everything(mate, shared["id"]) == []
    await share(owner, session_id, team_id, show=["CONVERSATION"])
    await owner.do("unshareSession", {"id": shared["id"]}, "unsharedId")
    assert (await mate.ask(SAID, id=shared["id"]))["node"] is None


async def test_what_is_said_later_waits_until_it_is_shared_again(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    shared = await share(owner, session_id, team_id, show=["CONVERSATION"])
    later = said("Boil water") + said("canary", timestamp="2099-01-01T00:00:00Z")
    await back_up(owner, "s", later)
    await read(owner, len(later))
    assert "canary" not in str(await everything(mate, shared["id"]))


@pytest.mark.parametrize("seed", range(dial(1, 20)))
async def test_99_of_100_planted_secrets_are_masked_in_what_a_team_reads(
    scene: Scene, seed: int
) -> None:
    texts = secrets.planted(Random(seed), 200)
    assert len({kind for kind, _text, _secret in texts}) >= 40
    nodes = await shown(scene, b"".join(said(text) for _kind, text, _secret in texts))
    assert len(nodes) == 200
    missed = [
        kind for (kind, _t, secret), n in zip(texts, nodes, strict=True) if secret in n["text"]
    ]
    print(f"{200 - len(missed)} of 200 masked, missed: {missed}")  # noqa: T201
    assert len(missed) <= 2, missed


@pytest.mark.parametrize("seed", range(dial(1, 20)))
async def test_at_most_one_of_100_clean_lines_is_touched(scene: Scene, seed: int) -> None:
    lines = secrets.clean(Random(seed), 1_000)
    nodes = await shown(scene, b"".join(said(line) for line in lines))
    touched = [(a, n["text"]) for a, n in zip(lines, nodes, strict=True) if a != n["text"]]
    print(f"{len(touched)} of 1,000 clean lines touched")  # noqa: T201
    assert len(touched) <= 10, touched


async def test_a_title_that_quotes_a_secret_is_masked_too(server: RunningServer) -> None:
    _mate, owner, team_id = await team_of_two(server)
    key = secrets.KINDS["github"](Random(1))[0]
    await back_up(owner, "s", said(f"push /home/ada/x with {key}"))
    shared = await share(owner, await one(owner, "s"), team_id)
    assert shared["title"] == "push ~/x with [redacted:github-token]"


async def test_sessions_that_are_not_shared_are_nowhere_in_what_a_team_reads(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    canary = f"canary{uuid4().hex}"
    await back_up(owner, "private", said(canary))
    await back_up(mate, "theirs", said(canary))
    private = await one(owner, "private")
    shared = await share(owner, session_id, team_id, show=["CONVERSATION"])
    query = """query ($t: ID!) { team(id: $t) { sharedSessions { nodes {
        messages { nodes { text } } } } } }"""
    for text, variables in ((SAID, {"id": shared["id"]}), (query, {"t": team_id})):
        answer = (await mate.post(text, variables)).text
        assert "Boil water" in answer
        assert canary not in answer
    assert await mate.code(PREVIEW, id=private) == "NOT_FOUND"
    assert await mate.code(PREVIEW, id=session_id) == "NOT_FOUND"


async def test_the_owner_sees_before_sharing_what_would_be_masked(scene: Scene) -> None:
    owner, _mate, _team_id, session_id = scene
    key = secrets.KINDS["github"](Random(1))[0]
    data = said("Boil water") + said(f"push with {key}") + said("write to bo@example.org, now")
    await back_up(owner, "s", data)
    await read(owner, len(data))
    preview = (await owner.ask(PREVIEW, id=session_id))["redactionPreview"]
    assert preview == {
        "messages": 3,
        "complete": True,
        "counts": [{"kind": "email-address", "count": 1}, {"kind": "github-token", "count": 1}],
        "findings": [
            {
                "line": 2,
                "kinds": ["github-token"],
                "excerpt": "push with [redacted:github-token]",
            },
            {
                "line": 3,
                "kinds": ["email-address"],
                "excerpt": "write to [redacted:email-address], now",
            },
        ],
    }
