"""Conversations in the graph: by pages, by line, by words, raw, and live."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import httpx
import pytest

from tests.graph.client import Caller, newcomer, socket_of
from tests.graph.test_statements import counted
from tests.support.library import answered, said, transcript
from tests.support.server import RunningServer

PAGE = """query ($id: ID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor,
    $filter: MessageFilter, $aroundLine: Int) { node(id: $id) { ... on Session {
  messages(first: $first, after: $after, last: $last, before: $before, filter: $filter,
      aroundLine: $aroundLine) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor startCursor }
    nodes { line text raw }
  } } } }"""
FEED = """subscription ($session: ID!, $after: Cursor) {
  sessionFeed(sessionId: $session, after: $after) { cursor message { line text } } }"""


async def upload(caller: Caller, name: str, *lines: dict[str, Any] | bytes) -> str:
    """Back up a conversation, wait until it is read; the session's global id."""
    await put(caller, name, *lines)
    query = "{ sessions(first: 100) { nodes { id sessionId conversationSize reading { size } } } }"
    for _ in range(200):
        for node in (await caller.ask(query))["sessions"]["nodes"]:
            if node["sessionId"] == name and node["reading"]["size"] == node["conversationSize"]:
                return str(node["id"])
        await asyncio.sleep(0.05)
    raise AssertionError("it was never read")


async def put(caller: Caller, name: str, *lines: dict[str, Any] | bytes) -> None:
    url = f"/api/sessions/conversation/{name}"
    headers = {"X-Project-Name": "tea", **caller.headers}
    answer: httpx.Response = await caller.server.client.put(
        url, content=transcript(*lines), headers=headers
    )
    assert answer.status_code in {200, 201}, answer.text


