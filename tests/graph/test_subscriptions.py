"""graphql-transport-ws against the real server: lossless, resumable, and over when rights end."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from db.engine import Database
from domain import knowledge
from domain.actor import Actor
from domain.entries import EntryFields, Push
from graph.schema import ids
from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, Socket, newcomer, raw_socket, socket_of, team_of_two
from tests.support.dial import dial
from tests.support.server import RunningServer

TEAM_FEED = """
subscription ($team: ID!, $after: Cursor) { teamFeed(teamId: $team, after: $after) {
  __typename cursor at actorId actor { id }
  ... on KnowledgeCreated { entry { summary author { id } team { id } } }
  ... on KnowledgeEvent { entryId }
  ... on MembershipEvent { memberId }
} }
"""


async def push(writer: Caller, team_id: str, count: int) -> None:
    """Push entries as another machine of `writer` does, through another connection pool."""
    scope_id, account_id = ids.decode("Team", team_id), ids.decode("User", writer.id)
    actor = Actor(account_id, {account_id: "owner", scope_id: "member"})
    entries = tuple(
        EntryFields(type="decision", timestamp=i, summary=f"Entry {i}") for i in range(count)
    )
    url = writer.server.settings.database_url
    assert url is not None
    db = Database(url)
    await knowledge.push(db, actor, Push(entries=entries, teamId=scope_id))
    await db.close()


async def closed(socket: Socket, seconds: float = 1.5) -> tuple[int, float, list[Any]]:
    """The close code, how long it took, and what came before it."""
    began, before = time.monotonic(), []
    async with asyncio.timeout(seconds):
        try:
            while True:
                before.append(await socket.receive())
        except ConnectionClosed as ended:
            code = ended.rcvd.code if ended.rcvd else 1006
    return code, time.monotonic() - began, before


async def test_500_pushed_entries_arrive_once_and_in_order_across_a_dropped_connection(
    server: RunningServer,
) -> None:
    reader, writer, team_id = await team_of_two(server)
    seen: list[Any] = []
    async with socket_of(reader) as socket:
        await socket.subscribe(TEAM_FEED, team=team_id)
        await asyncio.sleep(0.1)
        await push(writer, team_id, 500)
        while len(seen) < 237:
            seen.append((await socket.next())["teamFeed"])
        socket.raw.transport.abort()
    async with socket_of(reader) as socket:
        await socket.subscribe(TEAM_FEED, team=team_id, after=seen[-1]["cursor"])
        while len(seen) < 500:
            seen.append((await socket.next())["teamFeed"])
        await writer.write("The last one", team_id)
        seen.append((await socket.next())["teamFeed"])
    assert [event["entry"]["summary"] for event in seen[:500]] == [f"Entry {i}" for i in range(500)]
    assert seen[500]["entry"] == {
        "summary": "The last one",
        "author": {"id": writer.id},
        "team": {"id": team_id},
    }
    assert all(event["actor"] == {"id": writer.id} for event in seen)


async def test_every_change_of_a_team_is_an_event(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    async with socket_of(owner) as socket:
        await socket.subscribe(TEAM_FEED, team=team_id)
        await asyncio.sleep(0.1)
        entry_id = await member.write("First", team_id)
        await member.do("updateKnowledge", {"id": entry_id, "tags": ["a"]}, "entry { id }")
        await member.do("deleteKnowledge", {"id": entry_id}, "deletedId")
        await member.do("leaveTeam", {"teamId": team_id}, "leftId")
        events = [(await socket.next())["teamFeed"] for _ in range(4)]
    assert [event["__typename"] for event in events] == [
        "KnowledgeCreated",
        "KnowledgeUpdated",
        "KnowledgeDeleted",
        "MemberLeft",
    ]
    assert [event.get("entryId") for event in events[:3]] == [entry_id] * 3
    assert events[3]["memberId"] == member.id


async def test_my_feed_has_my_own_space_only(server: RunningServer) -> None:
    owner, _member, team_id = await team_of_two(server)
    async with socket_of(owner, by_key=True) as socket:
        await socket.subscribe(
            "subscription { myFeed { ... on KnowledgeCreated { entry { summary } } } }"
        )
        await asyncio.sleep(0.1)
        await owner.write("In the team", team_id)
        await owner.write("In private")
        assert (await socket.next())["myFeed"]["entry"]["summary"] == "In private"


async def test_a_removed_members_socket_is_closed_within_a_second(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    async with socket_of(member) as socket:
        await socket.subscribe(TEAM_FEED, team=team_id)
        await asyncio.sleep(0.1)
        await owner.do("removeMember", {"teamId": team_id, "userId": member.id}, "removedId")
        await owner.write("Not for the one who is gone", team_id)
        code, took, before = await closed(socket)
    assert (code, before) == (4403, [])
    assert took < dial(8, 1.0)


async def test_a_revoked_keys_socket_is_closed_within_a_second(server: RunningServer) -> None:
    _owner, member, team_id = await team_of_two(server)
    viewer = (await member.ask("{ viewer { apiKeys { nodes { id } } } }"))["viewer"]
    async with socket_of(member, by_key=True) as socket:
        await socket.subscribe(TEAM_FEED, team=team_id)
        await asyncio.sleep(0.1)
        await member.do("revokeApiKey", {"id": viewer["apiKeys"]["nodes"][0]["id"]}, "revokedId")
        code, took, before = await closed(socket)
    assert (code, before) == (4403, [])
    assert took < dial(8, 1.0)


async def test_signing_out_everywhere_closes_sockets(server: RunningServer) -> None:
    person = await newcomer(server)
    async with socket_of(person) as socket:
        await socket.subscribe("subscription { myFeed { cursor } }")
        await asyncio.sleep(0.1)
        await person.ask("mutation { signOutEverywhere { __typename } }")
        code, _took, _before = await closed(socket)
    assert code == 4403


async def test_the_end_of_a_token_closes_its_socket(serve: Serve, settings: Settings) -> None:
    server = await serve(settings.model_copy(update={"jwt_expires_in": timedelta(seconds=2)}))
    person = await newcomer(server)
    async with socket_of(person) as socket:
        await socket.subscribe("subscription { myFeed { cursor } }")
        code, _took, before = await closed(socket, 4)
    assert (code, before) == (4401, [])


async def test_queries_and_mutations_go_over_the_socket_too(server: RunningServer) -> None:
    person = await newcomer(server)
    async with socket_of(person) as socket:
        await socket.subscribe("{ viewer { id } }", id="q")
        assert await socket.receive() == {
            "id": "q",
            "type": "next",
            "payload": {"data": {"viewer": {"id": person.id}}},
        }
        assert await socket.receive() == {"id": "q", "type": "complete"}
        await socket.subscribe("{ nonsense }", id="q")
        refused = await socket.receive()
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


async def test_a_completed_subscription_sends_nothing_more(server: RunningServer) -> None:
    person = await newcomer(server)
    async with socket_of(person) as socket:
        await socket.subscribe("subscription { myFeed { cursor } }", id="a")
        await asyncio.sleep(0.1)
        await socket.send(id="a", type="complete")
        await person.write("Nobody listens")
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


async def test_wrong_cursors_are_bad_input(server: RunningServer) -> None:
    owner, _member, team_id = await team_of_two(server)
    async with socket_of(owner) as socket:
        await socket.subscribe(TEAM_FEED, team=team_id, after="nonsense")
        message = await socket.receive()
    extensions = message["payload"][0]["extensions"]
    assert (message["type"], extensions["code"]) == ("error", "BAD_USER_INPUT")
    assert extensions["problems"][0]["path"] == ["after"]


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["not json"], 4400),
        (["[]"], 4400),
        (['{"type": "nonsense"}'], 4400),
        (['{"type": "connection_init", "payload": 1}'], 4400),
        (['{"type": "connection_init"}'], 4401),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer a.b.c"}}'], 4401),
        (['{"type": "connection_init", "payload": {"apiKey": 7}}'], 4401),
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ teams { id } }"}}'], 4401),
    ],
)
async def test_a_client_that_breaks_the_protocol_is_told_so(
    server: RunningServer, messages: list[str], code: int
) -> None:
    async with raw_socket(server) as socket:
        for message in messages:
            await socket.raw.send(message)
        assert (await closed(socket))[0] == code


async def test_protocol_errors_after_the_acknowledgement(server: RunningServer) -> None:
    person = await newcomer(server)
    async with socket_of(person) as socket:
        await socket.subscribe("subscription { myFeed { cursor } }")
        await socket.subscribe("subscription { myFeed { cursor } }")
        assert (await closed(socket))[0] == 4409
    async with socket_of(person) as socket:
        await socket.send(type="connection_init")
        assert (await closed(socket))[0] == 4429
    async with raw_socket(server, subprotocols=None) as socket:
        assert (await closed(socket))[0] == 4406


async def test_pages_of_other_origins_get_no_socket(serve: Serve, settings: Settings) -> None:
    server = await serve(settings.model_copy(update={"allowed_origins": ("https://ours.example",)}))
    for origin in (server.url, "https://ours.example"):
        async with raw_socket(server, origin=origin):
            pass
    with pytest.raises(InvalidStatus):
        async with raw_socket(server, origin="https://theirs.example"):
            pass


async def test_the_credential_may_come_with_the_upgrade(server: RunningServer) -> None:
    person = await newcomer(server)
    headers = {"x-api-key": str(person.api_key)}
    async with raw_socket(server, additional_headers=headers) as socket:
        await socket.send(type="connection_init")
        assert (await socket.receive())["type"] == "connection_ack"
