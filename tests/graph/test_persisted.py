"""Automatic persisted queries: a hash stands for a document that was sent and found valid."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from graph.errors import Refused
from graph.persisted import PersistedDocuments
from tests.graph.client import Caller, newcomer, raw_socket, socket_of
from tests.support.server import RunningServer

QUERY = "query Mine($first: Int) { viewer { knowledge(first: $first) { nodes { id } } } }"
EXPECTED: dict[str, Any] = {"viewer": {"knowledge": {"nodes": []}}}


def _hash(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def _asking(document: str, /, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": _hash(document)}}, **more}


async def _code(caller: Caller, body: dict[str, Any]) -> str | None:
    answer = await caller.server.client.post("/graphql", json=body, headers=caller.headers)
    assert answer.status_code == 200
    errors = answer.json().get("errors")
    return errors[0]["extensions"]["code"] if errors else None


async def test_a_document_is_sent_once_and_then_its_hash(server: RunningServer) -> None:
    person = await newcomer(server)
    unknown = await server.client.post("/graphql", json=_asking(QUERY), headers=person.headers)
    error = unknown.json()["errors"][0]
    assert error["message"] == "PersistedQueryNotFound"
    assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    for body in (_asking(QUERY, query=QUERY), _asking(QUERY, variables={"first": 1})):
        known = await server.client.post("/graphql", json=body, headers=person.headers)
        assert known.json()["data"] == EXPECTED
    by_get = await server.client.get(
        "/graphql",
        params={name: json.dumps(value) for name, value in _asking(QUERY, variables={}).items()},
        headers=person.headers,
    )
    assert by_get.json()["data"] == EXPECTED


async def test_a_mutation_by_its_hash_still_needs_a_post(server: RunningServer) -> None:
    person, query = await newcomer(server), "mutation { signOutEverywhere { __typename } }"
    for at_first in (query, None):
        params = {"extensions": json.dumps(_asking(query)["extensions"])}
        params |= {"query": at_first} if at_first else {}
        answer = await server.client.get("/graphql", params=params, headers=person.headers)
        assert answer.status_code == 405


@pytest.mark.parametrize("document", ["{", "{ nonsense }", "{ team(id: [" + "1 " * 200 + "]) }"])
async def test_what_is_not_valid_is_not_kept(server: RunningServer, document: str) -> None:
    person = await newcomer(server)
    await _code(person, _asking(document, query=document))
    assert await _code(person, _asking(document)) == "PERSISTED_QUERY_NOT_FOUND"


async def test_the_hash_of_another_document_is_refused(server: RunningServer) -> None:
    person = await newcomer(server)
    other = "{ viewer { email } }"
    assert await _code(person, _asking(QUERY, query=other)) == "BAD_USER_INPUT"
    assert await _code(person, _asking(QUERY)) == "PERSISTED_QUERY_NOT_FOUND"
    assert await _code(person, _asking(other)) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"version": 2, "sha256Hash": "0" * 64}, "PERSISTED_QUERY_NOT_SUPPORTED"),
        ({"sha256Hash": "0" * 64}, "PERSISTED_QUERY_NOT_SUPPORTED"),
        ({"version": 1}, "BAD_USER_INPUT"),
        ({"version": 1, "sha256Hash": "0"}, "BAD_USER_INPUT"),
        ({"version": 1, "sha256Hash": ["0" * 64]}, "BAD_USER_INPUT"),
        ({"version": 1, "sha256Hash": "\x00"}, "BAD_USER_INPUT"),
        ([], None),
        ("x", "PERSISTED_QUERY_NOT_SUPPORTED"),
        (7, "PERSISTED_QUERY_NOT_SUPPORTED"),
    ],
)
async def test_a_malformed_hash_is_refused(
    server: RunningServer, asked: Any, code: str | None
) -> None:
    body = {"extensions": {"persistedQuery": asked}}
    answer = await server.client.post("/graphql", json=body)
    if code is None:
        assert answer.status_code == 400
    else:
        assert answer.json()["errors"][0]["extensions"]["code"] == code


async def test_sockets_and_event_streams_know_the_same_documents(server: RunningServer) -> None:
    person = await newcomer(server)
    async with socket_of(person) as socket:
        await socket.send(id="1", type="subscribe", payload=_asking(QUERY))
        refused = await socket.receive()
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        await socket.send(id="1", type="subscribe", payload=_asking(QUERY, query=QUERY))
        assert await socket.next() == EXPECTED
    headers = {**person.headers, "accept": "text/event-stream"}
    events = await server.client.post("/graphql", json=_asking(QUERY), headers=headers)
    assert json.dumps(EXPECTED, separators=(",", ":")) in events.text


async def test_subscriptions_go_by_hash_too(server: RunningServer) -> None:
    person, query = await newcomer(server), "subscription { myFeed { cursor } }"
    async with socket_of(person) as socket:
        for id_, body in (("1", _asking(query, query=query)), ("2", _asking(query))):
            await socket.send(id=id_, type="subscribe", payload=body)
        await socket.send(type="ping")
        assert (await socket.receive())["type"] == "pong"
        await person.write("Something new")
        assert {(await socket.receive())["id"], (await socket.receive())["id"]} == {"1", "2"}


async def test_a_socket_survives_a_malformed_hash(server: RunningServer) -> None:
    async with socket_of(await newcomer(server)) as socket:
        payload = {"extensions": {"persistedQuery": {"version": 9}}}
        await socket.send(id="1", type="subscribe", payload=payload)
        assert (await socket.receive())["type"] == "error"
    async with raw_socket(server) as nobody:
        await nobody.send(id="1", type="subscribe", payload=_asking(QUERY))
        await nobody.raw.wait_closed()
        assert nobody.raw.close_code == 4401


def test_what_was_not_used_for_longest_goes_first() -> None:
    store = PersistedDocuments(most_bytes=3 * (256 + 10))
    documents = [f"{{ a{number:05} }}" for number in range(4)]
    for document in documents[:3]:
        store.keep(document, _asking(document)["extensions"]["persistedQuery"])
    first, second = (_asking(d)["extensions"]["persistedQuery"] for d in documents[:2])
    assert store.document("", first) == documents[0]
    store.keep(documents[3], _asking(documents[3])["extensions"]["persistedQuery"])
    assert store.document("", first) == documents[0]
    with pytest.raises(Refused):
        store.document("", second)
