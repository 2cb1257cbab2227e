"""Deleting an account: nothing of its own stays anywhere, and teams keep what was theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from app import build_services
from db.blobs import open_store
from domain import erasure
from domain.collector import Collector
from domain.errors import Conflict
from domain.services import Services
from graph.schema import ids
from settings import Settings
from tests.graph.client import Caller, Socket, newcomer, socket_of, team_of_two
from tests.graph.test_accounts import ME, MY_FEED, username_only, with_key
from tests.support.estate import PASSWORD, WORD, Estate, by_key, estate, tables_with
from tests.support.server import RunningServer

ENTRIES = """query ($team: ID!) { team(id: $team) { members { totalCount }
  audit { nodes { kind user { id } actor { id } address } }
  sharedSessions { totalCount }
  knowledge { nodes { summary authorDeleted author { id } } } } }"""
MAY_KEEP_THE_ID = {"audit", "knowledge", "log", "scopes", "session_shares"}
"""Tables that tell what teams went through, where the account is a number that leads nowhere."""


async def farewell(caller: Caller, **given: str) -> dict[str, Any]:
    return await caller.do("deleteAccount", given, "deletedId deletedTeams")


async def _closed(socket: Socket) -> int | None:
    """With which code the server closes it."""
    try:
        while True:
            await socket.receive()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    """What an operator's command works with."""
    services = build_services(settings)
    yield services
    await services.custody.close()
    await services.db.close()


async def test_nothing_that_the_account_wrote_is_in_the_database_any_more(
    server: RunningServer, services: Services
) -> None:
    left: Estate = await estate(server)
    before = await tables_with(server, WORD)
    assert set(before) >= {
        *("accounts", "api_keys", "audit", "invitations", "knowledge", "summaries", "sessions"),
        *("messages", "readings", "conversation_versions", "patterns", "contributions"),
        *("session_shares", "scopes"),
    }
    gone = await farewell(left.owner, password=PASSWORD)
    assert gone == {
        "__typename": "DeleteAccountPayload",
        "deletedId": left.owner.id,
        "deletedTeams": [f"Only {WORD}"],
    }
    assert await tables_with(server, WORD) == {}
    account = str(ids.decode("User", left.owner.id))
    assert set(await tables_with(server, account)) <= MAY_KEEP_THE_ID
    blobs = open_store(server.settings.blob_place)
    done = await Collector(services.db, blobs, timedelta(0)).collect()
    await blobs.close()
    assert (done.removed >= 3, done.kept) == (True, 0)


async def test_the_team_keeps_its_entries_and_its_log_without_the_name(
    server: RunningServer,
) -> None:
    left = await estate(server)
    async with socket_of(left.mate) as socket:
        await socket.subscribe(
            "subscription ($team: ID!) { teamFeed(teamId: $team) { __typename actor { id } } }",
            team=left.team_id,
        )
        await asyncio.sleep(0.2)
        await farewell(left.owner, password=PASSWORD)
        kinds = [(await socket.next())["teamFeed"]["__typename"] for _ in range(2)]
    assert kinds == ["MemberLeft", "SessionUnshared"]
    team = (await left.mate.ask(ENTRIES, team=left.team_id))["team"]
    assert team["members"]["totalCount"] == 1
    assert team["sharedSessions"]["totalCount"] == 0
    entry = {"summary": "What the team learned", "authorDeleted": True, "author": None}
    assert team["knowledge"]["nodes"] == [entry]
    events = team["audit"]["nodes"]
    kinds = [event["kind"] for event in events]
    assert kinds == ["MEMBER_LEFT", "MEMBER_JOINED", "INVITED", "TEAM_CREATED"]
    assert [event["address"] for event in events] == [None, *["127.0.0.1"] * 3]
    assert events[0]["actor"] is None


