"""Sessions over the Registry API: listed, told about, changed, deleted, exported."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.support.registry import conversation, register, state
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

FIELDS = {
    "id",
    "session_id",
    "name",
    "project_name",
    "working_directory",
    "conversation_size",
    "conversation_lines",
    "created",
    "updated",
}
S = session_id(1)


@pytest.fixture
async def al(server: RunningServer) -> dict[str, str]:
    return await register(server.client)


async def listed(server: RunningServer, al: dict[str, str], **query: str) -> list[dict[str, Any]]:
    answer = await server.client.get("/api/sessions", headers=al, params=query)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_a_new_account_has_no_sessions(server: RunningServer, al: dict[str, str]) -> None:
    assert await listed(server, al) == []
    exported = await server.client.get("/api/sessions/export/obsidian", headers=al)
    assert exported.json() == []


async def test_a_session_is_registered_once(server: RunningServer, al: dict[str, str]) -> None:
    body = {"session_id": S, "working_directory": "/home/al/app", "project_name": "-home-al-app"}
    first = await server.client.post("/api/sessions", headers=al, json=body)
    before = await state(server.settings)
    again = await server.client.post("/api/sessions", headers=al, json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert set(first.json()) == FIELDS
    assert first.json() == again.json()
    assert await state(server.settings) == before
    assert first.json()["created"].endswith("Z")
    datetime.fromisoformat(first.json()["created"])
    assert await listed(server, al) == [first.json()]


async def test_the_list_filters_by_project(server: RunningServer, al: dict[str, str]) -> None:
    projects = [
        {"session_id": "a", "project_name": "-home-al-app", "working_directory": "/home/al/app"},
        {"session_id": "b", "project_name": "group/tool", "working_directory": "C:\\work\\tool"},
        {"session_id": "c", "working_directory": "/srv/app/"},
        {"session_id": "d"},
    ]
    await server.client.post("/api/sessions/sync", headers=al, json={"sessions": projects})
    expected = {
        "-home-al-app": "a",
        "/home/al/app": "a",
        "app": "ac",
        "tool": "b",
        "group/tool": "b",
        "/srv/app/": "c",
        "al": "",
        "%": "",
        ".*": "",
        "": "abcd",
    }
    for project, ids in expected.items():
        found = [item["session_id"] for item in await listed(server, al, project=project)]
        assert "".join(sorted(found)) == ids, project


async def test_thousands_of_sessions_are_all_listed(
    server: RunningServer, al: dict[str, str]
) -> None:
    sessions = [{"session_id": session_id(number), "name": "n"} for number in range(2345)]
    body = {"sessions": sessions}
    answer = await server.client.post("/api/sessions/sync", headers=al, json=body)
    assert answer.json()["created"] == 2345
    found = [item["session_id"] for item in await listed(server, al)]
    assert len(found) == 2345
    assert set(found) == {item["session_id"] for item in sessions}


@pytest.mark.parametrize("by", ["id", "session_id"])
async def test_a_session_is_changed_and_deleted_by_either_id(
    server: RunningServer, al: dict[str, str], by: str
) -> None:
    body = {"session_id": S, "name": "old", "project_name": "p"}
    session = (await server.client.post("/api/sessions", headers=al, json=body)).json()
    path = f"/api/sessions/{session[by]}"
    changed = await server.client.put(path, headers=al, json={"name": "new"})
    assert changed.status_code == 200
    assert {**changed.json(), "updated": 0} == {**session, "name": "new", "updated": 0}
    assert (await server.client.get(path, headers=al)).json() == changed.json()
    deleted = await server.client.delete(path, headers=al)
    assert (deleted.status_code, deleted.json()) == (200, {"deleted": True})
    for method in ("GET", "DELETE"):
        assert (await server.client.request(method, path, headers=al)).status_code == 404
    assert (await server.client.put(path, headers=al, json={})).status_code == 404
    assert await listed(server, al) == []


async def test_deleting_a_session_deletes_its_conversation_and_what_is_said_of_it(
    server: RunningServer, al: dict[str, str]
) -> None:
    await server.client.put(conversation(S), headers=al, content=transcript(1, 5000))
    await server.client.delete(f"/api/sessions/{S}", headers=al)
    assert (await server.client.get(conversation(S), headers=al)).status_code == 404
    after = await state(server.settings)
    assert after["versions"] == []
    assert len(after["sessions"]) == 1  # the tombstone
    again = await server.client.put(conversation(S), headers=al, content=b"new\n")
    assert again.status_code == 201
    assert again.json()["working_directory"] is None


async def test_what_headers_say_is_kept_and_the_transcript_knows_better(
    server: RunningServer, al: dict[str, str]
) -> None:
    headers = {**al, "X-Working-Directory": "-home-al-проект", "X-Project-Name": "-home-al-проект"}
    told = {name.encode(): value.encode() for name, value in headers.items()}
    silent = await server.client.put(conversation("a"), headers=told, content=b"no JSON\n")
    assert silent.json()["project_name"] == "-home-al-проект"
    assert silent.json()["working_directory"] == "-home-al-проект"
    lines = transcript(1, 5000, "/home/al/проект")
    truth = await server.client.put(conversation("b"), headers=told, content=lines)
    assert truth.json()["working_directory"] == "/home/al/проект"
    assert truth.json()["conversation_lines"] == lines.count(b"\n")
    assert truth.json()["conversation_size"] == len(lines)


async def test_unchanged_bytes_with_other_headers_change_the_headers_only(
    server: RunningServer, al: dict[str, str]
) -> None:
    await server.client.put(conversation(S), headers=al, content=b"x\n")
    before = await state(server.settings)
    told = {**al, "X-Project-Name": "p"}
    answer = await server.client.put(conversation(S), headers=told, content=b"x\n")
    assert answer.json()["project_name"] == "p"
    after = await state(server.settings)
    assert (after["versions"], after["blocks"]) == (before["versions"], before["blocks"])
    await server.client.put(conversation(S), headers=al, content=b"x\n")
    assert await state(server.settings) == after


async def test_nobody_sees_the_sessions_of_others(
    server: RunningServer, al: dict[str, str]
) -> None:
    bob = await register(server.client, "bob")
    mine = await server.client.put(conversation(S), headers=al, content=b"mine\n")
    paths = [conversation(S), f"/api/sessions/{S}", f"/api/sessions/{mine.json()['id']}"]
    for path in (*paths, f"/api/sessions/export/obsidian?session_id={S}"):
        assert (await server.client.get(path, headers=bob)).status_code == 404, path
    assert (await server.client.delete(paths[2], headers=bob)).status_code == 404
    assert (await server.client.put(paths[2], headers=bob, json={})).status_code == 404
    assert await listed(server, bob) == []
    his = await server.client.put(conversation(S), headers=bob, content=b"his\n")
    assert his.status_code == 201
    assert (await server.client.get(conversation(S), headers=al)).content == b"mine\n"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ["session_id"]),
        ({"session_id": "a/b"}, ["session_id"]),
        ({"session_id": ".."}, ["session_id"]),
        ({"session_id": 5}, ["session_id"]),
        ({"session_id": "a", "name": "\x00"}, ["name"]),
        ({"session_id": "a", "name": "x" * 1025}, ["name"]),
        ({"session_id": "a", "working_directory": ["/"]}, ["working_directory"]),
        ([], []),
    ],
)
async def test_a_bad_session_is_refused_by_field(
    server: RunningServer, al: dict[str, str], body: Any, path: list[str]
) -> None:
    answer = await server.client.post("/api/sessions", headers=al, json=body)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["path"] == path


async def test_one_bad_session_does_not_stop_a_sync(
    server: RunningServer, al: dict[str, str]
) -> None:
    body = {"sessions": [{"session_id": "good"}, {"session_id": "b a d"}, 7, {"session_id": "ok"}]}
    answer = await server.client.post("/api/sessions/sync", headers=al, json=body)
    assert answer.status_code == 200
    assert answer.json()["synced"] == 2
    assert [failure["session_id"] for failure in answer.json()["failed"]] == ["b a d", ""]
    bodies: list[Any] = [{}, [], {"sessions": {}}, None]
    for bad in bodies:
        answer = await server.client.post("/api/sessions/sync", headers=al, json=bad)
        assert answer.status_code == 400, bad
