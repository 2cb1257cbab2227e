"""GraphQL over HTTP: what is malformed is refused by name, and nothing of the inside gets out."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from domain import accounts
from domain.errors import DatabaseFullError, StorageFullError, StorageUnavailableError
from graph import limits
from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, newcomer
from tests.support.dial import dial
from tests.support.server import RunningServer

MODERN = "application/graphql-response+json"
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"query": 7}',
        b'{"query": ""}',
        b'{"query": "{ teams { id } }", "variables": []}',
        b'{"query": "{ teams { id } }", "variables": "x"}',
        b'{"query": "{ teams { id } }", "operationName": 7}',
        b'{"query": "{ teams { id } }", "extensions": 7}',
        b"[" * 100_000,
    ],
)
async def test_a_malformed_body_is_400(server: RunningServer, body: bytes) -> None:
    answer = await server.client.post("/graphql", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "query", ["{", "{ nonsense }", "query A { teams { id } } query B { teams { id } }"]
)
async def test_the_media_type_decides_the_status_of_a_wrong_document(
    server: RunningServer, query: str
) -> None:
    for accept, status in ((MODERN, 400), ("application/json", 200), ("*/*", 200)):
        answer = await server.client.post(
            "/graphql", json={"query": query}, headers={"accept": accept}
        )
        assert answer.status_code == status
        assert "data" not in answer.json()
    refused = await server.client.post("/graphql", json={"query": query}, headers={"accept": "a/b"})
    assert refused.status_code == 406


async def test_get_reads_and_never_writes(server: RunningServer) -> None:
    person = await newcomer(server)
    read = await server.client.get(
        "/graphql",
        params={
            "query": "query ($f: Int) { knowledge(first: $f) { nodes { id } } }",
            "variables": '{"f": 1}',
        },
        headers=person.headers,
    )
    assert read.json()["data"] == {"knowledge": {"nodes": []}}
    write = await server.client.get(
        "/graphql",
        params={"query": "mutation { signOutEverywhere { __typename } }"},
        headers=person.headers,
    )
    assert (write.status_code, write.headers["allow"]) == (405, "POST")
    assert (await server.client.delete("/graphql")).status_code == 405


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_a_form_of_another_site_cannot_post(server: RunningServer, media_type: str) -> None:
    answer = await server.client.post(
        "/graphql", content=b'{"query": "{ teams { id } }"}', headers={"content-type": media_type}
    )
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
async def test_a_form_of_another_site_cannot_get(server: RunningServer, media_type: str) -> None:
    answer = await server.client.get(
        "/graphql", params={"query": "{ __typename }"}, headers={"content-type": media_type}
    )
    assert answer.status_code == 415


async def test_subscriptions_are_sent_to_the_websocket(server: RunningServer) -> None:
    answer = await Caller(server).post("subscription { myFeed { cursor } }")
    assert answer.status_code == 400


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
async def test_strings_that_cannot_be_stored_are_named(server: RunningServer, text: str) -> None:
    person = await newcomer(server)
    variables = {"input": {"type": "a", "timestamp": 1, "summary": "ok", "tags": ["fine", text]}}
    query = (
        "mutation ($input: CreateKnowledgeInput!) { createKnowledge(input: $input) { __typename } }"
    )
    answer = await server.client.post(
        "/graphql",
        content=json.dumps({"query": query, "variables": variables}),
        headers=JSON | person.headers,
    )
    assert answer.status_code == 400
    problems = answer.json()["errors"][0]["extensions"]["problems"]
    assert problems[0]["path"] == ["input", "tags", "1"]


async def test_such_strings_are_found_in_the_document_too(server: RunningServer) -> None:
    person = await newcomer(server)
    for escape in ("\\u0000", "\\ud800"):
        query = f'{{ searchKnowledge(query: "a{escape}b") {{ totalCount }} }}'
        answer = await person.post(query)
        assert answer.json()["errors"][0]["extensions"]["code"] in {
            "BAD_USER_INPUT",
            "GRAPHQL_PARSE_FAILED",
        }
    surrogate = json.dumps({"query": '{ team(id: "\ud800") { id } }'})
    answer = await server.client.post("/graphql", content=surrogate, headers=JSON)
    assert "surrogate" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("timestamp", "accepted"),
    [
        (0, True),
        (1e12, True),
        (253402300799999, True),
        (1.5, False),
        (-1, False),
        (10**30, False),
        (True, False),
        ("1", False),
    ],
)
async def test_epoch_milliseconds_are_whole_and_in_range(
    server: RunningServer, timestamp: Any, accepted: bool
) -> None:
    person = await newcomer(server)
    query = (
        "mutation ($input: CreateKnowledgeInput!) { createKnowledge(input: $input) { __typename } }"
    )
    given = {"type": "a", "timestamp": timestamp, "summary": "ok"}
    assert await person.code(query, input=given) == (None if accepted else "BAD_USER_INPUT")


async def test_credentials(server: RunningServer) -> None:
    one, other = await newcomer(server), await newcomer(server)
    body = {"query": "{ viewer { id } }"}
    both = {**one.headers, "x-api-key": str(other.api_key)}
    assert (await server.client.post("/graphql", json=body, headers=both)).status_code == 400
    same = {**one.headers, "x-api-key": str(one.api_key)}
    answer = await server.client.post("/graphql", json=body, headers=same)
    assert answer.json()["data"]["viewer"]["id"] == one.id
    for bad in ("Bearer a.b.c", "Bearer nonsense", "Basic abc", "Bearer", "Bearer \u00e9"):
        headers = [(b"authorization", bad.encode("latin-1"))]
        refused = await server.client.post("/graphql", json=body, headers=headers)
        assert refused.status_code == 401
        assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


RESOLVED = "{ viewer { id invitations { totalCount } } }"
"""A query that no plan answers without the resolver of `viewer`."""


async def test_a_defect_is_masked_with_an_incident_that_the_log_has(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    person = await newcomer(server)

    async def broken(*_arguments: object) -> None:
        raise RuntimeError("SELECT secret FROM /etc/passwd")

    monkeypatch.setattr(accounts, "me", broken)
    answer = (await person.post(RESOLVED)).json()
    error = answer["errors"][0]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "secret" not in json.dumps(answer)
    assert error["extensions"]["incident"] in caplog.text
    assert "SELECT secret" in caplog.text


@pytest.mark.parametrize("media_type", [MODERN, "application/json"])
@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [
        (StorageFullError, 507, "STORAGE_FULL"),
        (DatabaseFullError, 507, "STORAGE_FULL"),
        (StorageUnavailableError, 503, "UNAVAILABLE"),
    ],
)
async def test_trouble_with_the_stores_has_a_name(
    server: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
    trouble: type[Exception],
    status: int,
    code: str,
    media_type: str,
) -> None:
    person = await newcomer(server)

    async def failing(*_arguments: object) -> None:
        raise trouble

    monkeypatch.setattr(accounts, "me", failing)
    answer = await server.client.post(
        "/graphql",
        json={"query": RESOLVED},
        headers={**person.headers, "accept": media_type},
    )
    error = answer.json()["errors"][0]
    assert (answer.status_code, error["extensions"]["code"]) == (status, code)
    assert "store" in error["message"] or "disk" in error["message"]


async def test_too_many_requests_say_when_to_come_back(serve: Serve, settings: Settings) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_anonymous_max": 2}))
    for _ in range(21):
        answer = await Caller(server).post("{ __typename }")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


def _doubling(levels: int) -> str:
    chain = "\n".join(f"fragment F{i} on Team {{ ...F{i + 1} ...F{i + 1} }}" for i in range(levels))
    return f"{{ teams {{ ...F0 }} }} {chain} fragment F{levels} on Team {{ name }}"


BOMBS = {
    "depth": "{ teams " + "{ knowledge { nodes { team " * 20 + "{ id }" + "}}}" * 20 + "}",
    "brackets": "{" * 3000,
    "braces": "{a" * 5000,
    "lists": "{ team(id: " + "[" * 4000,
    "aliases": "{" + " ".join(f"a{i}: teams {{ id }}" for i in range(200)) + "}",
    "fields": "{ teams {" + " name" * 1500 + "} }",
    "doubling fragments": _doubling(60),
    "circular fragments": "{ teams { ...A } } "
    "fragment A on Team { ...B } fragment B on Team { ...A }",
    "length": "{ teams { name } }" + " " * limits.MAX_DOCUMENT_BYTES,
    "tokens": "{ teams { " + "name " * 4001 + "} }",
    "operations": " ".join(f"query Q{i} {{ teams {{ id }} }}" for i in range(200)),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_bombs_are_refused_before_anything_runs(server: RunningServer, name: str) -> None:
    answer = await Caller(server).post(BOMBS[name])
    assert "data" not in answer.json()
    assert "INTERNAL" not in answer.text


async def test_introspection_fits_into_the_limits(server: RunningServer) -> None:
    from graphql import get_introspection_query

    data = await Caller(server).ask(get_introspection_query(descriptions=True))
    assert data["__schema"]["queryType"]["name"] == "Query"


async def test_guessing_credentials_uses_up_an_allowance(serve: Serve, settings: Settings) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_anonymous_max": 3}))
    guesser = Caller(server, token="0" * 64)
    statuses = [(await guesser.post("{ teams { id } }")).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]


async def test_without_a_database_the_answer_is_503_soon(serve: Serve, settings: Settings) -> None:
    away = {"database_url": "postgresql://nobody@127.0.0.1:1/none"}
    server = await serve(settings.model_copy(update=away))
    began = time.monotonic()
    answer = await Caller(server, token="0" * 64).post("{ viewer { id } }")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    mutation = 'mutation { register(input: {username: "a"}) { __typename } }'
    answer = await Caller(server).post(mutation)
    assert answer.status_code == 503
    assert time.monotonic() - began < dial(32, 4)
