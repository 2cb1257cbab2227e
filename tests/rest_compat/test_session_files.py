"""Further files of a session: kept by the same rules as its conversation, under strict names."""

from __future__ import annotations

import asyncio
import hashlib
from urllib.parse import quote

import pytest

from settings import Settings
from tests.conftest import Serve
from tests.support.places import Place
from tests.support.registry import conversation, register, state
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

S = session_id(1)
AGENT = "subagents/agent-a1.jsonl"
RESULT = "tool-results/toolu_01.txt"
DATA = transcript(3, 400_000)


@pytest.fixture
def settings(settings: Settings, blocks: Place) -> Settings:
    return blocks.used_by(settings)


@pytest.fixture
async def al(server: RunningServer) -> dict[str, str]:
    return await register(server.client)


def file(path: str, session: str = S) -> str:
    return f"/api/sessions/{session}/files/{quote(path)}"


@pytest.mark.on_s3
async def test_files_come_back_exactly_and_leave_the_conversation_alone(
    server: RunningServer, al: dict[str, str]
) -> None:
    await server.client.put(conversation(S), headers=al, content=b"{}\n")
    for path, content in ((AGENT, DATA), (RESULT, b"\x00\xff"), ("réponse/ü.bin", b"")):
        first = await server.client.put(file(path), headers=al, content=content)
        again = await server.client.put(file(path), headers=al, content=content)
        assert (first.status_code, again.status_code) == (201, 200)
        answer = await server.client.get(file(path), headers=al)
        assert answer.content == content
        assert answer.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
        head = await server.client.head(file(path), headers=al)
        assert head.headers["upload-offset"] == str(len(content))
    listed = (await server.client.get(f"/api/sessions/{S}/files", headers=al)).json()["files"]
    assert [(item["path"], item["size"]) for item in listed] == [
        ("réponse/ü.bin", 0),
        (AGENT, len(DATA)),
        (RESULT, 2),
    ]
    assert (await server.client.get(conversation(S), headers=al)).content == b"{}\n"
    row = (await server.client.get("/api/sessions", headers=al)).json()[0]
    assert row["conversation_size"] == 3
    by_our_id = await server.client.get(file(AGENT, row["id"]), headers=al)
    assert by_our_id.content == DATA


async def test_a_file_grows_and_its_versions_stay(
    server: RunningServer, al: dict[str, str]
) -> None:
    await server.client.put(file(AGENT), headers=al, content=b"one\n")
    headers = {**al, "Upload-Offset": "4"}
    grown = await server.client.patch(file(AGENT), headers=headers, content=b"two\n")
    assert grown.json()["size"] == 8
    wrong = await server.client.patch(file(AGENT), headers=headers, content=b"two\n")
    assert (wrong.status_code, wrong.headers["upload-offset"]) == (409, "8")
    await server.client.put(file(AGENT), headers=al, content=b"one\nother")
    for number, content in ((1, b"one\ntwo\n"), (2, b"one\nother")):
        answer = await server.client.get(f"{file(AGENT)}?version={number}", headers=al)
        assert answer.content == content


async def test_an_unchanged_file_writes_nothing(server: RunningServer, al: dict[str, str]) -> None:
    await server.client.put(file(AGENT), headers=al, content=DATA)
    before = await state(server.settings)
    await server.client.put(file(AGENT), headers=al, content=DATA)
    assert await state(server.settings) == before


async def test_many_files_of_one_session_at_once(server: RunningServer, al: dict[str, str]) -> None:
    answers = await asyncio.gather(
        *(
            server.client.put(file(f"tool-results/{n}.txt"), headers=al, content=b"%d" % n)
            for n in range(24)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    listed = await server.client.get(f"/api/sessions/{S}/files", headers=al)
    assert len(listed.json()["files"]) == 24


async def test_files_go_with_their_session_and_belong_to_its_owner(
    server: RunningServer, al: dict[str, str]
) -> None:
    bo = await register(server.client, "bo")
    await server.client.put(file(AGENT), headers=al, content=DATA)
    for path in (file(AGENT), f"/api/sessions/{S}/files"):
        assert (await server.client.get(path, headers=bo)).status_code == 404
    await server.client.delete(f"/api/sessions/{S}", headers=al)
    for path in (file(AGENT), f"/api/sessions/{S}/files"):
        assert (await server.client.get(path, headers=al)).status_code == 404


async def test_a_file_is_deleted_alone_and_may_be_uploaded_anew(
    server: RunningServer, al: dict[str, str]
) -> None:
    bo = await register(server.client, "bo")
    await server.client.put(conversation(S), headers=al, content=b"{}\n")
    for path in (AGENT, RESULT):
        await server.client.put(file(path), headers=al, content=DATA)
    assert (await server.client.delete(file(AGENT), headers=bo)).status_code == 404
    assert (await server.client.delete(file(AGENT), headers=al)).json() == {"deleted": True}
    assert (await server.client.delete(file(AGENT), headers=al)).status_code == 404
    assert (await server.client.get(file(AGENT), headers=al)).status_code == 404
    assert (await server.client.get(file(RESULT), headers=al)).content == DATA
    assert (await server.client.get(conversation(S), headers=al)).content == b"{}\n"
    again = await server.client.put(file(AGENT), headers=al, content=b"new\n")
    assert again.status_code == 201
    assert (await server.client.get(file(AGENT), headers=al)).content == b"new\n"


BAD = [
    *("../x", "a/../b", "./a", "a/.", "/etc/passwd", "a//b", "a/", "a\\b", "a\nb", "C:x", "a/b. "),
    *("x" * 201, "/".join("abcdefghi"), "y/" * 5 + "z" * 600, "nul\x00", "a*", " a", "..."),
]


async def test_bad_paths_are_refused_and_nothing_stored(
    server: RunningServer, al: dict[str, str]
) -> None:
    before = await state(server.settings)
    for path in BAD:
        answer = await server.client.put(
            f"/api/sessions/{S}/files/{quote(path, safe='')}", headers=al, content=b"x"
        )
        assert answer.status_code in {400, 404}, path
        assert "error" in answer.json()
    assert await state(server.settings) == before


async def test_a_server_without_backup_refuses_files(serve: Serve, server: RunningServer) -> None:
    off = await serve(server.settings.model_copy(update={"conversation_backup": False}))
    al = await register(off.client)
    answer = await off.client.put(file(AGENT), headers=al, content=b"x")
    assert (answer.status_code, "CONVERSATION_BACKUP" in answer.text) == (403, True)


async def test_what_one_account_keeps_and_sends_at_once_is_bounded(
    serve: Serve, server: RunningServer
) -> None:
    limits = {"conversation_quota": 1_000, "conversation_uploads": 2}
    small = await serve(server.settings.model_copy(update=limits))
    al = await register(small.client)

    async def put(name: str, content: bytes) -> int:
        answer = await small.client.put(file(name), headers=al, content=content)
        if answer.status_code >= 400:
            assert "1000" in answer.text or "at once" in answer.text
        return answer.status_code

    assert await put("a", b"x" * 600) == 201
    assert await put("b", b"y" * 401) == 507
    assert await put("b", b"y" * 400) == 201
    assert await put("a", b"x" * 601) == 507
    assert await put("a", b"z") == 507
    assert await put("a", b"x" * 600) == 200
    assert await put("a", b"x" * 20) == 200
    await small.client.delete(f"/api/sessions/{S}", headers=al)
    assert await put("a", b"x" * 1000) == 201
    statuses = await asyncio.gather(*(put("a", b"x" * 1000) for _ in range(30)))
    assert set(statuses) <= {200, 429}
    assert await put("a", b"x" * 1000) == 200
