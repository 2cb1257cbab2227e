"""`changes`: the log of several scopes in pages, exactly once, and in step with the feeds."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from domain import cursor
from domain.cursor import Position
from graph.schema import ids
from tests.graph.client import Caller, newcomer, socket_of, team_of_two
from tests.graph.test_statements import counted
from tests.support.mcp_client import entry
from tests.support.server import RunningServer

CHANGES = """
query ($after: Cursor, $scopes: [ID!], $first: Int) {
  changes(after: $after, scopes: $scopes, first: $first) {
    nodes { __typename cursor at actor { id }
      ... on KnowledgeCreated { entry { summary author { id } team { id } } }
      ... on MembershipEvent { memberId } }
    edges { cursor }
    pageInfo { hasNextPage endCursor }
  }
}
"""
FEED = """
subscription ($team: ID!, $after: Cursor) { teamFeed(teamId: $team, after: $after) {
  __typename cursor ... on KnowledgeCreated { entry { summary } } } }
"""


async def page(caller: Caller, **variables: Any) -> Any:
    return (await caller.ask(CHANGES, **variables))["changes"]


async def through(caller: Caller, first: int, **variables: Any) -> tuple[list[Any], str]:
    """All events behind `after`, page by page, and the last cursor."""
    events: list[Any] = []
    while True:
        found = await page(caller, first=first, **variables)
        events += found["nodes"]
        variables["after"] = found["pageInfo"]["endCursor"]
        assert [e["cursor"] for e in found["edges"]] == [e["cursor"] for e in found["nodes"]]
        if not found["pageInfo"]["hasNextPage"]:
            return events, variables["after"]


def written(events: list[Any]) -> list[str]:
    return [e["entry"]["summary"] for e in events if e["__typename"] == "KnowledgeCreated"]


async def refusal(caller: Caller, **variables: Any) -> tuple[str, list[Any]]:
    """The code of the error and the problems that it names."""
    errors = (await caller.post(CHANGES, variables)).json()["errors"]
    found = errors[0]["extensions"]
    return found["code"], [(p["path"], p["message"]) for p in found.get("problems", ())]


async def push(caller: Caller, team_id: str | None, *summaries: str) -> None:
    body: dict[str, Any] = {"entries": [entry(summary) for summary in summaries]}
    if team_id is not None:
        body["teamId"] = str(ids.decode("Team", team_id))
    answer = await caller.server.client.post(
        "/api/sync/push/knowledge", json=body, headers={"x-api-key": str(caller.api_key)}
    )
    assert answer.status_code == 200, answer.text


async def test_what_happens_after_the_cursor_of_now_comes_by_page_and_by_feed(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    await push(member, team_id, "Before")
    now = (await owner.ask("query ($s: [ID!]) { feedCursor(scopes: $s) }", s=[team_id]))[
        "feedCursor"
    ]
    everywhere = (await owner.ask("{ feedCursor }"))["feedCursor"]
    await push(member, team_id, "Between")
    await push(owner, None, "My own")
    assert written((await page(owner, after=now, scopes=[team_id]))["nodes"]) == ["Between"]
    assert written((await page(owner, after=everywhere))["nodes"]) == ["Between", "My own"]
    for cursor_of_now in (now, everywhere):
        async with socket_of(owner) as socket:
            await socket.subscribe(FEED, team=team_id, after=cursor_of_now)
            event = (await socket.next())["teamFeed"]
            assert event["entry"]["summary"] == "Between"
    stranger = await newcomer(server)
    answer = await stranger.post("query ($s: [ID!]) { feedCursor(scopes: $s) }", {"s": [team_id]})
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_all_scopes_come_in_one_order_whatever_the_page_size(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    other = await member.found_team("Others")
    expected = []
    for number in range(12):
        place = (None, team_id, other)[number % 3]
        await push(member, place, f"Entry {number}")
        expected.append(f"Entry {number}")
    await push(owner, None, "Private to the owner")
    for first in (1, 2, 5, 100):
        events, end = await through(member, first)
        assert written(events) == expected
        assert (await page(member, after=end))["nodes"] == []
    kinds = [event["__typename"] for event in events]
    assert kinds[:3] == ["TeamCreated", "MemberJoined", "TeamCreated"]


async def test_a_reader_may_stop_behind_any_event(server: RunningServer) -> None:
    _owner, member, team_id = await team_of_two(server)
    for number in range(6):
        await push(member, team_id if number % 2 else None, f"Entry {number}")
    everything = (await page(member, first=100))["nodes"]
    for number, event in enumerate(everything):
        rest, _end = await through(member, 2, after=event["cursor"])
        assert [e["cursor"] for e in rest] == [e["cursor"] for e in everything[number + 1 :]]


async def test_an_empty_page_has_a_cursor_to_go_on_from(server: RunningServer) -> None:
    caller = await newcomer(server)
    empty = await page(caller)
    assert empty["nodes"] == []
    assert not empty["pageInfo"]["hasNextPage"]
    await caller.write("The first")
    later = await page(caller, after=empty["pageInfo"]["endCursor"])
    assert written(later["nodes"]) == ["The first"]


async def test_a_kind_without_a_type_of_its_own_stops_no_reader(server: RunningServer) -> None:
    _owner, member, team_id = await team_of_two(server)
    for team in (team_id, await member.found_team("Others")):
        body = {"sessionId": "s", "summary": {"a": 1}, "teamId": str(ids.decode("Team", team))}
        answer = await server.client.post("/api/sessions", json=body, headers=member.headers)
        assert answer.status_code == 201
    events, _end = await through(member, 2)
    start = cursor.encode({ids.decode("Team", team_id): Position(0)})
    async with socket_of(member) as socket:
        await socket.subscribe(FEED, team=team_id, after=start)
        followed = [(await socket.next())["teamFeed"]["__typename"] for _ in range(4)]
    assert followed[:3] == ["TeamCreated", "MemberJoined", "SummarySaved"]
    assert len(events) == 6


async def test_only_the_named_scopes_are_read_and_the_others_keep_their_place(
    server: RunningServer,
) -> None:
    _owner, member, team_id = await team_of_two(server)
    await push(member, None, "Mine 1")
    _events, end = await through(member, 100)
    await push(member, None, "Mine 2")
    await push(member, team_id, "Ours")
    of_team, end = await through(member, 100, after=end, scopes=[team_id, team_id])
    assert written(of_team) == ["Ours"]
    own, end = await through(member, 100, after=end, scopes=[member.id])
    assert written(own) == ["Mine 2"]
    assert (await page(member, after=end))["nodes"] == []
    uuid = str(ids.decode("Team", team_id))
    assert (await page(member, after=end, scopes=[uuid, member.id]))["nodes"] == []


async def test_a_feeds_cursor_goes_on_here_and_a_cursor_from_here_goes_on_in_a_feed(
    server: RunningServer,
) -> None:
    reader, writer, team_id = await team_of_two(server)
    await push(reader, None, "Elsewhere")
    await push(writer, team_id, *(f"Entry {i}" for i in range(30)))
    first = await page(reader, first=10)
    seen = first["nodes"]
    async with socket_of(reader) as socket:
        await socket.subscribe(FEED, team=team_id, after=first["nodes"][-1]["cursor"])
        for _ in range(9):
            seen.append((await socket.next())["teamFeed"])
    scopes = [team_id]
    rest, end = await through(reader, 4, after=seen[-1]["cursor"], scopes=scopes)
    seen += rest
    async with socket_of(reader) as socket:
        await socket.subscribe(FEED, team=team_id, after=end)
        await asyncio.sleep(0.1)
        await push(writer, team_id, "The last")
        seen.append((await socket.next())["teamFeed"])
    assert written(seen) == ["Elsewhere", *(f"Entry {i}" for i in range(30)), "The last"]


async def test_scopes_that_one_has_left_are_dropped_and_come_back_from_their_beginning(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    await push(owner, team_id, "Before")
    _events, old = await through(member, 100)
    await member.do("leaveTeam", {"teamId": team_id}, "leftId")
    await push(owner, team_id, "Without you")
    events, outside = await through(member, 100, after=old)
    assert events == []
    assert (await refusal(member, after=old, scopes=[team_id]))[0] == "NOT_FOUND"
    await owner.do("inviteToTeam", {"teamId": team_id, "email": member.email}, "memberId")
    assert written((await through(member, 1, after=old))[0]) == ["Without you"]
    assert written((await through(member, 1, after=outside))[0]) == ["Before", "Without you"]


async def test_wrong_arguments_are_named(server: RunningServer) -> None:
    owner, _member, team_id = await team_of_two(server)
    scope_id = ids.decode("Team", team_id)
    ahead = cursor.encode({scope_id: Position(99, everything=True)})
    again = "fetch again what you keep, and start without a cursor"
    cases: list[tuple[dict[str, Any], list[str], str]] = [
        ({"after": "?"}, ["after"], "is not a cursor of this server"),
        ({"after": "\x00"}, ["after"], "must not contain the NUL character"),
        ({"after": ahead}, ["after"], f"is ahead of the log: {again}"),
        ({"first": 0}, ["first"], "must be from 1 to 100"),
        ({"first": 101}, ["first"], "must be from 1 to 100"),
        ({"scopes": []}, ["scopes"], "must name at least one scope, or be left out"),
        ({"scopes": [team_id, "?"]}, ["scopes", "1"], "is not the id of a Team or a User"),
    ]
    for variables, path, message in cases:
        code, problems = await refusal(owner, **variables)
        assert code == "BAD_USER_INPUT"
        assert [(list(where), what) for where, what in problems] == [(path, message)]


async def test_others_spaces_are_no_scopes_of_mine(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    foreign = await (await newcomer(server)).found_team()
    for scope in (foreign, owner.id, str(UUID(int=1))):
        code, problems = await refusal(member, scopes=[team_id, scope])
        assert (code, problems) == ("NOT_FOUND", [])


async def test_a_cursor_of_what_i_wrote_does_not_hide_what_others_wrote(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    await push(owner, team_id, "From the owner")
    await push(member, team_id, "From the member")
    pulled = await server.client.get(
        "/api/sync/pull/knowledge", headers={"x-api-key": str(member.api_key)}
    )
    events, _end = await through(member, 100, after=pulled.json()["cursor"])
    assert written(events) == ["From the owner", "From the member"]


@pytest.mark.parametrize("teams", [1, 8])
async def test_a_page_costs_the_same_whatever_its_size_and_the_number_of_scopes(
    server: RunningServer, teams: int
) -> None:
    caller = await newcomer(server)
    for _ in range(teams):
        team_id = await caller.found_team()
        await push(caller, team_id, *(f"Entry {i}" for i in range(30)))
    for first in (1, 100):
        with counted() as statements:
            await page(caller, first=first)
        # The credential, the bounds, the people, the teams; `counted` leaves the page itself out,
        # which reads from unnest as the feeds' background does.
        assert len(statements) <= 4, statements