def talk(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [said(f"Message {n}", f"u{n}") for n in range(first, first + count)]


async def lines_of(caller: Caller, id: str, **given: Any) -> tuple[list[int], dict[str, Any]]:
    page = (await caller.ask(PAGE, id=id, **given))["node"]["messages"]
    return [node["line"] for node in page["nodes"]], page


async def test_pages_both_ways_and_around_a_line(server: RunningServer) -> None:
    owner = await newcomer(server)
    id = await upload(owner, "s", *talk(25))
    found, page = await lines_of(owner, id, first=10)
    assert (found, page["totalCount"]) == ([*range(1, 11)], 25)
    found, page = await lines_of(owner, id, first=10, after=page["pageInfo"]["endCursor"])
    assert found == [*range(11, 21)]
    found, page = await lines_of(owner, id, last=5, before=page["pageInfo"]["startCursor"])
    assert found == [*range(6, 11)]
    found, page = await lines_of(owner, id, first=4, aroundLine=12)
    assert found == [10, 11, 12, 13]
    assert page["pageInfo"]["hasNextPage"]
    assert page["pageInfo"]["hasPreviousPage"]
    assert (await lines_of(owner, id, first=4, aroundLine=1))[0] == [1, 2, 3, 4]
    assert (await lines_of(owner, id, first=4, aroundLine=99))[0] == [24, 25]
    assert (await lines_of(owner, id, first=1, aroundLine=7))[0] == [7]


async def test_raw_is_what_was_written(server: RunningServer) -> None:
    owner = await newcomer(server)
    lines: list[dict[str, Any] | bytes] = [
        *talk(3),
        b"no JSON \xc3\xa9",
        answered("m", "r", (1, 2, 0, 0, 0), odd="\x00 \ud83d"),
    ]
    id = await upload(owner, "s", *lines)
    _found, page = await lines_of(owner, id)
    written = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    assert [node["raw"].encode() for node in page["nodes"]] == written


async def test_filters(server: RunningServer) -> None:
    owner = await newcomer(server)
    lines = [
        *talk(2),
        answered("m", "r", (1, 2, 0, 0, 0)),
        said("of an agent", isSidechain=True),
        {"type": "summary", "summary": "Talk about tea"},
    ]
    id = await upload(owner, "s", *lines)
    for filter, expected in (
        ({"roles": ["assistant"]}, [3]),
        ({"kinds": ["summary", "assistant"]}, [3, 5]),
        ({"sidechains": True}, [4]),
        ({"sidechains": False, "roles": ["user"]}, [1, 2]),
        ({"text": "tea"}, [5]),
        ({"text": '"message 2"'}, [2]),
        ({"text": "!!"}, []),
    ):
        found, page = await lines_of(owner, id, filter=filter)
        assert (found, page["totalCount"]) == (expected, len(expected))


SESSION = """query ($id: ID!) { node(id: $id) { ... on Session {
  counts { kind count } models claudeVersions folders gitBranches
  reading { version lines problem } versions { number size lines digest }
  message(uuid: "u2") { line text sessionId } nothing: message(uuid: "?") { line }
  usage { total { messages input output cacheCreation cacheCreation1h cacheRead }
    byModelAndDay { model day tokens { output } } } } }
  viewer { tokenUsage(by: MODEL, from: "2026-05-01", to: "2026-05-01") { name tokens { output } }
    days: tokenUsage { name } projects: tokenUsage(by: PROJECT) { name } } }"""


async def test_what_a_conversation_says(server: RunningServer) -> None:
    owner = await newcomer(server)
    answers = [answered("m", "r", (1, n, 3, 2, 4), version="2.1", cwd="/app") for n in (1, 9)]
    id = await upload(owner, "s", *talk(2), *answers)
    data = await owner.ask(SESSION, id=id)
    node = data["node"]
    assert node["counts"] == [{"kind": "assistant", "count": 2}, {"kind": "user", "count": 2}]
    assert (node["models"], node["claudeVersions"]) == (["opus"], ["2.1"])
    assert (node["folders"], node["gitBranches"]) == (["/app"], [])
    assert node["reading"] == {"version": 1, "lines": 4, "problem": None}
    assert (node["versions"][0]["number"], node["versions"][0]["lines"]) == (1, 4)
    assert node["message"] == {"line": 2, "text": "Message 2", "sessionId": id}
    assert node["nothing"] is None
    figures = {"input": 1, "output": 9, "cacheCreation": 3, "cacheCreation1h": 2, "cacheRead": 4}
    assert node["usage"]["total"] == {"messages": 1, **figures}
    by = {"model": "opus", "day": "2026-05-01", "tokens": {"output": 9}}
    assert node["usage"]["byModelAndDay"] == [by]
    viewer = data["viewer"]
    assert viewer["tokenUsage"] == [{"name": "opus", "tokens": {"output": 9}}]
    assert viewer["days"] == [{"name": "2026-05-01"}]
    assert viewer["projects"] == [{"name": "tea"}]


SEARCH = """query ($q: String!, $filter: ConversationFilter, $first: Int, $after: Cursor) {
  searchConversations(query: $q, filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { message { line uuid } session { id sessionId } snippet { text hit } } } }"""


async def hits(caller: Caller, q: str, **given: Any) -> list[tuple[str, int]]:
    found = (await caller.ask(SEARCH, q=q, **given))["searchConversations"]
    assert found["totalCount"] == len(found["nodes"])
    return [(node["session"]["sessionId"], node["message"]["line"]) for node in found["nodes"]]


async def test_search_leads_to_the_message(server: RunningServer) -> None:
    owner, other = await newcomer(server), await newcomer(server)
    early = said("The kettle is hot", "k1", timestamp="2026-04-01T00:00:00Z")
    a = await upload(owner, "a", *talk(1), early)
    await upload(owner, "b", said("Is the kettle hot?", "k2"), answered("m", "r", (1, 1, 0, 0, 0)))
    assert await hits(owner, "KETTLE") == [("b", 1), ("a", 2)]
    assert await hits(owner, '"kettle hot"') == [("b", 1)]
    assert await hits(owner, "kettle", filter={"session": a}) == [("a", 2)]
    assert await hits(owner, "kettle", filter={"project": "tea", "role": "user"}) != []
    assert await hits(owner, "kettle", filter={"project": "coffee"}) == []
    assert await hits(owner, "kettle", filter={"since": "2026-04-15T00:00:00Z"}) == [("b", 1)]
    assert await hits(owner, "kettle", filter={"until": "2026-04-15T00:00:00Z"}) == [("a", 2)]
    assert await hits(other, "kettle") == []
    page = (await owner.ask(SEARCH, q="kettle", first=1))["searchConversations"]
    assert page["nodes"][0]["snippet"] == [
        {"text": "Is the ", "hit": False},
        {"text": "kettle", "hit": True},
        {"text": " hot?", "hit": False},
    ]
    cursor = page["pageInfo"]["endCursor"]
    page = (await owner.ask(SEARCH, q="kettle", first=1, after=cursor))["searchConversations"]
    assert [node["message"]["uuid"] for node in page["nodes"]] == ["k1"]
    assert not page["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize(
    ("q", "after"), [(" ", None), ("x" * 501, None), ("a", "x"), ("a", "WzEsMiwzXQ==")]
)
async def test_bad_searches_are_told(server: RunningServer, q: str, after: str | None) -> None:
    owner = await newcomer(server)
    assert await owner.code(SEARCH, q=q, after=after) == "BAD_USER_INPUT"


@pytest.mark.parametrize("text", ["\x00", "' & !", "\\", "a:* <-> |", "😀"])
async def test_nothing_that_is_typed_is_a_fault(server: RunningServer, text: str) -> None:
    owner = await newcomer(server)
    id = await upload(owner, "s", *talk(1))
    for given in ({"text": text}, {"roles": [text]}, {"kinds": [text]}):
        assert await owner.code(PAGE, id=id, filter=given) in {None, "BAD_USER_INPUT"}
    assert await owner.code(SEARCH, q=text) in {None, "BAD_USER_INPUT"}
    query = "query ($id: ID!, $u: String!) { node(id: $id) { ... on Session { message(uuid: $u)"
    query += " { line } messages(file: $u) { totalCount } } } }"
    assert await owner.code(query, id=id, u=text) in {None, "BAD_USER_INPUT"}
    filter = {"project": text, "role": text}
    assert await owner.code(SEARCH, q="a", filter=filter) in {None, "BAD_USER_INPUT"}


async def test_an_outsider_learns_nothing(server: RunningServer) -> None:
    owner, outsider = await newcomer(server), await newcomer(server)
    id = await upload(owner, "s", *talk(1))
    assert (await outsider.ask(PAGE, id=id))["node"] is None
    assert await hits(outsider, "message", filter={"session": id}) == []
    async with socket_of(outsider) as socket:
        await socket.subscribe(FEED, session=id)
        message = await socket.receive()
    assert message["payload"][0]["extensions"]["code"] == "NOT_FOUND"
    assert await Caller(server).code(SEARCH, q="a") == "UNAUTHENTICATED"


LISTED = """query ($first: Int) { sessions(first: $first) { nodes {
  counts { kind } files { path } models usage { total { output } } versions { number }
  message(uuid: "u1") { line } messages(last: 3) { nodes { raw } } } }
  searchConversations(query: "message", first: $first) {
  nodes { message { raw } session { title } } } }"""


async def test_a_sessions_files_are_listed_to_its_owner_alone(server: RunningServer) -> None:
    owner, outsider = await newcomer(server), await newcomer(server)
    id = await upload(owner, "s", *talk(1))
    for path in ("tool-results/b.txt", "subagents/agent-a.jsonl"):
        place = f"/api/sessions/s/files/{path}"
        await server.client.put(place, headers=owner.headers, content=b"one\ntwo\n")
    query = """query ($id: ID!) { node(id: $id) { ... on Session {
      files { path version size lines digest } } } }"""
    found = (await owner.ask(query, id=id))["node"]["files"]
    assert [file["path"] for file in found] == ["subagents/agent-a.jsonl", "tool-results/b.txt"]
    assert found[1] | {"path": "", "digest": ""} == {
        "path": "", "version": 1, "size": 8, "lines": 2, "digest": "",
    }  # fmt: skip
    assert found[1]["digest"] == hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert (await outsider.ask(query, id=id))["node"] is None


async def test_a_list_needs_no_more_statements_than_one_session(server: RunningServer) -> None:
    owner = await newcomer(server)
    for number in range(6):
        await upload(owner, f"s{number}", *talk(1))
    await owner.ask(LISTED, first=1)  # the first request also notes when the key was used
    figures = []
    for first in (1, 6):
        with counted() as statements:
            await owner.ask(LISTED, first=first)
        figures.append(len(statements))
    # Records are fetched as the lists above them arrive: in one batch or in two.
    assert max(figures) <= 11


async def test_a_running_session_is_followed(server: RunningServer) -> None:
    owner = await newcomer(server)
    id = await upload(owner, "s", *talk(2))
    _found, page = await lines_of(owner, id, first=1)
    after = page["pageInfo"]["endCursor"]
    async with socket_of(owner) as socket:
        await socket.subscribe(FEED, session=id)
        await asyncio.sleep(0.3)
        await put(owner, "other", *talk(9))
        await put(owner, "s", *talk(4))
        assert [(await socket.next())["sessionFeed"]["message"]["line"] for _ in "ab"] == [3, 4]
        await put(owner, "s", *talk(5))
        event = (await socket.next())["sessionFeed"]
        assert event["message"] == {"line": 5, "text": "Message 5"}
        await put(owner, "s", *talk(9, first=100))
        event = (await socket.next())["sessionFeed"]
        assert event["message"] is None
        await put(owner, "s", *talk(10, first=100))
        assert (await socket.next())["sessionFeed"]["message"]["line"] == 10
    async with socket_of(owner) as socket:
        await socket.subscribe(FEED, session=id, after=after)
        lines = [(await socket.next())["sessionFeed"]["message"]["line"] for _ in range(9)]
        assert lines == [*range(2, 11)]
