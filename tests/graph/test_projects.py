"""The same repository on two machines is one project; without one everything stays as it was."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from tests.graph.client import Caller, newcomer
from tests.support.registry import conversation
from tests.support.server import RunningServer

SESSIONS = """query ($project: String) { viewer { sessions(project: $project) {
  nodes { sessionId project gitRemote projectName } } } }"""
USAGE = "{ viewer { tokenUsage(by: PROJECT) { name tokens { output } } } }"


def answered(session: str, cwd: str, output: int) -> bytes:
    """A transcript with one answer."""
    message = {"id": f"m-{session}", "model": "opus", "usage": {"output_tokens": output}}
    record = {
        "type": "assistant",
        "requestId": session,
        "timestamp": "2026-05-01T00:00:00Z",
        "cwd": cwd,
        "message": {**message, "role": "assistant", "content": [{"type": "text", "text": "oak"}]},
    }
    return json.dumps(record).encode() + b"\n"


async def backed_up(owner: Caller, session: str, cwd: str, **said: str) -> httpx.Response:
    headers = {**owner.headers, **{f"X-{name.replace('_', '-')}": v for name, v in said.items()}}
    size = len(session) * 10
    return await owner.server.client.put(
        conversation(session), headers=headers, content=answered(session, cwd, size)
    )


async def read(owner: Caller, session: str) -> None:
    """Wait until a session is read."""
    query = "query ($id: String!) { session(sessionId: $id) { reading { lines } } }"
    for _ in range(400):
        if (await owner.ask(query, id=session))["session"]["reading"]["lines"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it was never read")


async def listed(owner: Caller, project: str | None = None) -> dict[str, dict[str, Any]]:
    page = (await owner.ask(SESSIONS, project=project))["viewer"]["sessions"]["nodes"]
    return {node["sessionId"]: node for node in page}


async def test_the_same_repository_on_two_machines_is_one_project(server: RunningServer) -> None:
    owner = await newcomer(server)
    here, there = "/home/al/app", "/Users/al/code/app"
    remotes = ("git@github.com:Al/App.git", "https://al:secret@github.com/al/app")
    await backed_up(owner, "one", here, Git_Remote=remotes[0], Project_Name="-home-al-app")
    await backed_up(owner, "three", there, Git_Remote=remotes[1], Project_Name="-Users-al-code-app")
    await backed_up(owner, "other", "/home/al/else", Git_Remote="/srv/git/else.git")
    found = await listed(owner)
    assert {name: node["project"] for name, node in found.items()} == {
        "one": "github.com/al/app",
        "three": "github.com/al/app",
        "other": "/home/al/else",
    }
    for project in ("github.com/al/app", "app"):
        assert set(await listed(owner, project)) == {"one", "three"}
    assert set(await listed(owner, "/home/al/app")) == {"one"}
    assert set(await listed(owner, "/home/al/else")) == {"other"}

    asked = "https://github.com/AL/app.git"
    answer = await server.client.get(
        "/api/manifest", params={"git_remote": asked}, headers=owner.headers
    )
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert {line["session_id"] for line in lines} == {"one", "three"}
    assert {line["git_remote"] for line in lines} == {"github.com/al/app"}
    for name in ("one", "three", "other"):
        await read(owner, name)
    usage = (await owner.ask(USAGE))["viewer"]["tokenUsage"]
    assert {group["name"]: int(group["tokens"]["output"]) for group in usage} == {
        "github.com/al/app": 80,
        "/home/al/else": 50,
    }
    search = """{ searchConversations(query: "oak", filter: {project: "github.com/al/app"}) {
      nodes { session { sessionId } } } }"""
    hits = (await owner.ask(search))["searchConversations"]["nodes"]
    assert {hit["session"]["sessionId"] for hit in hits} == {"one", "three"}


async def test_a_client_that_says_nothing_of_a_repository_takes_none_away(
    server: RunningServer,
) -> None:
    owner = await newcomer(server)
    await backed_up(owner, "one", "/a", Git_Remote="https://git.example.org/al/app")
    await backed_up(owner, "one", "/a")
    await backed_up(owner, "one", "/a", Git_Remote="/srv/elsewhere")
    assert (await listed(owner))["one"]["gitRemote"] == "git.example.org/al/app"
    told = {"sessions": [{"session_id": "one", "git_remote": "git@git.example.org:al/new"}]}
    await server.client.post("/api/sessions/sync", json=told, headers=owner.headers)
    assert (await listed(owner))["one"]["gitRemote"] == "git.example.org/al/new"


async def test_a_remote_that_cannot_be_kept_is_refused_by_its_name(server: RunningServer) -> None:
    owner = await newcomer(server)
    answer = await backed_up(owner, "one", "/a", Git_Remote="https://h/" + "a" * 3_000)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["path"] == ["git_remote"]
    asked = await server.client.get("/api/manifest?git_remote=/srv/x", headers=owner.headers)
    assert asked.status_code == 400
    assert asked.json()["details"][0]["path"] == ["git_remote"]
