"""200 and more malformed requests: each gets a 4xx that names the problem, none a traceback."""

from __future__ import annotations

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


def _bodies() -> Iterator[tuple[str, str, bytes]]:
    """(method, path, body) with a body that must be refused."""
    entries = "/api/sync/push/knowledge"
    for path in ("/api/auth/register", "/api/knowledge", "/api/teams", entries):
        yield from (("POST", path, body) for body in NOT_JSON)
        yield from (("POST", path, json.dumps(wrong).encode()) for wrong in WRONG)
    long = {"type": "x" * 21, "project": "x" * 256, "sessionId": "x" * 256, "summary": "x" * 5_001}
    long |= {"details": "x" * 50_001, "tags": ["x"] * 21, "relatedFiles": ["x" * 501]}
    for field, value in long.items():
        yield "POST", "/api/knowledge", json.dumps(entry(**{field: value})).encode()
    for field in ("type", "summary", "project", "sessionId", "details"):
        for value in (7, ["x"], "a\x00b", "a\ud800b"):
            yield "POST", "/api/knowledge", json.dumps(entry(**{field: value})).encode()
    for field in ("tags", "relatedFiles"):
        for value in ("x", [7], ["a\x00b"], ["\udfff"], [""], {"a": "b"}):
            yield "POST", "/api/knowledge", json.dumps(entry(**{field: value})).encode()
    for value in (-1, 1.5, "1", True, None, 10**14 * 9, 10**40, [], "now"):
        yield "POST", "/api/knowledge", json.dumps(entry(timestamp=value)).encode()
    for value in ("", "x", 7, "0" * 31, str(uuid4()) + "0", ["x"]):
        yield "POST", "/api/knowledge", json.dumps(entry(teamId=value)).encode()
    for many in ([], [entry()] * 501, [entry(), 7], [entry(), {**entry(), "summary": "\x00"}]):
        yield "POST", entries, json.dumps({"entries": many}).encode()
    deep: Any = "x"
    for _ in range(70):
        deep = {"a": deep}
    for summary in (None, "x", [], deep, {"a": "b\x00"}, {"\x00": 1}, {"a": ["\ud801"]}):
        body = {"sessionId": "s", "summary": summary}
        yield "POST", "/api/sessions", json.dumps(body).encode()
        body = {"summaries": [body]}  # type: ignore[dict-item]
        yield "POST", "/api/sync/push/sessions", json.dumps(body).encode()
    for email in ("", "x", "a@", "@b", "a b@example.com", "a@b\x00.c", "x" * 250 + "@example.com"):
        body = {"email": email, "password": "correct horse"}  # type: ignore[dict-item]
        yield "POST", "/api/auth/register", json.dumps(body).encode()
    for password in ("short", "x" * 129, 12345678, "a\x00bcdefgh", None):
        body = {"email": "new@example.com", "password": password}  # type: ignore[dict-item]
        yield "POST", "/api/auth/register", json.dumps(body).encode()
    for username in ("", " ", "a b", "x" * 65, "a/b", "a\x00b", 7, None):
        yield "POST", "/api/auth/register", json.dumps({"username": username}).encode()
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
        body = {"patterns": [{**pattern, field: value}]}  # type: ignore[dict-item]
        yield "POST", "/api/federation/contribute", json.dumps(body).encode()


BODIES = list(_bodies())
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


async def test_malformed_bodies_get_an_error_that_names_the_problem(server: Any) -> None:
    assert len(BODIES) >= 150
    ada = await McpClient.register(server.client)
    for method, path, body in BODIES:
        answer = await ada.http.request(method, path, headers=ada.headers, content=body)
        what = f"{method} {path} {body[:120]!r} -> {answer.status_code} {answer.text[:200]}"
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


async def test_oversized_bodies_are_refused_before_they_are_read(server: Any) -> None:
    ada = await McpClient.register(server.client)
    limit = server.settings.json_body_max
    declared = ada.headers | {"Content-Length": str(limit + 1)}
    async with httpx.AsyncClient(base_url=server.url) as http:

        async def endless() -> Any:
            yield b"[" + b" " * 65_536
            while True:
                yield b" " * 65_536

        streamed = await http.post("/api/knowledge", headers=ada.headers, content=endless())
        assert streamed.status_code == 413
        assert str(limit) in streamed.json()["error"]
    answer = await ada.http.post("/api/knowledge", headers=declared, content=b" " * (limit + 1))
    assert answer.status_code == 413
