"""GraphQL over Server-Sent Events: one request is one operation, over when either side ends it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.feed import Follower, Hub
from graph import sse
from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, newcomer, team_of_two
from tests.support.dial import dial
from tests.support.server import RunningServer

EVENTS = {"accept": "text/event-stream"}
MY_FEED = "subscription ($after: Cursor) { myFeed(after: $after) { __typename cursor } }"
TEAM_FEED = "subscription ($team: ID!) { teamFeed(teamId: $team) { __typename } }"


class Stream:
    """A response of events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def receive(self) -> tuple[str, Any]:
        """The next event's name and data; ("", None) for a comment."""
        event: list[str] = []
        async with asyncio.timeout(10):
            while line := await anext(self._lines):
                event.append(line)
        if event == [":"]:
            return "", None
        name, data = event
        text = data.removeprefix("data: ")
        return name.removeprefix("event: "), json.loads(text) if text else None

    async def next(self) -> tuple[str, Any]:
        """The next event that is no comment."""
        while (event := await self.receive()) == ("", None):
            pass
        return event


@asynccontextmanager
async def stream_of(
    caller: Caller, query: str, variables: Mapping[str, Any] | None = None
) -> AsyncIterator[Stream]:
    """The events of an operation that was accepted."""
    body = {"query": query, "variables": dict(variables or {})}
    headers = {**EVENTS, **caller.headers}
    client = caller.server.client
    async with client.stream("POST", "/graphql", json=body, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)


def code(content: Any) -> str:
    """The code of the error that ended a stream."""
    found: str = content["errors"][0]["extensions"]["code"]
    return found


async def test_events_arrive_and_resume_behind_a_cursor(server: RunningServer) -> None:
    person = await newcomer(server)
    async with stream_of(person, MY_FEED) as stream:
        for i in range(3):
            await person.write(f"Entry {i}")
        seen = [await stream.next() for _ in range(3)]
    assert [name for name, _content in seen] == ["next"] * 3
    cursors = [content["data"]["myFeed"]["cursor"] for _name, content in seen]
    async with stream_of(person, MY_FEED, {"after": cursors[0]}) as stream:
        again = [(await stream.next())[1]["data"]["myFeed"]["cursor"] for _ in range(2)]
    assert again == cursors[1:]


async def test_a_query_is_one_event_and_a_completion(server: RunningServer) -> None:
    person = await newcomer(server)
    async with stream_of(person, "{ viewer { id } }") as stream:
        assert await stream.next() == ("next", {"data": {"viewer": {"id": person.id}}})
        assert await stream.next() == ("complete", None)
        with pytest.raises(StopAsyncIteration):
            await stream.receive()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { myFeed(after: "nonsense") { cursor } }', "BAD_USER_INPUT"),
        (f'subscription {{ teamFeed(teamId: "{UUID(int=7)}") {{ cursor }} }}', "NOT_FOUND"),
    ],
)
async def test_what_cannot_begin_is_told_as_an_event(
    server: RunningServer, query: str, expected: str
) -> None:
    person = await newcomer(server)
    async with stream_of(person, query) as stream:
        name, content = await stream.next()
        assert (name, code(content)) == ("next", expected)
        assert await stream.next() == ("complete", None)


async def test_nobody_follows_without_a_credential(server: RunningServer) -> None:
    async with stream_of(Caller(server), MY_FEED) as stream:
        assert code((await stream.next())[1]) == "UNAUTHENTICATED"
    wrong = {**EVENTS, "authorization": "Bearer a.b.c"}
    answer = await server.client.post("/graphql", json={"query": MY_FEED}, headers=wrong)
    assert answer.status_code == 401


async def test_get_follows_and_never_writes(server: RunningServer) -> None:
    person = await newcomer(server)
    headers = {**EVENTS, **person.headers}
    get = server.client.stream
    async with get("GET", "/graphql", params={"query": MY_FEED}, headers=headers) as response:
        stream = Stream(response)
        await person.write("Followed")
        name, content = await stream.next()
    assert (name, content["data"]["myFeed"]["__typename"]) == ("next", "KnowledgeCreated")
    write = {"query": "mutation { signOutEverywhere { __typename } }"}
    refused = await server.client.get("/graphql", params=write, headers=headers)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


async def test_who_takes_both_gets_events_for_a_subscription_only(server: RunningServer) -> None:
    person = await newcomer(server)
    headers = {"accept": "application/json, text/event-stream", **person.headers}
    read = await server.client.post(
        "/graphql", json={"query": "{ viewer { id } }"}, headers=headers
    )
    assert read.json() == {"data": {"viewer": {"id": person.id}}}
    body = {"query": MY_FEED}
    async with server.client.stream("POST", "/graphql", json=body, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")


async def test_a_quiet_stream_is_kept_alive(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE_SECONDS", 0.05)
    async with stream_of(await newcomer(server), MY_FEED) as stream:
        assert [await stream.receive() for _ in range(3)] == [("", None)] * 3


async def test_a_client_that_goes_is_not_followed_for_any_longer(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = threading.Event()
    forget = Hub.forget

    def record(hub: Hub, follower: Follower) -> None:
        forget(hub, follower)
        forgotten.set()

    monkeypatch.setattr(Hub, "forget", record)
    person = await newcomer(server)
    async with stream_of(person, MY_FEED) as stream:
        await person.write("Heard")
        await stream.next()
        assert not forgotten.is_set()
    assert await asyncio.to_thread(forgotten.wait, 2)


async def test_a_removed_member_hears_nothing_more_within_a_second(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    async with stream_of(member, TEAM_FEED, {"team": team_id}) as stream:
        await owner.do("removeMember", {"teamId": team_id, "userId": member.id}, "removedId")
        began = time.monotonic()
        await owner.write("Not for the one who left", team_id)
        name, content = await stream.next()
        assert (name, code(content)) == ("next", "FORBIDDEN")
        assert await stream.next() == ("complete", None)
        assert time.monotonic() - began < dial(8, 1.0)


async def test_signing_out_everywhere_ends_the_stream(server: RunningServer) -> None:
    person = await newcomer(server)
    async with stream_of(person, MY_FEED) as stream:
        await person.ask("mutation { signOutEverywhere { __typename } }")
        assert code((await stream.next())[1]) == "FORBIDDEN"
        assert await stream.next() == ("complete", None)


async def test_the_end_of_a_token_ends_the_stream(serve: Serve, settings: Settings) -> None:
    server = await serve(settings.model_copy(update={"jwt_expires_in": timedelta(seconds=2)}))
    async with stream_of(await newcomer(server), MY_FEED) as stream:
        assert code((await stream.next())[1]) == "UNAUTHENTICATED"
        assert await stream.next() == ("complete", None)
