"""A sync as multipart: any order, any number of parts, and a 400 that names what is wrong."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from domain.errors import Fault
from rest_compat.multipart import MultipartReader
from tests.support.registry import conversation, register, state
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

A, B, C = session_id(1), session_id(2), session_id(3)
LINE = b"--frontier\r\n"
END = b"--frontier--\r\n"


@pytest.fixture
async def al(server: RunningServer) -> dict[str, str]:
    return await register(server.client)


def part(name: str, content: bytes, extra: bytes = b"") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="x"\r\n'.encode()
    return LINE + disposition + extra + b"\r\n" + content + b"\r\n"


def manifest(*ids: str) -> bytes:
    sessions = [{"session_id": item, "project_name": f"p-{item[:2]}"} for item in ids]
    return part("manifest", json.dumps({"sessions": sessions}).encode())


async def send(
    server: RunningServer, al: dict[str, str], body: bytes, kind: str | None = None
) -> httpx.Response:
    headers = {**al, "Content-Type": kind or "multipart/form-data; boundary=frontier"}
    return await server.client.post("/api/sessions/sync", headers=headers, content=body)


@pytest.mark.parametrize("order", ["manifest first", "manifest last", "manifest between"])
async def test_parts_may_come_in_any_order(
    server: RunningServer, al: dict[str, str], order: str
) -> None:
    first, second = part(f"conversation_{A}", b"one\n"), part(f"conversation_{B}", b"two\n")
    told = manifest(A, B, C)
    parts = {
        "manifest first": [told, first, second],
        "manifest last": [first, second, told],
        "manifest between": [first, told, second],
    }[order]
    other = part("unknown", b"ignored" * 1000)
    answer = await send(server, al, other.join([b"", *parts, END]))
    assert answer.status_code == 200, answer.text
    expected = {"synced": 3, "created": 3, "updated": 0, "conversations": 2, "failed": []}
    assert answer.json() == expected
    for session, content in ((A, b"one\n"), (B, b"two\n")):
        assert (await server.client.get(conversation(session), headers=al)).content == content
    listed = (await server.client.get("/api/sessions", headers=al)).json()
    assert {item["session_id"]: item["project_name"] for item in listed} == {
        item: f"p-{item[:2]}" for item in (A, B, C)
    }
    before = await state(server.settings)
    answer = await send(server, al, b"".join([*parts, END]))
    assert answer.json() == {**expected, "created": 0, "updated": 3}
    assert await state(server.settings) == before


async def test_a_bad_part_fails_alone(server: RunningServer, al: dict[str, str]) -> None:
    parts = [
        manifest(A, B),
        part(f"conversation_{A}", b"one\n"),
        part("conversation_b a d", transcript(1, 300_000)),
        part("conversation_", b"x"),
        part(f"conversation_{B}", b"two\n"),
    ]
    answer = await send(server, al, b"".join([*parts, END]))
    assert answer.status_code == 200
    assert answer.json()["conversations"] == 2
    assert [item["session_id"] for item in answer.json()["failed"]] == ["b a d", ""]
    assert all(item["error"] for item in answer.json()["failed"])


@pytest.mark.parametrize(
    "content",
    [
        b"\r\n--frontie\r\n",
        b"--frontier",
        b"\r\n-\r\n--\r\r\n\n",
        b"\r",
        b"\n\r",
        b"\r\n",
        b"\r\n\r\n--frontierX\r\n",
        b"",
        bytes(range(256)) * 2000,
    ],
)
async def test_content_that_looks_like_a_boundary_comes_back_exactly(
    server: RunningServer, al: dict[str, str], content: bytes
) -> None:
    parts = [manifest(A), part(f"conversation_{A}", content), END]
    answer = await send(server, al, b"".join(parts))
    assert answer.json()["conversations"] == 1, answer.text
    assert (await server.client.get(conversation(A), headers=al)).content == content


GOOD = manifest(A) + part(f"conversation_{A}", b"one\n")


@pytest.mark.parametrize(
    ("body", "kind", "names"),
    [
        (GOOD, None, "closing boundary"),
        (GOOD + b"--frontier", None, "closing boundary"),
        (GOOD + b"--frontier-", None, "closing boundary"),
        (GOOD + LINE + b"Content-Dispo", None, "closing boundary"),
        (b"", None, "closing boundary"),
        (GOOD + END, "multipart/form-data", "boundary"),
        (GOOD + END, "multipart/form-data; boundary=", "boundary"),
        (GOOD + END, "multipart/form-data; boundary=" + "x" * 300, "oundary"),
        (GOOD + END, "multipart/form-data; boundary=other", "oundary"),
        (b"rubbish" + GOOD + END, None, "oundary"),
        (part("manifest", b"{}", b"X: y\r\n" * 50) + END, None, "header count"),
        (part("manifest", b"{}", b"X: " + b"y" * 20_000 + b"\r\n") + END, None, "header size"),
        (part("manifest", b"{}", b"X y: z\r\n") + END, None, "header"),
        (part("manifest", b"{}", b"Content-Transfer-Encoding: base64\r\n") + END, None, "base64"),
        (part("manifest", b"{not JSON") + END, None, "Malformed JSON"),
        (part("manifest", b"[]") + END, None, "Validation failed"),
        (part(f"conversation_{B}", b"x") + END, None, "Validation failed"),
        (END, None, "Validation failed"),
    ],
)
async def test_a_malformed_body_is_refused_with_the_reason(
    server: RunningServer, al: dict[str, str], body: bytes, kind: str | None, names: str
) -> None:
    answer = await send(server, al, body, kind)
    assert answer.status_code == 400, answer.text
    assert names in answer.json()["error"]


async def test_another_kind_of_multipart_is_refused(
    server: RunningServer, al: dict[str, str]
) -> None:
    answer = await send(server, al, GOOD + END, "multipart/mixed; boundary=frontier")
    assert answer.status_code == 415


async def test_a_body_cut_inside_a_conversation_does_not_keep_the_piece(
    server: RunningServer, al: dict[str, str]
) -> None:
    whole = manifest(A, B) + part(f"conversation_{A}", b"one\n")
    piece = part(f"conversation_{B}", transcript(1, 400_000))[:-100]
    assert (await send(server, al, whole + piece)).status_code == 400
    assert (await server.client.get(conversation(A), headers=al)).content == b"one\n"
    assert (await server.client.get(conversation(B), headers=al)).status_code == 404


async def test_a_huge_manifest_is_refused(server: RunningServer, al: dict[str, str]) -> None:
    body = part("manifest", b" " * (16 * 1024 * 1024 + 1)) + END
    assert (await send(server, al, body)).status_code == 413


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
async def test_any_split_of_the_body_gives_the_same_parts(size: int) -> None:
    contents = [b"", b"\r\n", b"--frontier", b"a\r\n--frontierb", bytes(range(256)), b"\r" * 99]
    body = b"".join(part(f"p{i}", content) for i, content in enumerate(contents)) + END

    async def stream() -> Any:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    reader = MultipartReader("multipart/form-data; boundary=frontier", stream())
    found = [(item.name, await item.content(1000)) async for item in reader.parts()]
    assert found == [(f"p{i}", content) for i, content in enumerate(contents)]


@pytest.mark.parametrize("cut", range(0, 200, 3))
async def test_no_cut_goes_unnoticed(cut: int) -> None:
    body = part("a", b"one") + part("b", b"two") + END.rstrip()
    cut = cut % len(body)

    async def stream() -> Any:
        yield body[:cut]

    async def read() -> None:
        reader = MultipartReader("multipart/form-data; boundary=frontier", stream())
        async for item in reader.parts():
            await item.content(1000)

    with pytest.raises(Fault):
        await read()
