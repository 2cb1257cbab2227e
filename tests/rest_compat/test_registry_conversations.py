"""Conversations over HTTP: exact bytes, parts of them, and nothing when a connection is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest

from settings import Settings
from tests.conftest import Serve
from tests.support.places import Place
from tests.support.registry import conversation, register, state
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

S = session_id(1)
DATA = transcript(1, 700_000)


@pytest.fixture
def settings(settings: Settings, blocks: Place) -> Settings:
    return blocks.used_by(settings)


@pytest.fixture
async def al(server: RunningServer) -> dict[str, str]:
    return await register(server.client)


@pytest.fixture
async def kept(server: RunningServer, al: dict[str, str]) -> dict[str, str]:
    """The header of an account that has DATA as its session S."""
    answer = await server.client.put(conversation(S), headers=al, content=DATA)
    assert answer.status_code == 201
    return al


async def test_a_conversation_comes_back_exactly(
    server: RunningServer, kept: dict[str, str]
) -> None:
    answer = await server.client.get(conversation(S), headers=kept)
    assert answer.content == DATA
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["accept-ranges"] == "bytes"
    head = await server.client.head(conversation(S), headers=kept)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type"):
        assert head.headers[name] == answer.headers[name]


async def test_the_etag_tells_whether_it_has_changed(
    server: RunningServer, kept: dict[str, str]
) -> None:
    etag = (await server.client.head(conversation(S), headers=kept)).headers["etag"]
    for given in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        ask = {**kept, "If-None-Match": given}
        answer = await server.client.get(conversation(S), headers=ask)
        assert (answer.status_code, answer.content) == (304, b"")
    await server.client.put(conversation(S), headers=kept, content=DATA + b"more\n")
    answer = await server.client.get(conversation(S), headers={**kept, "If-None-Match": etag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != etag


SIZE = len(DATA)
EDGE = 128 * 1024


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, SIZE),
        ("bytes=5-99", 5, 100),
        (f"bytes={EDGE - 1}-{EDGE}", EDGE - 1, EDGE + 1),
        (f"bytes={EDGE}-{2 * EDGE - 1}", EDGE, 2 * EDGE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes=10-{SIZE * 2}", 10, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
    ],
)
async def test_a_range_is_served(
    server: RunningServer, kept: dict[str, str], asked: str, start: int, stop: int
) -> None:
    answer = await server.client.get(conversation(S), headers={**kept, "Range": asked})
    assert answer.status_code == 206
    assert answer.content == DATA[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-3", "bytes=", "bytes=a-b", "lines=1-2", "bytes=0-1,5-9", "bytes=-", "bytes=1"],
)
async def test_what_is_no_single_range_is_ignored(
    server: RunningServer, kept: dict[str, str], asked: str
) -> None:
    answer = await server.client.get(conversation(S), headers={**kept, "Range": asked})
    assert (answer.status_code, answer.content) == (200, DATA)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
async def test_a_range_after_the_end_is_refused(
    server: RunningServer, kept: dict[str, str], asked: str
) -> None:
    answer = await server.client.get(conversation(S), headers={**kept, "Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


async def test_a_range_of_something_that_changed_gives_the_whole(
    server: RunningServer, kept: dict[str, str]
) -> None:
    ask = {**kept, "Range": "bytes=0-9", "If-Range": '"other"'}
    answer = await server.client.get(conversation(S), headers=ask)
    assert (answer.status_code, answer.content) == (200, DATA)


async def test_an_empty_conversation_is_kept(server: RunningServer, al: dict[str, str]) -> None:
    first = await server.client.put(conversation(S), headers=al, content=b"")
    again = await server.client.put(conversation(S), headers=al, content=b"")
    assert (first.status_code, again.status_code) == (201, 200)
    answer = await server.client.get(conversation(S), headers=al)
    assert (answer.status_code, answer.content) == (200, b"")
    ranged = await server.client.get(conversation(S), headers={**al, "Range": "bytes=0-"})
    assert ranged.status_code == 416


async def test_a_session_without_a_conversation_has_none_to_download(
    server: RunningServer, al: dict[str, str]
) -> None:
    await server.client.post("/api/sessions", headers=al, json={"session_id": S})
    answer = await server.client.get(conversation(S), headers=al)
    assert answer.status_code == 404


async def test_shorter_and_diverging_uploads_do_not_replace_the_longer(
    server: RunningServer, kept: dict[str, str]
) -> None:
    for other in (DATA[:1000], DATA[:1000] + b"diverged", b""):
        answer = await server.client.put(conversation(S), headers=kept, content=other)
        assert answer.status_code == 200
        assert answer.json()["conversation_size"] == SIZE
    assert (await server.client.get(conversation(S), headers=kept)).content == DATA


@pytest.mark.on_s3
async def test_concurrent_and_reordered_uploads_keep_the_longest(
    server: RunningServer, al: dict[str, str]
) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        lengths = [SIZE, 100, 300_000, SIZE - 1, 262_144, 500_000, SIZE, 1]
        answers = await asyncio.gather(
            *(client.put(conversation(S), headers=al, content=DATA[:n]) for n in lengths)
        )
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert (await server.client.get(conversation(S), headers=al)).content == DATA
    after = await state(server.settings)
    assert [(row[1], row[2]) for row in after["versions"]] == [(1, SIZE)]


async def cut_upload(server: RunningServer, al: dict[str, str], head: str, body: bytes) -> None:
    """Send a part of a request, then hang up."""
    where = urlsplit(server.url)
    assert where.hostname
    assert where.port
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    key = f"X-API-Key: {al['X-API-Key']}\r\n"
    writer.write(
        f"PUT {conversation(S)} HTTP/1.1\r\nHost: x\r\n{key}{head}\r\n\r\n".encode() + body
    )
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()
    await asyncio.sleep(0.2)
    assert not (await reader.read()).startswith(b"HTTP/1.1 2")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_cut_upload_records_nothing(
    server: RunningServer, al: dict[str, str], chunked: bool
) -> None:
    before = await state(server.settings)
    part = DATA[:600_000]
    if chunked:
        body = f"{len(part):x}\r\n".encode() + part + b"\r\n"
        await cut_upload(server, al, "Transfer-Encoding: chunked", body)
    else:
        await cut_upload(server, al, f"Content-Length: {SIZE}", part)
    after = await state(server.settings)
    assert {**after, "blocks": 0} == {**before, "blocks": 0}
    answer = await server.client.put(conversation(S), headers=al, content=DATA)
    assert answer.status_code == 201
    assert (await server.client.get(conversation(S), headers=al)).content == DATA


async def test_a_body_without_a_declared_length_is_taken(
    server: RunningServer, al: dict[str, str]
) -> None:
    async def body() -> AsyncIterator[bytes]:
        for start in range(0, SIZE, 50_001):
            yield DATA[start : start + 50_001]

    answer = await server.client.put(conversation(S), headers=al, content=body())
    assert answer.status_code == 201
    assert (await server.client.get(conversation(S), headers=al)).content == DATA


async def test_too_large_uploads_are_refused(serve: Serve, server: RunningServer) -> None:
    small = await serve(server.settings.model_copy(update={"conversation_max": 10_000}))
    al = await register(small.client)

    async def undeclared() -> AsyncIterator[bytes]:
        yield DATA[:10_001]

    for content in (DATA[:10_001], undeclared()):
        answer = await small.client.put(conversation(S), headers=al, content=content)
        assert answer.status_code == 413
        assert "10000" in answer.json()["error"]
    assert (await small.client.get("/api/sessions", headers=al)).json() == []
    fits = await small.client.put(conversation(S), headers=al, content=DATA[:10_000])
    assert fits.status_code == 201


async def test_a_server_without_backup_refuses_conversations(
    serve: Serve, server: RunningServer
) -> None:
    off = await serve(server.settings.model_copy(update={"conversation_backup": False}))
    al = await register(off.client)
    answer = await off.client.put(conversation(S), headers=al, content=b"x")
    assert answer.status_code == 403
    assert "CONVERSATION_BACKUP" in answer.json()["error"]
    files = [("manifest", ("m", b'{"sessions": []}')), ("conversation_a", ("a", b"x"))]
    answer = await off.client.post("/api/sessions/sync", headers=al, files=files)
    assert answer.status_code == 403


@pytest.mark.parametrize("bad", ["a%2Fb", "a%20b", "%2e%2e", "x" * 256, "a%00", "%ff"])
async def test_bad_session_ids_are_refused(
    server: RunningServer, al: dict[str, str], bad: str
) -> None:
    where = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    request = (
        f"PUT {conversation(bad)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"X-API-Key: {al['X-API-Key']}\r\nContent-Length: 1\r\n\r\nx"
    )
    writer.write(request.encode())
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ")[1] in {b"400", b"404"}, answer
    assert b'"error"' in answer
