"""200 and more malformed requests: each gets a 4xx that names the problem, none a traceback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.mcp_client import McpClient, entry

JSON = {"Content-Type": "application/json"}
WRONG = [None, True, 7, 1.5, "", "text", [], {}, ["x"], {"a": 1}]
NOT_JSON = [
    b"",
    b"{",
    b"nul",
    b"{'a': 1}",
    b'{"a": 1}}',
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b"\xff\xfe{}",
    b'{"a": "\xff"}',
    b"[" * 5_000,
    b'"\\u12"',
]


Bodies = Iterator[tuple[str, Any]]
ENTRIES, SUMMARIES = "/api/sync/push/knowledge", "/api/sync/push/sessions"
REGISTER, CONTRIBUTE = "/api/auth/register", "/api/federation/contribute"


def _deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


def _anywhere() -> Bodies:
    for path in (REGISTER, "/api/knowledge", "/api/teams", ENTRIES, CONTRIBUTE):
        yield from ((path, body) for body in NOT_JSON)
        yield from ((path, wrong) for wrong in WRONG)


def _entries() -> Bodies:
    wrong: Any
    long: dict[str, Any] = {
        "type": "x" * 21,
        "project": "x" * 256,
        "sessionId": "x" * 256,
        "summary": "x" * 5_001,
    }
    more: dict[str, Any] = {
        "details": "x" * 50_001,
        "tags": ["x"] * 21,
        "relatedFiles": ["x" * 501],
    }
    for field, value in (long | more).items():
        yield "/api/knowledge", {**entry(), field: value}
    for field in ("type", "summary", "project", "sessionId", "details"):
        for wrong in (7, ["x"], "a\x00b", "a\ud800b"):
            yield "/api/knowledge", {**entry(), field: wrong}
    for field in ("tags", "relatedFiles"):
        for wrong in ("x", [7], ["a\x00b"], ["\udfff"], [""], {"a": "b"}):
            yield "/api/knowledge", {**entry(), field: wrong}


def _ids_and_numbers() -> Bodies:
    wrong: Any
    team: Any
    many: Any
    for wrong in (-1, 1.5, "1", True, None, 10**14 * 9, 10**40, [], "now"):
        yield "/api/knowledge", entry(timestamp=wrong)
    for team in ("", "x", 7, "0" * 31, str(uuid4()) + "0", ["x"]):
        yield "/api/knowledge", entry(teamId=team)
    for many in ([], [entry()] * 501, [entry(), 7], [entry(), {**entry(), "summary": "\x00"}]):
        yield ENTRIES, {"entries": many}


def _summaries() -> Bodies:
    summary: Any
    for summary in (None, "x", [], _deep(70), {"a": "b\x00"}, {"\x00": 1}, {"a": ["\ud801"]}):
        body = {"sessionId": "s", "summary": summary}
        yield "/api/sessions", body
        yield SUMMARIES, {"summaries": [body]}


def _accounts() -> Bodies:
    for email in ("", "x", "a@", "@b", "a b@example.com", "a@b\x00.c", "x" * 250 + "@example.com"):
        yield REGISTER, {"email": email, "password": "correct horse"}
    for password in ("short", "x" * 129, 12345678, "a\x00bcdefgh", None):
        yield REGISTER, {"email": "new@example.com", "password": password}
    for username in ("", " ", "a b", "x" * 65, "a/b", "a\x00b", 7, None):
        yield REGISTER, {"username": username}


def _patterns() -> Bodies:
    pattern = {"type": "solution", "category": "c", "approach": "long enough to be one"}
    for field, value in (
        ("type", "other"),
        ("category", ""),
        ("approach", "short"),
        ("approach", "x" * 5_001),
        ("effectiveness", 1.5),
        ("effectiveness", "x"),
        ("platform", "x" * 256),
        ("tags", ["x" * 51]),
        ("firstSeen", -1),
    ):
        yield CONTRIBUTE, {"patterns": [{**pattern, field: value}]}


BODIES = [
    (path, body if isinstance(body, bytes) else json.dumps(body).encode())
    for bodies in (_anywhere, _entries, _ids_and_numbers, _summaries, _accounts, _patterns)
    for path, body in bodies()
]
QUERIES = [
    ("/api/knowledge", name, value)
    for name, values in {
        "limit": ("0", "101", "-1", "x", "1.5", "9" * 30, "１"),
        "offset": ("-1", "x", "9" * 30),
        "teamId": ("x", "0", "%00", "' OR 1=1 --"),
        "project": ("a\x00b",),
    }.items()
    for value in values
]


async def test_malformed_bodies_get_an_error_that_names_the_problem(serve_process: Any) -> None:
    assert len(BODIES) >= 200
    server = serve_process({"RATE_LIMIT_ANONYMOUS_MAX": "10000"})
    async with httpx.AsyncClient(base_url=server.url) as http:
        await _refuse_all(await McpClient.register(http))
    assert "Traceback" not in server.output()
    assert "error" not in server.output().lower()


async def _refuse_all(ada: McpClient) -> None:
    for path, body in BODIES:
        answer = await ada.http.post(path, headers=ada.headers, content=body)
        what = f"POST {path} {body[:120]!r} -> {answer.status_code} {answer.text[:200]}"
        assert 400 <= answer.status_code < 500, what
        problem = answer.json()
        assert problem["error"], what
        if problem["error"] == "Validation failed":
            assert all(d["message"] and isinstance(d["path"], list) for d in problem["details"]), (
                what
            )
            assert problem["details"], what
    assert (await ada.call("GET", "/api/knowledge"))["total"] == 0
    assert (await ada.call("GET", "/api/sessions"))["total"] == 0


@pytest.mark.parametrize(("path", "name", "value"), QUERIES)
async def test_malformed_queries_name_the_parameter(
    server: Any, path: str, name: str, value: str
) -> None:
    ada = await McpClient.register(server.client)
    answer = await ada.http.get(path, params={name: value}, headers=ada.headers)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["path"] == [name]


@pytest.mark.parametrize(
    "path",
    [
        "/api/knowledge/not-a-uuid",
        "/api/knowledge/%00",
        "/api/knowledge/" + "0" * 40,
        "/api/sessions/%00",
        "/api/sessions/" + "x" * 300,
        "/api/sessions/conversation/%2e%2e",
        "/api/sessions/conversation/a b",
        "/api/nothing",
        "/api/knowledge/",
        "/%ff%fe",
    ],
)
async def test_strange_addresses_are_not_found(server: Any, path: str) -> None:
    ada = await McpClient.register(server.client)
    answer = await ada.http.get(path, headers=ada.headers)
    assert answer.status_code in {400, 404}
    assert answer.json()["error"]


async def test_wrong_media_types_and_methods_are_refused(server: Any) -> None:
    ada = await McpClient.register(server.client)
    for media_type in ("text/xml", "application/x-www-form-urlencoded", "image/png", "x"):
        headers = ada.headers | {"Content-Type": media_type}
        answer = await ada.http.post("/api/knowledge", headers=headers, content=b"{}")
        assert answer.status_code == 415
        assert media_type in answer.json()["error"]
    for method, path in (("PUT", "/api/knowledge"), ("POST", "/health"), ("PATCH", "/api/teams")):
        answer = await ada.http.request(method, path, headers=ada.headers)
        assert answer.status_code == 405
        assert answer.json()["error"]


async def _status_of(server: Any, head: str, *pieces: bytes) -> tuple[int, bytes]:
    """Send a request piece by piece on a socket of its own; status and the rest of the answer."""
    url = httpx.URL(server.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"{head}\r\nHost: {url.host}\r\nContent-Type: application/json\r\n".encode())
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 10)  # to the end: the server must close
    writer.close()
    return int(answer.split(b" ", 2)[1]), answer.partition(b"\r\n\r\n")[2]


async def test_a_body_declared_too_large_is_refused_before_it_is_sent(server: Any) -> None:
    ada = await McpClient.register(server.client)
    limit = server.settings.json_body_max
    head = f"POST /api/knowledge HTTP/1.1\r\nX-API-Key: {ada.key}\r\nContent-Length: {limit + 1}"
    status, body = await _status_of(server, head, b"\r\n")
    assert (status, str(limit) in json.loads(body)["error"]) == (413, True)


async def test_a_body_that_grows_too_large_is_refused(serve: Any, settings: Any) -> None:
    server = await serve(settings.model_copy(update={"json_body_max": 100_000}))
    ada = await McpClient.register(server.client)
    chunk = b"%x\r\n" % 65_536 + b" " * 65_536 + b"\r\n"
    head = f"POST /api/knowledge HTTP/1.1\r\nX-API-Key: {ada.key}\r\nTransfer-Encoding: chunked"
    status, body = await _status_of(server, head, b"\r\n", chunk, chunk)
    assert (status, "100000" in json.loads(body)["error"]) == (413, True)


async def test_a_body_that_ends_early_changes_nothing(server: Any) -> None:
    ada = await McpClient.register(server.client)
    url = httpx.URL(server.url)
    _, writer = await asyncio.open_connection(url.host, url.port)
    body = json.dumps(entry()).encode()
    head = "POST /api/knowledge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}X-API-Key: {ada.key}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    writer.write(body[:-1])
    await writer.drain()
    writer.close()
    await asyncio.sleep(0.1)
    assert (await ada.call("GET", "/api/knowledge"))["total"] == 0


async def test_an_endless_head_is_refused(server: Any) -> None:
    head = "GET /health HTTP/1.1\r\nX-Padding: " + "x" * 70_000
    for _ in range(20):  # in one piece or in several, as the network has it
        assert (await _status_of(server, head, b"X: " + b"y" * 70_000))[0] == 431
