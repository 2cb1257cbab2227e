"""Sessions in the graph: the caller's own, in order, by pages."""

from __future__ import annotations

from itertools import chain
from typing import Any
from uuid import UUID

import pytest

from db.engine import Database
from domain import sessions
from domain.actor import Actor
from domain.sessions import NewSession
from graph.schema import ids
from graph.schema.paging import Place, place_cursor
from tests.graph.client import Caller, newcomer
from tests.support.server import RunningServer

PAGE = """query ($first: Int, $after: Cursor) { sessions(first: $first, after: $after) {
  totalCount pageInfo { hasNextPage endCursor }
  nodes { id sessionId projectName conversationSize conversationLines updatedAt } } }"""


async def register(caller: Caller, *names: str) -> None:
    """Make sessions known, one after the other."""
    account_id = ids.decode("User", caller.id)
    url = caller.server.settings.database_url
    assert url is not None
    db = Database(url)
    for name in names:
        item = NewSession(session_id=name, project_name="tea", working_directory=f"/home/me/{name}")
        await sessions.register(db, Actor(account_id, {account_id: "owner"}), [item])
    await db.close()


async def test_sessions_come_last_changed_first_and_by_pages(server: RunningServer) -> None:
    owner, other = await newcomer(server), await newcomer(server)
    await register(owner, "a", "b", "c", "d", "e")
    found, after = [], None
    for _ in range(3):
        page = (await owner.ask(PAGE, first=2, after=after))["sessions"]
        assert page["totalCount"] == 5
        found += [node["sessionId"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert found == ["e", "d", "c", "b", "a"]
    assert not page["pageInfo"]["hasNextPage"]
    assert (await other.ask(PAGE))["sessions"]["nodes"] == []


async def test_a_session_is_a_node_of_its_owner_only(server: RunningServer) -> None:
    owner, other = await newcomer(server), await newcomer(server)
    await register(owner, "a")
    data = await owner.ask("{ viewer { sessions { nodes { id workingDirectory } } } }")
    (session,) = data["viewer"]["sessions"]["nodes"]
    assert session["workingDirectory"] == "/home/me/a"
    query = "query ($id: ID!) { node(id: $id) { id ... on Session { sessionId } } }"
    assert (await owner.ask(query, id=session["id"]))["node"]["sessionId"] == "a"
    assert (await other.ask(query, id=session["id"]))["node"] is None


async def test_sessions_of_one_project(server: RunningServer) -> None:
    owner = await newcomer(server)
    await register(owner, "a", "b")
    query = "query ($p: String) { sessions(project: $p) { totalCount nodes { sessionId } } }"
    assert (await owner.ask(query, p="a"))["sessions"]["nodes"] == [{"sessionId": "a"}]
    assert (await owner.ask(query, p="tea"))["sessions"]["totalCount"] == 2


LIST = """query ($filter: SessionFilter, $order: SessionOrder, $first: Int, $after: Cursor,
                 $last: Int, $before: Cursor) {
  sessions(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last,
           before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { sessionId title gitBranch startedAt conversationSize } } }"""


def transcript(day: int, branch: str, lines: int) -> bytes:
    """A conversation that began on that day of January."""
    return b"".join(
        b'{"type":"user","cwd":"/home/me/tea","gitBranch":"%s","timestamp":"2026-01-%02dT10:%02d:00Z",'
        b'"message":{"content":"Boil %d"}}\n' % (branch.encode(), day, i, day)
        for i in range(lines)
    )


async def back_up(caller: Caller, name: str, data: bytes) -> None:
    """Upload a conversation as the scripts do."""
    headers = {"x-api-key": str(caller.api_key), "content-type": "application/x-ndjson"}
    url = f"/api/sessions/conversation/{name}"
    answer = await caller.server.client.put(url, content=data, headers=headers)
    assert answer.status_code in {200, 201}, answer.text


async def listed(caller: Caller, order: str = "UPDATED", **filter: Any) -> list[str]:
    """The session ids of a list, which agrees with its own count."""
    page = (await caller.ask(LIST, filter=filter, order=order))["sessions"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["sessionId"] for node in page["nodes"]]


@pytest.fixture
async def owner(server: RunningServer) -> Caller:
    """Somebody with three conversations and a session without one."""
    owner = await newcomer(server)
    await register(owner, "none")
    await back_up(owner, "short", transcript(3, "main", 1))
    await back_up(owner, "long", transcript(1, "feature/x", 30))
    await back_up(owner, "middle", transcript(2, "main", 10))
    return owner


async def test_each_order_is_what_it_says(owner: Caller) -> None:
    assert await listed(owner) == ["middle", "long", "short", "none"]
    assert await listed(owner, "SIZE") == ["long", "middle", "short", "none"]
    started = await listed(owner, "STARTED")
    assert started == ["none", "short", "middle", "long"]


async def test_pages_in_every_order_meet_every_session_once_in_both_directions(
    owner: Caller,
) -> None:
    await register(owner, *"abcdef")  # all of the same size

    async def walk(order: str, size: str, place: str, cursor: str, more: str) -> list[list[str]]:
        pages, given = [], None
        while True:
            page = (await owner.ask(LIST, order=order, **{size: 3, place: given}))["sessions"]
            pages.append([node["sessionId"] for node in page["nodes"]])
            given = page["pageInfo"][cursor]
            if not page["pageInfo"][more]:
                return pages

    for order in ("UPDATED", "STARTED", "SIZE"):
        whole = await listed(owner, order)
        forward = await walk(order, "first", "after", "endCursor", "hasNextPage")
        backward = await walk(order, "last", "before", "startCursor", "hasPreviousPage")
        assert [*chain(*forward)] == whole
        assert [*chain(*reversed(backward))] == whole


async def test_every_filter_narrows_the_list(owner: Caller) -> None:
    assert await listed(owner, branch="main") == ["middle", "short"]
    assert await listed(owner, text="bOIL 3") == ["short"]
    assert await listed(owner, text="%") == []
    assert await listed(owner, hasConversation=False) == ["none"]
    assert await listed(owner, hasConversation=True, branch="feature/x") == ["long"]
    assert await listed(owner, since="2026-01-02T10:05:00Z", until="2026-01-03T09:00:00Z") == [
        "middle"
    ]
    assert await listed(owner, project="tea") == await listed(owner)


async def test_one_session_by_either_id(owner: Caller) -> None:
    query = "query ($i: ID, $s: String) { session(id: $i, sessionId: $s) { id sessionId } }"
    found = (await owner.ask(query, s="long"))["session"]
    assert (await owner.ask(query, i=found["id"]))["session"] == found
    other = await newcomer(owner.server)
    for variables in ({"s": "long"}, {"i": found["id"]}):
        assert await other.code(query, **variables) == "NOT_FOUND"
    for variables in ({}, {"s": "long", "i": found["id"]}, {"i": "?"}):
        assert await owner.code(query, **variables) == "BAD_USER_INPUT"


async def one(caller: Caller, name: str) -> str:
    """The global id of a session."""
    data = await caller.ask("query ($s: String) { session(sessionId: $s) { id } }", s=name)
    session_id: str = data["session"]["id"]
    return session_id


async def test_what_is_left_out_of_an_update_stays_and_what_is_null_goes(owner: Caller) -> None:
    session_id = await one(owner, "long")
    fields = "session { name projectName tags notes }"
    given = {"id": session_id, "name": "Tea", "project": "pot", "tags": ["a", "b", "a"]}
    made = await owner.do("updateSession", {**given, "notes": "Hot"}, fields)
    assert made["session"] == {
        "name": "Tea",
        "projectName": "pot",
        "tags": ["a", "b"],
        "notes": "Hot",
    }
    made = await owner.do("updateSession", {"id": session_id, "notes": None, "tags": []}, fields)
    assert made["session"] == {"name": "Tea", "projectName": "pot", "tags": [], "notes": None}
    assert await listed(owner, tags=["a"]) == []


async def test_bad_updates_name_the_field_and_strangers_find_nothing(owner: Caller) -> None:
    session_id = await one(owner, "long")
    for field, value in (("name", "x" * 1025), ("tags", ["x" * 51]), ("notes", "x" * 20_001)):
        refused = await owner.do(
            "updateSession", {"id": session_id, field: value}, "session { id }"
        )
        assert refused["problems"][0]["path"][:2] == ["input", field]
    other = await newcomer(owner.server)
    for mutation, fields in (("updateSession", "session { id }"), ("deleteSession", "deletedId")):
        refused = await other.do(mutation, {"id": session_id}, fields)
        assert refused["__typename"] == "NotFound"


async def test_a_deleted_session_is_gone_for_good(owner: Caller) -> None:
    session_id = await one(owner, "long")
    done = await owner.do("deleteSession", {"id": session_id}, "deletedId")
    assert done["deletedId"] == session_id
    assert (await owner.do("deleteSession", {"id": session_id}, "deletedId"))["__typename"] == (
        "NotFound"
    )
    assert "long" not in await listed(owner)


async def test_no_cursor_or_time_however_odd_is_a_fault_of_ours(server: RunningServer) -> None:
    person = await newcomer(server)
    odd = {"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59.999999Z"}
    for number in (-(2**63), -1, 2**63 - 1):
        cursor = place_cursor(Place(number, UUID(int=abs(number))))
        for order in ("UPDATED", "STARTED", "SIZE"):
            given = {"order": order, "after": cursor, "filter": {**odd, "text": "\\%_"}}
            assert await person.code(LIST, **given) in {None, "BAD_USER_INPUT"}
        for query in (
            "query ($c: Cursor) { sessionSummaries(after: $c) { totalCount nodes { id } } }",
            "query ($c: Cursor) { patterns(after: $c) { totalCount nodes { id } } }",
            "query ($c: Cursor) { patterns(before: $c, orderBy: NEWEST) { nodes { id } } }",
            'query ($c: Cursor) { patterns(after: $c, filter: { query: "a" }) { nodes { id } } }',
            "query ($c: Cursor) { viewer { contributions(after: $c) { nodes { approach } } } }",
        ):
            assert await person.code(query, c=cursor) in {None, "BAD_USER_INPUT"}
