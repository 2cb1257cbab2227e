"""One execution for all who ask the same, and never a word that is not everybody's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from domain import people
from domain.feed import FeedEvent, Follower
from graph.context import Context
from graph.fanout import Group, resuming_variable
from graph.resolvers import feeds
from graph.schema.feed import present
from tests.faults.test_many_sockets import DASHBOARD, beginning
from tests.graph.client import Caller, Socket, newcomer, socket_of, team_of_two
from tests.support.crowd import Crowd
from tests.support.server import RunningServer

PERSONAL = """
subscription ($team: ID!) { teamFeed(teamId: $team) {
  ... on KnowledgeCreated { entry { summary team { name myRole } } }
} }
"""


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The version of each event that is executed, as often as it is."""
    seen: list[int] = []
    execute = Group._execute

    async def counted(group: Group, event: FeedEvent, context: Context) -> Any:
        seen.append(event.version)
        return await execute(group, event, context)

    monkeypatch.setattr(Group, "_execute", counted)
    return seen


@asynccontextmanager
async def following(
    callers: list[Caller], query: str, **variables: Any
) -> AsyncIterator[list[Socket]]:
    """A socket of each caller that follows from now on."""
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(socket_of(who)) for who in callers]
        for socket in sockets:
            await socket.subscribe(query, **variables)
        await asyncio.sleep(0.3)
        yield sockets


async def test_a_dashboard_costs_one_execution_an_event_however_many_look_at_it(
    server: RunningServer, executions: list[int]
) -> None:
    owner, member, team_id = await team_of_two(server)
    after = beginning(team_id)
    async with (
        following([owner, member] * 4, DASHBOARD, team=team_id) as sockets,
        following([owner, member], DASHBOARD, team=team_id, after=after) as late,
    ):
        executions.clear()
        await member.write("Shared", team_id, tags=["a"])
        events = [(await socket.next())["teamFeed"] for socket in sockets]
        for socket in late:
            while (event := (await socket.next())["teamFeed"])["__typename"] != "KnowledgeCreated":
                pass
            events.append(event)
    assert executions.count(max(executions)) == 1
    assert all(event == events[0] for event in events)
    assert events[0]["actor"] == {"username": None, "email": member.email}
    assert events[0]["entry"]["team"] == {"id": team_id, "name": "Readers"}


