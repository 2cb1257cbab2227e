"""Sessions in the graph: the caller's own, in order, by pages."""

from __future__ import annotations

from db.engine import Database
from domain import sessions
from domain.actor import Actor
from domain.sessions import NewSession
from graph.schema import ids
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
