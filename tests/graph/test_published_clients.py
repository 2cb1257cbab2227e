"""The npm clients graphql-ws and graphql-sse, as a dashboard uses them, against the real server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.graph.client import Caller, newcomer
from tests.graph.test_sse import stream_of
from tests.support.node import Script, script
from tests.support.server import RunningServer

MY_FEED = """
subscription ($after: Cursor) { myFeed(after: $after) {
  cursor ... on KnowledgeCreated { entry { summary } }
} }
"""
TRANSPORTS = pytest.mark.parametrize("transport", ["ws", "sse"])


def given(caller: Caller, query: str, **variables: Any) -> str:
    """What the script is told."""
    url = f"{caller.server.url}/graphql"
    return json.dumps({"url": url, "token": caller.token, "query": query, "variables": variables})


@asynccontextmanager
async def operation(
    transport: str, caller: Caller, query: str, **variables: Any
) -> AsyncIterator[Script]:
    """One operation of a published client, connected."""
    async with script("client.js", transport, given(caller, query, **variables)) as running:
        assert (await running.receive())["kind"] == "connected"
        yield running


async def event(running: Script) -> Any:
    """The next event of `myFeed`."""
    said = await running.receive()
    assert said["kind"] == "next", said
    return said["value"]["data"]["myFeed"]


@TRANSPORTS
async def test_a_query(server: RunningServer, transport: str) -> None:
    person = await newcomer(server)
    async with operation(transport, person, "{ viewer { id } }") as running:
        said = await running.rest()
    assert said[0] == {"kind": "next", "value": {"data": {"viewer": {"id": person.id}}}}
    assert said[1] == {"kind": "complete", "value": None}


async def origin(person: Caller) -> str:
    """A cursor to follow from, however long a client takes to start."""
    async with stream_of(person, MY_FEED) as stream:
        await person.write("The origin")
        cursor: str = (await stream.next())[1]["data"]["myFeed"]["cursor"]
    return cursor


@TRANSPORTS
async def test_a_subscription_resumes_exactly_where_the_client_was_killed(
    server: RunningServer, transport: str
) -> None:
    person = await newcomer(server)
    after, seen = await origin(person), []
    async with operation(transport, person, MY_FEED, after=after) as running:
        for i in range(3):
            await person.write(f"Entry {i}")
            seen.append(await event(running))
    await person.write("Entry 3")
    async with operation(transport, person, MY_FEED, after=seen[1]["cursor"]) as running:
        await person.write("Entry 4")
        again = [await event(running) for _ in range(3)]
    assert [each["entry"]["summary"] for each in seen] == [f"Entry {i}" for i in range(3)]
    assert [each["entry"]["summary"] for each in again] == [f"Entry {i}" for i in range(2, 5)]


@TRANSPORTS
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { myFeed(after: "nonsense") { cursor } }', "BAD_USER_INPUT"),
    ],
)
async def test_an_error_of_the_operation_reaches_the_client(
    server: RunningServer, transport: str, query: str, code: str
) -> None:
    async with operation(transport, await newcomer(server), query) as running:
        said = (await running.rest())[0]
    # Either client shows errors its own way: graphql-sse as a result without data.
    assert said["kind"] == ("error" if transport == "ws" else "next")
    assert said["value"]["errors"][0]["extensions"]["code"] == code


@TRANSPORTS
async def test_a_wrong_credential_is_turned_away(server: RunningServer, transport: str) -> None:
    stranger = Caller(server, token="a.b.c")
    async with script("client.js", transport, given(stranger, "{ __typename }")) as running:
        said = await running.rest()
    error = next(each["value"] for each in said if each["kind"] == "error")
    assert error["code" if transport == "ws" else "status"] == (4401 if transport == "ws" else 401)


@TRANSPORTS
async def test_signing_out_everywhere_ends_the_subscription(
    server: RunningServer, transport: str
) -> None:
    person = await newcomer(server)
    after = await origin(person)
    async with operation(transport, person, MY_FEED, after=after) as running:
        await person.write("Heard")
        await event(running)
        await person.ask("mutation { signOutEverywhere { __typename } }")
        said = {each["kind"]: each["value"] for each in await running.rest()}
    if transport == "ws":
        assert said["closed"]["code"] == said["error"]["code"] == 4403
    else:
        assert said["next"]["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "complete" in said