async def test_what_depends_on_who_looks_is_answered_for_each(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    async with following([owner, member, owner], PERSONAL, team=team_id) as sockets:
        await member.write("Each for itself", team_id)
        entries = [(await socket.next())["teamFeed"]["entry"] for socket in sockets]
    assert [entry["team"]["myRole"] for entry in entries] == ["OWNER", "MEMBER", "OWNER"]
    assert {entry["summary"] for entry in entries} == {"Each for itself"}


async def test_other_variables_are_other_groups(
    server: RunningServer, executions: list[int]
) -> None:
    owner, _member, team_id = await team_of_two(server)
    query = """
    subscription ($team: ID!, $long: Boolean!) { teamFeed(teamId: $team) {
      ... on KnowledgeCreated { entry { summary details @include(if: $long) } }
    } }
    """
    async with (
        following([owner] * 2, query, team=team_id, long=True) as long,
        following([owner] * 2, query, team=team_id, long=False) as short,
    ):
        executions.clear()
        await owner.write("A", team_id, details="B")
        entries = [(await socket.next())["teamFeed"]["entry"] for socket in [*long, *short]]
    assert entries == [{"summary": "A", "details": "B"}] * 2 + [{"summary": "A"}] * 2
    assert len(executions) == 2


@pytest.mark.parametrize("query", [DASHBOARD, PERSONAL.replace("entry", "actor { email } entry")])
async def test_an_event_shows_people_through_its_team_alone(
    server: RunningServer, query: str
) -> None:
    owner, member, team_id = await team_of_two(server)
    other = await owner.found_team("Elsewhere")
    await owner.do("inviteToTeam", {"teamId": other, "email": member.email}, "memberId")
    entry_id = await member.write("By one who leaves", team_id)
    await member.do("leaveTeam", {"teamId": team_id}, "leftId")
    seen = (await owner.ask("query($id: ID!) { node(id: $id) { id } }", id=member.id))["node"]
    assert seen == {"id": member.id}, "they still share another team"
    query = query.replace("teamFeed(teamId: $team)", "teamFeed(teamId: $team, after: $after)")
    query = query.replace("($team: ID!)", "($team: ID!, $after: Cursor)")
    async with socket_of(owner) as socket:
        await socket.subscribe(query, team=team_id, after=beginning(team_id))
        while not (event := (await socket.next())["teamFeed"]).get("entry"):
            pass
    assert event["actor"] is None
    assert event["entry"].get("id", entry_id) == entry_id


async def test_an_answer_is_not_kept_for_those_who_come_late(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    variables = {"team": team_id, "after": beginning(team_id)}
    async with following([owner], DASHBOARD, **variables) as (early,):
        await member.write("By one who leaves", team_id)
        while not (event := (await early.next())["teamFeed"]).get("entry"):
            pass
        assert event["actor"]["email"] == member.email
        await member.do("leaveTeam", {"teamId": team_id}, "leftId")
        await asyncio.sleep(1.2)
        async with following([owner], DASHBOARD, **variables) as (late,):
            while not (event := (await late.next())["teamFeed"]).get("entry"):
                pass
    assert event["actor"] is None


async def test_one_that_breaks_off_in_the_middle_takes_nothing_from_the_others(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, executions: list[int]
) -> None:
    owner, member, team_id = await team_of_two(server)
    look_up = people.by_ids

    async def slowly(*given: Any) -> Any:
        await asyncio.sleep(0.4)
        return await look_up(*given)

    async with following([owner] * 3, DASHBOARD, team=team_id) as (first, second, third):
        monkeypatch.setattr(people, "by_ids", slowly)
        executions.clear()
        await member.write("Still told", team_id)
        await asyncio.sleep(0.1)
        first.raw.transport.abort()
        events = [(await socket.next())["teamFeed"] for socket in (second, third)]
    assert [event["actor"]["email"] for event in events] == [member.email] * 2
    assert len(executions) == 1


@pytest.mark.parametrize("id", ['"', "ü\n", "\ud800", "x" * 1000])
async def test_the_id_of_the_operation_comes_back_as_it_was(server: RunningServer, id: str) -> None:
    person = await newcomer(server)
    async with socket_of(person) as socket:
        await socket.subscribe("subscription { myFeed { __typename } }", id=id)
        await asyncio.sleep(0.2)
        await person.write("Ö")
        assert await socket.receive() == {
            "id": id,
            "type": "next",
            "payload": {"data": {"myFeed": {"__typename": "KnowledgeCreated"}}},
        }


async def test_of_a_hundred_one_is_removed_and_the_others_miss_nothing(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    await owner.write("push 0!", team_id)
    variables = {"team": team_id, "after": beginning(team_id)}
    crowd = await Crowd.start(
        server.url,
        readers=[{"apiKey": owner.api_key}] * 99,
        silent=[],
        document=DASHBOARD,
        **variables,
    )
    try:
        async with following([member], DASHBOARD, team=team_id) as (removed,):
            await owner.write("push 1!", team_id)
            assert (await removed.next())["teamFeed"]["entry"]["summary"] == "push 1!"
            await owner.do("removeMember", {"teamId": team_id, "userId": member.id}, "removedId")
            for number in range(2, 12):
                await owner.write(f"push {number}!", team_id)
            async with asyncio.timeout(1):
                await removed.raw.wait_closed()
            assert removed.raw.close_code == 4403
            with pytest.raises(Exception, match="4403"):
                await removed.receive()
        await asyncio.sleep(0.5)
        report = await crowd.report()
    finally:
        await crowd.end()
    assert (report["twice"], report["closed"]) == (0, {})
    assert {n: len(at) for n, at in report["arrivals"].items()} == {str(n): 99 for n in range(12)}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("subscription ($a: Cursor) { f(after: $a) { x } }", "a"),
        ("subscription ($a: Cursor, $b: ID) { f(id: $b, after: $a) { x } }", "a"),
        ("subscription ($a: Cursor) { f(after: $a) { x(after: $a) } }", None),
        ("subscription ($a: Cursor) { f { x(after: $a) } }", None),
        ('subscription { f(after: "x") { x } }', None),
    ],
)
def test_where_to_resume_is_not_part_of_the_question(document: str, expected: str | None) -> None:
    parsed = parse(document)
    operation = parsed.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert resuming_variable(parsed, operation) == expected


async def test_a_subscription_may_bring_events_of_its_own(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, executions: list[int]
) -> None:
    async def one_by_one(follower: Follower) -> AsyncIterator[object]:
        async for batch in follower:
            for event in batch:
                yield present(event)

    monkeypatch.setattr(feeds, "_feed", one_by_one)
    owner, member, team_id = await team_of_two(server)
    async with following([owner, member], PERSONAL, team=team_id) as sockets:
        await member.write("Each for itself", team_id)
        entries = [(await socket.next())["teamFeed"]["entry"] for socket in sockets]
    assert [entry["team"]["myRole"] for entry in entries] == ["OWNER", "MEMBER"]
    assert executions == []
