"""Session summaries in the graph: one's own and a team's, by pages, and live."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.graph.client import Caller, newcomer, socket_of, team_of_two
from tests.support.server import RunningServer

LIST = """query ($team: ID, $filter: SessionSummaryFilter, $first: Int, $after: Cursor) {
  sessionSummaries(teamId: $team, filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id sessionId project summary author { id } team { id } } } }"""


async def save(caller: Caller, session_id: str, **more: Any) -> str:
    """A summary's id."""
    given = {"sessionId": session_id, "summary": {"did": session_id}, **more}
    made = await caller.do("saveSessionSummary", given, "summary { id }")
    assert made["__typename"] == "SaveSessionSummaryPayload", made
    summary_id: str = made["summary"]["id"]
    return summary_id


async def listed(caller: Caller, team_id: str | None = None, **filter: Any) -> list[str]:
    page = (await caller.ask(LIST, team=team_id, filter=filter))["sessionSummaries"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["sessionId"] for node in page["nodes"]]


async def test_lists_hold_ones_own_and_the_named_teams(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    await save(owner, "private", project="tea")
    await save(owner, "shared", teamId=team_id)
    await save(member, "theirs", teamId=team_id, project="tea")
    await save(member, "secret")
    assert await listed(owner) == ["shared", "private"]
    assert await listed(owner, team_id) == ["theirs", "shared", "private"]
    assert await listed(owner, team_id, project="tea") == ["theirs", "private"]
    assert await listed(owner, team_id, authorId=member.id) == ["theirs"]
    assert await listed(owner, team_id, sessionId="shared") == ["shared"]
    assert await listed(owner, team_id, since="2100-01-01T00:00:00Z") == []
    assert len(await listed(owner, team_id, until="2100-01-01T00:00:00Z")) == 3
    data = await owner.ask(LIST, team=team_id, first=1)
    (node,) = data["sessionSummaries"]["nodes"]
    assert node["summary"] == {"did": "theirs"}
    assert (node["author"], node["team"]) == ({"id": member.id}, {"id": team_id})
    seen = [node["sessionId"]]
    while data["sessionSummaries"]["pageInfo"]["hasNextPage"]:
        after = data["sessionSummaries"]["pageInfo"]["endCursor"]
        data = await owner.ask(LIST, team=team_id, first=1, after=after)
        seen += [node["sessionId"] for node in data["sessionSummaries"]["nodes"]]
    assert seen == ["theirs", "shared", "private"]


async def test_only_the_author_deletes_a_summary(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    summary_id = await save(member, "theirs", teamId=team_id)
    outsider = await newcomer(server)
    for caller, answer in (
        (outsider, "NotFound"),
        (owner, "Forbidden"),
        (member, "DeleteSessionSummaryPayload"),
        (member, "NotFound"),
    ):
        done = await caller.do("deleteSessionSummary", {"id": summary_id}, "deletedId")
        assert done["__typename"] == answer
    query = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await member.ask(query, id=summary_id))["node"] is None


async def test_the_feed_has_the_summary_of_each_event(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    query = """subscription ($team: ID!) { teamFeed(teamId: $team) { __typename
      ... on SummaryEvent { summaryId } ... on SummarySaved { summary { sessionId summary } } } }"""
    async with socket_of(owner) as socket:
        await socket.subscribe(query, team=team_id)
        await asyncio.sleep(0.2)
        summary_id = await save(member, "s", teamId=team_id)
        event = (await socket.next())["teamFeed"]
        assert event["summary"] == {"sessionId": "s", "summary": {"did": "s"}}
        await save(member, "s", teamId=team_id, summary={"did": "more"})
        event = (await socket.next())["teamFeed"]
        assert event["summary"] == {"sessionId": "s", "summary": {"did": "more"}}
        await member.do("deleteSessionSummary", {"id": summary_id}, "deletedId")
        event = (await socket.next())["teamFeed"]
    assert event == {"__typename": "SummaryDeleted", "summaryId": summary_id}


async def test_what_is_no_object_is_refused(server: RunningServer) -> None:
    person = await newcomer(server)
    wrongs: list[Any] = [[], "text", 1, {"a": "\u0000"}]
    for wrong in wrongs:
        given = {"sessionId": "s", "summary": wrong}
        answer = await person.post(
            """mutation ($input: SaveSessionSummaryInput!) { saveSessionSummary(input: $input) {
               __typename ... on InvalidInput { problems { path } } } }""",
            {"input": given},
        )
        assert "INTERNAL" not in answer.text
        assert "SaveSessionSummaryPayload" not in answer.text
