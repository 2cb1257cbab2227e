"""Many files in one request: each is kept exactly, or refused by itself."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from settings import Settings
from tests.conftest import Serve
from tests.support.places import Place
from tests.support.registry import conversation, register, state
from tests.support.server import RunningServer
from tests.support.tails import Growth, body, outcomes, send, statuses
from tests.support.transcripts import session_id, transcript

S, T, U = (session_id(number) for number in range(3))
DATA = transcript(1, 600_000)
MORE = transcript(2, 3_000)
AGENT = "subagents/agent-1.jsonl"


@pytest.fixture
def settings(settings: Settings, blocks: Place) -> Settings:
    return blocks.used_by(settings)


@pytest.fixture
async def al(server: RunningServer) -> dict[str, str]:
    return {**await register(server.client), "Accept-Encoding": "identity"}


@pytest.fixture
async def kept(server: RunningServer, al: dict[str, str]) -> dict[str, str]:
    """The header of an account that has DATA as its sessions S and T."""
    for name in (S, T):
        answer = await server.client.put(conversation(name), headers=al, content=DATA)
        assert answer.status_code == 201
    return al


def grown(name: str = S, more: bytes = MORE, **others: object) -> Growth:
    return Growth(name, DATA + more, len(DATA), others=others)


async def content(server: RunningServer, headers: dict[str, str], name: str) -> bytes:
    answer = await server.client.get(conversation(name), headers=headers)
    return answer.content if answer.status_code == 200 else b""


@pytest.mark.on_s3
async def test_grown_and_new_files_are_kept_byte_for_byte(
    server: RunningServer, kept: dict[str, str]
) -> None:
    agent = Growth(S, transcript(5, 700_000), path=AGENT)
    files = (grown(S), grown(T, b"no end"), agent, Growth(U, MORE), Growth("empty", b""))
    found = await send(server.client, kept, *files)
    assert [item["status"] for item in found] == [200, 200, 201, 201, 201]
    assert [(item["size"], item["sha256"]) for item in found] == [
        (len(file.whole), hashlib.sha256(file.whole).hexdigest()) for file in files
    ]
    for file in files:
        place = f"/api/sessions/{S}/files/{AGENT}" if file.path else conversation(file.session_id)
        assert (await server.client.get(place, headers=kept)).content == file.whole
    listed = (await server.client.get(f"{conversation(S)}/versions", headers=kept)).json()
    assert len(listed["versions"]) == 1
    assert listed["versions"][0]["lines"] == (DATA + MORE).count(b"\n")


async def test_a_batch_says_of_sessions_what_single_uploads_say(
    server: RunningServer, al: dict[str, str]
) -> None:
    told = {"project_name": "-home-al-app", "git_remote": "git@github.com:al/app.git"}
    first, rest = DATA[:250_123], DATA
    for name in ("one", "two"):
        headers = {**al, "X-Project-Name": told["project_name"], "X-Git-Remote": told["git_remote"]}
        if name == "one":
            await server.client.put(conversation(name), headers=headers, content=first)
            grown = {**headers, "Upload-Offset": str(len(first))}
            more = rest[len(first) :]
            await server.client.patch(conversation(name), headers=grown, content=more)
        else:
            await send(server.client, al, Growth(name, first, others=told))
            await send(server.client, al, Growth(name, rest, len(first), others=told))
    one, two = await rows(server)
    assert one == two
    assert one["conversation_size"] == len(DATA)
    assert one["title"]


async def rows(server: RunningServer) -> list[dict[str, object]]:
    """What the database has of the sessions, but for what is different in any two."""
    assert server.settings.database_url is not None
    connection = await asyncpg.connect(server.settings.database_url)
    try:
        found = await connection.fetch(
            "SELECT s.*, v.size, v.lines, v.digest, v.blocks, v.block_size, v.number "
            "FROM sessions s JOIN conversation_versions v ON v.session = s.id ORDER BY session_id"
        )
    finally:
        await connection.close()
    different = {"id", "session_id", "version", "created_at", "updated_at"}
    return [{k: v for k, v in row.items() if k not in different} for row in found]


@pytest.mark.on_s3
async def test_what_is_delivered_twice_changes_nothing_the_second_time(
    server: RunningServer, kept: dict[str, str]
) -> None:
    files = (grown(S), Growth(U, MORE), grown(T, b""))
    await send(server.client, kept, *files)
    before = await state(server.settings)
    assert await statuses(server.client, kept, *files) == [200, 200, 200]
    assert await state(server.settings) == before


async def test_what_is_wrong_with_one_file_keeps_no_other_from_being_kept(
    server: RunningServer, kept: dict[str, str]
) -> None:
    wrong = [
        (grown(T, sha256="0" * 64), 400),
        (grown(T, sha256="nonsense"), 400),
        (Growth(T, DATA + MORE, len(DATA) - 1), 409),
        (Growth(T, MORE), 409),
        (Growth(T, DATA[:500], 100), 409),
        (Growth(T, b"x" + DATA[1:] + MORE, len(DATA)), 400),
        (Growth("new", MORE, 5), 409),
        (Growth("../x", MORE), 400),
        (Growth(T, MORE, path="a/../b"), 400),
        (grown(T, offset=-1), 400),
        (grown(S, b"once more"), 409),
        (grown(T, project_name="\x00"), 400),
    ]
    files = [grown(S), *(file for file, _ in wrong), Growth(U, MORE)]
    found = await send(server.client, kept, *files)
    assert [item["status"] for item in found] == [200, *(status for _, status in wrong), 201]
    assert all(item["error"] for item in found[1:-1])
    assert found[3]["size"] == len(DATA)
    assert await content(server, kept, S) == DATA + MORE
    assert await content(server, kept, U) == MORE
    assert await content(server, kept, T) == DATA
    listed = (await server.client.get("/api/sessions", headers=kept)).json()
    assert {item["session_id"] for item in listed} == {S, T, U}


async def test_a_body_that_is_not_what_its_first_line_says_changes_nothing(
    server: RunningServer, kept: dict[str, str]
) -> None:
    before = await state(server.settings)
    whole = body(grown(S), Growth(U, MORE))
    bad = [
        *(b"", b"[]", b"{}", b'{"tails": 1}', b'{"tails": [1]}', b"nonsense\n", b'{"tails": [{}]}'),
        *(whole[:-1], whole + b"x", whole[:50], whole.replace(b'"length"', b'"lengths"', 1)),
        body(*(Growth(f"s{number}", b"") for number in range(257))),
    ]
    for sent in bad:
        answer = await server.client.post("/api/tails", headers=kept, content=sent)
        assert answer.status_code == 400, sent[:100]
    long = await server.client.post("/api/tails", headers=kept, content=b" " * 2_000_000)
    assert long.status_code == 413
    digest = {"Content-Digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"}
    answer = await server.client.post("/api/tails", headers={**kept, **digest}, content=whole)
    assert answer.status_code == 400
    after = await state(server.settings)
    # A whole block that has come may stay for the collector; nothing refers to it.
    assert {**after, "blocks": {}} == {**before, "blocks": {}}


async def test_a_cut_connection_leaves_nothing_half_done(
    server: RunningServer, kept: dict[str, str]
) -> None:
    before = await state(server.settings)
    sent = body(grown(S), Growth(U, DATA), grown(T))
    where = urlsplit(server.url)
    for end in (20, len(sent) // 2, len(sent) - 1):
        _, writer = await asyncio.open_connection(where.hostname, where.port)
        head = f"X-API-Key: {kept['X-API-Key']}\r\nContent-Length: {len(sent)}\r\n\r\n"
        writer.write(f"POST /api/tails HTTP/1.1\r\nHost: x\r\n{head}".encode() + sent[:end])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.5)
    after = await state(server.settings)
    assert {**after, "blocks": {}} == {**before, "blocks": {}}
    assert await statuses(server.client, kept, grown(S), Growth(U, DATA), grown(T)) == [
        200,
        201,
        200,
    ]


async def test_two_who_send_the_same_at_once_come_to_the_same(
    server: RunningServer, kept: dict[str, str]
) -> None:
    files = [Growth(f"new-{number}", transcript(number, 2_000)) for number in range(10)]
    files += [Growth("new-0", transcript(9, 2_000), path=AGENT), grown(S), grown(T)]
    found = await asyncio.gather(
        *(statuses(server.client, kept, *order) for order in (files, files[::-1], files))
    )
    assert {status for each in found for status in each} == {200, 201}
    for file in files:
        if not file.path:
            assert await content(server, kept, file.session_id) == file.whole


async def test_appends_of_both_kinds_at_once_lose_nothing(
    server: RunningServer, kept: dict[str, str]
) -> None:
    """Whoever is acknowledged is there; who was slower is told where the stored bytes end."""

    async def patch(more: bytes) -> int:
        headers = {**kept, "Upload-Offset": str(len(DATA))}
        answer = await server.client.patch(conversation(S), headers=headers, content=more)
        return answer.status_code

    async def batch(more: bytes) -> int:
        (found,) = await statuses(server.client, kept, grown(S, more))
        return found

    ends = [bytes([97 + number]) * 1_000 for number in range(6)]
    done = await asyncio.gather(
        *((patch if number % 2 else batch)(more) for number, more in enumerate(ends))
    )
    assert sorted(done) == [200, 409, 409, 409, 409, 409]
    assert await content(server, kept, S) == DATA + ends[done.index(200)]


async def test_other_peoples_sessions_are_neither_seen_nor_touched(
    server: RunningServer, kept: dict[str, str]
) -> None:
    bo = {**await register(server.client, "bo"), "Accept-Encoding": "identity"}
    assert await statuses(server.client, bo, grown(S), Growth(T, MORE)) == [409, 201]
    assert await content(server, bo, T) == MORE
    assert await content(server, bo, S) == b""
    assert await content(server, kept, S) == DATA
    assert await content(server, kept, T) == DATA
    nobody = await server.client.post("/api/tails", content=body(grown(S)))
    assert nobody.status_code == 401


async def test_a_server_that_keeps_no_conversations_refuses_them(
    serve: Serve, server: RunningServer, al: dict[str, str]
) -> None:
    off = await serve(server.settings.model_copy(update={"conversation_backup": False}))
    answer = await off.client.post("/api/tails", headers=al, content=body(Growth(S, MORE)))
    assert answer.status_code == 403


async def test_limits_hold_for_each_file_and_for_all_together(
    serve: Serve, settings: Settings
) -> None:
    limits = {"conversation_quota": 10_000, "conversation_max": 6_000}
    server = await serve(settings.model_copy(update=limits))
    al = {**await register(server.client), "Accept-Encoding": "identity"}
    files = [Growth(name, name.encode() * 4_000) for name in "abc"]
    files += [Growth("d", b"d" * 7_000), Growth("e", b"e" * 2_000)]
    answer = await server.client.post(
        "/api/tails",
        headers={**al, "Content-Encoding": "gzip"},
        content=gzip.compress(body(*files)),
    )
    assert [item["status"] for item in outcomes(answer)] == [201, 201, 507, 413, 201]
    both = await asyncio.gather(
        *(statuses(server.client, al, Growth(name, b"x")) for name in ("f", "g"))
    )
    assert both == [[507], [507]]
    listed = (await server.client.get("/api/sessions", headers=al)).json()
    assert {item["session_id"] for item in listed} == {"a", "b", "e"}


@pytest.mark.on_s3
async def test_a_damaged_block_is_found_and_healed_by_a_whole_upload(
    server: RunningServer, kept: dict[str, str], blocks: Place
) -> None:
    name = max(blocks.names(), key=lambda name: (len(blocks.read(name)), name))
    blocks.write(name, b"\x00" + b"rubbish" * 1_000)
    (first,) = await send(server.client, kept, grown(S))
    assert first["status"] == 409
    assert "send it again" in first["error"]
    whole = await server.client.put(conversation(S), headers=kept, content=DATA + MORE)
    assert whole.status_code == 200
    assert await content(server, kept, S) == DATA + MORE


async def test_many_files_are_one_entry_of_the_log_for_each_session(
    server: RunningServer, kept: dict[str, str]
) -> None:
    before = (await state(server.settings))["log"]
    agents = [Growth(S, MORE, path=f"subagents/agent-{number}.jsonl") for number in range(20)]
    assert set(await statuses(server.client, kept, grown(S), grown(T), *agents)) == {200, 201}
    assert (await state(server.settings))["log"] == before + 2


async def test_a_batch_needs_an_account_that_may_send(server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.post("/api/tails", headers={"X-API-Key": "no"}, content=b"{}")
    assert answer.status_code == 401