async def test_every_credential_and_socket_ends_at_once(server: RunningServer) -> None:
    person = await newcomer(server)
    async with socket_of(person) as socket, socket_of(person, by_key=True) as other:
        for each in (socket, other):
            await each.subscribe(MY_FEED)
        await asyncio.sleep(0.1)
        await farewell(person, password=PASSWORD)
        async with asyncio.timeout(1.5):
            for each in (socket, other):
                assert await _closed(each) == 4403
    for caller in (person, by_key(person)):
        assert await caller.code(ME) == "UNAUTHENTICATED"
    again = {"email": person.email, "password": PASSWORD}
    refused = await Caller(server).do("logIn", again, "token")
    assert refused["__typename"] == "InvalidCredentials"
    anew = await Caller(server).do("register", again, "viewer { id }")
    assert anew["viewer"]["id"] != person.id


async def test_it_takes_the_password_or_the_name_and_a_key_for_administration(
    server: RunningServer,
) -> None:
    person, bash = await newcomer(server), await username_only(server, "bash")
    for given in ({}, {"password": "a guess or so"}, {"username": "bash"}):
        refused = await farewell(person, **given)
        assert refused["problems"][0]["path"] == ["password"]
    for wrong in ({}, {"username": "dash"}, {"password": PASSWORD}):
        assert (await farewell(bash, **wrong))["problems"][0]["path"] == ["username"]
    writing = await with_key(person, "WRITE")
    assert (await farewell(writing, password=PASSWORD))["__typename"] == "Forbidden"
    for _ in range(server.settings.login_attempts_max):
        last = await farewell(person, password="a guess or so")
    assert last["__typename"] == "RateLimited"
    assert await person.code(ME) is await bash.code(ME) is None
    assert (await farewell(bash, username="Bash"))["__typename"] == "DeleteAccountPayload"
    assert await bash.code(ME) == "UNAUTHENTICATED"


async def test_whoever_owns_a_team_with_others_in_it_hands_it_over_first(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    await owner.write("Private")
    refused = await farewell(owner, password=PASSWORD)
    assert refused["__typename"] == "Conflict"
    assert '"Readers"' in refused["message"]
    assert (await owner.ask("{ knowledge { totalCount } }"))["knowledge"]["totalCount"] == 1
    await owner.do("transferOwnership", {"teamId": team_id, "userId": member.id}, "ownerId")
    assert (await farewell(owner, password=PASSWORD))["deletedTeams"] == []
    assert (await farewell(member, password=PASSWORD))["deletedTeams"] == ["Readers"]
    assert set(await tables_with(server, "Readers")) == set()


async def test_what_a_server_left_unfinished_another_finishes_in_small_steps(
    server: RunningServer, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = await estate(server)
    monkeypatch.setattr(erasure, "BATCH", 2)

    async def dies(*_given: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "erase", dies)
        with pytest.raises(ConnectionResetError):
            await erasure.delete_named(services, left.owner.email)
    assert await left.owner.code(ME) == "UNAUTHENTICATED"
    assert await tables_with(server, WORD)
    sweep = erasure.sweep_of(services)
    both = await asyncio.gather(sweep(services.db), sweep(services.db))
    assert sum(both) >= 1
    await sweep(services.db)
    assert await sweep(services.db) == 0
    assert await tables_with(server, WORD) == {}


async def test_of_two_deletions_at_once_one_is_carried_out(server: RunningServer) -> None:
    person = await newcomer(server)
    both = await asyncio.gather(
        *(person.post(DELETE, {"input": {"password": PASSWORD}}) for _ in range(2))
    )
    said = sorted(
        content["data"]["deleteAccount"]["__typename"] if content.get("data") else "refused"
        for content in (answer.json() for answer in both)
    )
    assert "DeleteAccountPayload" in said
    assert said[1] in {"DeleteAccountPayload", "refused", "Conflict"}


DELETE = """mutation ($input: DeleteAccountInput!) {
  deleteAccount(input: $input) { __typename } }"""


async def test_an_operator_is_told_which_team_stands_in_the_way(
    server: RunningServer, services: Services
) -> None:
    owner, _member, _team = await team_of_two(server)
    with pytest.raises(Conflict, match='"Readers"'):
        await erasure.delete_named(services, owner.email)
