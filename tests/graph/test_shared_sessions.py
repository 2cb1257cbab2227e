"""Sessions shared with teams: what their owners chose to show, to members, while it counts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from db.engine import Database
from domain import share_ends
from graph.schema import ids
from tests.graph.client import Caller, Socket, newcomer, socket_of, team_of_two
from tests.graph.test_sessions import back_up, one
from tests.graph.test_statements import counted
from tests.support.dial import dial
from tests.support.server import RunningServer

FACTS = "title projectName gitBranch directory startedAt endedAt conversationSize conversationLines"
SHARED = f"id {FACTS} note sharedAt expiresAt sharedBy {{ id email }} team {{ id }} sessionNodeId"
LIST = f"""query ($team: ID!) {{ team(id: $team) {{ sharedSessions {{
  totalCount nodes {{ {SHARED} }} }} }} }}"""
FEED = f"""subscription ($team: ID!, $after: Cursor) {{ teamFeed(teamId: $team, after: $after) {{
  __typename cursor actor {{ id }}
  ... on SharingEvent {{ sharedSessionId }}
  ... on SessionShared {{ sharedSession {{ {SHARED} }} }}
  ... on SessionUnshared {{ reason }} }} }}"""
NODE = f"query ($id: ID!) {{ node(id: $id) {{ id ... on SharedSession {{ {SHARED} }} }} }}"

Scene = tuple[Caller, Caller, str, str]


def transcript(cwd: str, prompt: str = "Boil water") -> bytes:
    return (
        f'{{"type":"user","cwd":"{cwd}","gitBranch":"main","timestamp":"2026-01-02T10:00:00Z",'
        f'"message":{{"content":"{prompt}"}}}}\n'
    ).encode()


@pytest.fixture
async def scene(server: RunningServer) -> Scene:
    """Somebody with a session, a team-mate who owns their team, the team, the session."""
    mate, owner, team_id = await team_of_two(server)
    await back_up(owner, "s", transcript("/home/ada/tea"))
    return owner, mate, team_id, await one(owner, "s")


async def share(owner: Caller, session_id: str, team_id: str, **more: Any) -> dict[str, Any]:
    """A shared session as its owner sees it."""
    given = {"id": session_id, "teamId": team_id, **more}
    made = await owner.do("shareSession", given, f"sharedSession {{ {SHARED} }}")
    assert made["__typename"] == "ShareSessionPayload", made
    shared: dict[str, Any] = made["sharedSession"]
    return shared


async def seen(caller: Caller, team_id: str) -> list[dict[str, Any]]:
    """What a member sees of the team's shared sessions."""
    connection = (await caller.ask(LIST, team=team_id))["team"]["sharedSessions"]
    assert connection["totalCount"] == len(connection["nodes"])
    nodes: list[dict[str, Any]] = connection["nodes"]
    return nodes


async def test_a_team_sees_what_its_member_shares(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    shared = await share(owner, session_id, team_id, note="Look here")
    (node,) = await seen(mate, team_id)
    assert node == shared
    assert node == {
        "id": shared["id"],
        "title": "Boil water",
        "projectName": "tea",
        "gitBranch": "main",
        "directory": "tea",
        "startedAt": "2026-01-02T10:00:00+00:00",
        "endedAt": "2026-01-02T10:00:00+00:00",
        "conversationSize": len(transcript("/home/ada/tea")),
        "conversationLines": 1,
        "note": "Look here",
        "sharedAt": shared["sharedAt"],
        "expiresAt": None,
        "sharedBy": {"id": owner.id, "email": owner.email},
        "team": {"id": team_id},
        "sessionNodeId": session_id,
    }
    assert (await mate.ask(NODE, id=shared["id"]))["node"] == node
    session = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await owner.ask(session, id=session_id))["node"] == {"id": session_id}
    assert (await mate.ask(session, id=session_id))["node"] is None
    assert await mate.code("query ($i: ID) { session(id: $i) { notes } }", i=session_id) == (
        "NOT_FOUND"
    )
    query = "query ($s: String) { session(sessionId: $s) { shares { id team { id } } } }"
    shares = (await owner.ask(query, s="s"))["session"]["shares"]
    assert shares == [{"id": shared["id"], "team": {"id": team_id}}]


async def test_only_the_chosen_facts_are_shown(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    await share(owner, session_id, team_id, show=["BRANCH"], title="About tea")
    (node,) = await seen(mate, team_id)
    shown = {name: node[name] for name in FACTS.split() if node[name] is not None}
    assert shown == {"title": "About tea", "gitBranch": "main"}
    await share(owner, session_id, team_id, show=[])
    (node,) = await seen(mate, team_id)
    assert not [name for name in FACTS.split() if node[name] is not None]


async def test_sharing_again_changes_the_share(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    first = await share(owner, session_id, team_id, note="One", title="One")
    second = await share(owner, session_id, team_id, note="Two")
    assert (first["id"], second["title"]) == (second["id"], "Boil water")
    assert [node["note"] for node in await seen(mate, team_id)] == ["Two"]


async def test_a_canary_in_what_is_private_reaches_no_team(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    canary = f"canary{uuid4().hex}"
    about = {"notes": canary, "tags": [canary[:40]], "name": f"-home-{canary}-tea"}
    await owner.do(
        "updateSession",
        {"id": session_id, "project": f"-home-{canary}-tea", **about},
        "session { id }",
    )
    await back_up(owner, "s", transcript("/home/ada/tea") + transcript(f"/{canary}/tea", canary))
    await back_up(owner, "private", transcript(f"/{canary}", canary))
    followed = asyncio.ensure_future(_first(mate, team_id))
    await asyncio.sleep(0.2)
    shared = await share(owner, session_id, team_id)
    assert shared["projectName"] == "tea"
    assert shared["title"] == "Boil water"
    queries = [
        (LIST, {"team": team_id}),
        (NODE, {"id": shared["id"]}),
        (NODE, {"id": session_id}),
        (NODE, {"id": await one(owner, "private")}),
        ("{ sessions { nodes { id title notes } } sessionSummaries { nodes { summary } } }", {}),
        ("query ($t: ID!) { sessionSummaries(teamId: $t) { nodes { summary } } }", {"t": team_id}),
        ("query ($t: ID!) { knowledge(teamId: $t) { nodes { summary } } }", {"t": team_id}),
        (f'{{ searchKnowledge(query: "{canary}") {{ nodes {{ summary }} }} }}', {}),
        (f'{{ patterns(filter: {{ query: "{canary}" }}) {{ nodes {{ approach }} }} }}', {}),
    ]
    for query, variables in queries:
        answer = (await mate.post(query, variables)).text.replace(query, "")
        assert canary[:40] not in answer
    assert canary[:40] not in str(await followed)


async def _first(caller: Caller, team_id: str) -> Any:
    async with socket_of(caller) as socket:
        await socket.subscribe(FEED, team=team_id)
        return await asyncio.wait_for(socket.next(), 5)


@pytest.mark.parametrize("folder", ["-home-ada-secret-tea", "C--Users-ada-tea", "/home/ada/tea/"])
async def test_folders_in_names_do_not_show_where_they_are(
    server: RunningServer, folder: str
) -> None:
    mate, owner, team_id = await team_of_two(server)
    headers = {"x-api-key": str(owner.api_key)}
    said = {"session_id": "s", "working_directory": folder, "project_name": folder, "name": folder}
    await server.client.post("/api/sessions", json=said, headers=headers)
    await share(owner, await one(owner, "s"), team_id)
    (node,) = await seen(mate, team_id)
    expected = "tea" if folder.startswith("/") else None
    assert (node["title"], node["projectName"], node["directory"]) == (None, expected, expected)


async def test_outsiders_and_viewers_share_nothing_and_outsiders_see_nothing(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    shared = await share(owner, session_id, team_id)
    outsider = await newcomer(owner.server)
    assert await outsider.code(LIST, team=team_id) == "NOT_FOUND"
    assert (await outsider.ask(NODE, id=shared["id"]))["node"] is None
    await back_up(outsider, "mine", transcript("/home/eve/x"))
    mine = await one(outsider, "mine")
    other_team = await outsider.found_team()

    async def refused(caller: Caller, session: str, team: str) -> str:
        given = {"id": session, "teamId": team}
        result = await caller.do("shareSession", given, "sharedSession { id }")
        name: str = result["__typename"]
        return name

    assert await refused(outsider, mine, team_id) == "NotFound"
    assert await refused(outsider, session_id, other_team) == "NotFound"
    assert await refused(mate, session_id, team_id) == "NotFound"
    assert await refused(owner, session_id, other_team) == "NotFound"
    own = str(ids.decode("User", owner.id))
    assert await refused(owner, session_id, own) == "NotFound"
    result = await outsider.do("unshareSession", {"id": shared["id"]}, "unsharedId")
    assert result["__typename"] == "NotFound"
    await _demote(owner, team_id)
    assert await refused(owner, session_id, team_id) == "Forbidden"
    assert len(await seen(owner, team_id)) == 1


async def _sql(caller: Caller, statement: str, *values: Any) -> Any:
    connection = await asyncpg.connect(caller.server.settings.database_url)
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


async def _demote(member: Caller, team_id: str) -> None:
    await _sql(
        member,
        "UPDATE memberships SET role = 'viewer' WHERE scope_id = $1 AND account_id = $2",
        ids.decode("Team", team_id),
        ids.decode("User", member.id),
    )


async def test_the_owner_and_who_leads_the_team_end_a_share_and_others_do_not(
    scene: Scene,
) -> None:
    owner, mate, team_id, session_id = scene
    third = await newcomer(owner.server)
    await mate.do("inviteToTeam", {"teamId": team_id, "email": third.email}, "memberId")
    for ender in (owner, mate):
        shared = await share(owner, session_id, team_id)
        result = await third.do("unshareSession", {"id": shared["id"]}, "unsharedId")
        assert result["__typename"] == "Forbidden"
        result = await ender.do("unshareSession", {"id": shared["id"]}, "unsharedId")
        assert result["unsharedId"] == shared["id"]
        assert await seen(mate, team_id) == []
        assert (await owner.ask(NODE, id=shared["id"]))["node"] is None
        result = await ender.do("unshareSession", {"id": shared["id"]}, "unsharedId")
        assert result["__typename"] == "NotFound"


async def test_the_feed_tells_of_sharing_and_of_each_way_to_end_it(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    async with socket_of(mate) as socket:
        await socket.subscribe(FEED, team=team_id)
        await asyncio.sleep(0.2)
        shared = await share(owner, session_id, team_id)
        event = (await socket.next())["teamFeed"]
        assert event["__typename"] == "SessionShared"
        assert event["sharedSession"] == shared
        assert event["actor"] == {"id": owner.id}
        await owner.do("unshareSession", {"id": shared["id"]}, "unsharedId")
        assert await _reason(socket, shared["id"]) == "UNSHARED"

        soon = datetime.now(UTC) + timedelta(seconds=1)
        shared = await share(owner, session_id, team_id, expiresAt=soon.isoformat())
        assert (await socket.next())["teamFeed"]["__typename"] == "SessionShared"
        await asyncio.sleep(1.1)
        assert await seen(mate, team_id) == []
        assert await _sweep(owner) == 1
        assert await _reason(socket, shared["id"]) == "EXPIRED"

        shared = await share(owner, session_id, team_id)
        await socket.next()
        await owner.do("deleteSession", {"id": session_id}, "deletedId")
        assert await _reason(socket, shared["id"]) == "SESSION_DELETED"
    assert await _sweep(owner) == 0


async def _reason(socket: Socket, share_id: str) -> str:
    event = (await socket.next())["teamFeed"]
    assert event["__typename"] == "SessionUnshared"
    assert event["sharedSessionId"] == share_id
    reason: str = event["reason"]
    return reason


async def _sweep(caller: Caller) -> int:
    db = Database(str(caller.server.settings.database_url))
    try:
        return await share_ends.sweep(db)
    finally:
        await db.close()


async def test_a_share_must_end_in_the_future(scene: Scene) -> None:
    owner, _mate, team_id, session_id = scene
    for past in ("2001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"):
        given = {"id": session_id, "teamId": team_id, "expiresAt": past}
        refused = await owner.do("shareSession", given, "sharedSession { id }")
        assert refused["problems"] == [
            {"path": ["input", "expiresAt"], "message": "must be in the future"}
        ]


async def test_who_leaves_takes_the_shares_along_and_coming_back_does_not_bring_them(
    scene: Scene,
) -> None:
    owner, mate, team_id, session_id = scene
    await share(owner, session_id, team_id)
    await mate.do("removeMember", {"teamId": team_id, "userId": owner.id}, "removedId")
    assert await seen(mate, team_id) == []
    await mate.do("inviteToTeam", {"teamId": team_id, "email": owner.email}, "memberId")
    assert await seen(mate, team_id) == []
    last = await _sql(owner, "SELECT kind, detail FROM log WHERE kind LIKE 'session_un%'")
    assert [(r["kind"], r["detail"]) for r in last] == [
        ("session_unshared", '{"reason": "member_left"}')
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM memberships WHERE account_id = $1 AND role = 'member'",
        "UPDATE sessions SET deleted_at = now() WHERE scope_id = $1",
        "DELETE FROM sessions WHERE scope_id = $1",
    ],
)
async def test_what_is_gone_by_whatever_way_is_out_of_sight_and_swept(
    scene: Scene, statement: str
) -> None:
    owner, mate, team_id, session_id = scene
    await share(owner, session_id, team_id)
    await _sql(owner, statement, ids.decode("User", owner.id))
    assert await seen(mate, team_id) == []
    assert await _sweep(owner) == 1
    assert await _sweep(owner) == 0


async def test_sharing_while_the_session_is_deleted_leaves_no_share(scene: Scene) -> None:
    owner, _mate, team_id, _session_id = scene
    teams = [team_id, *[await owner.found_team() for _ in range(3)]]
    for turn in range(dial(4, 100)):
        await back_up(owner, f"t{turn}", transcript("/home/ada/tea"))
        session_id = await one(owner, f"t{turn}")
        deletion = owner.do("deleteSession", {"id": session_id}, "deletedId")
        shares = [
            owner.do("shareSession", {"id": session_id, "teamId": team}, "__typename")
            for team in teams
        ]
        *made, gone = await asyncio.gather(*shares, deletion)
        assert gone["__typename"] == "DeleteSessionPayload"
        assert {result["__typename"] for result in made} <= {"ShareSessionPayload", "NotFound"}
    assert await _sql(owner, "SELECT 1 FROM session_shares WHERE deleted_at IS NULL") == []
    counts = await _sql(
        owner,
        "SELECT subject_id, count(*) FILTER (WHERE kind = 'session_shared') AS began,"
        " count(*) FILTER (WHERE kind = 'session_unshared') AS ended FROM log"
        " WHERE kind LIKE 'session_%shared' GROUP BY 1",
    )
    assert all(row["began"] == row["ended"] == 1 for row in counts)


async def test_shares_in_many_teams_end_with_the_session(scene: Scene) -> None:
    owner, _mate, team_id, session_id = scene
    teams = [team_id, *[await owner.found_team() for _ in range(4)]]
    for team in teams:
        await share(owner, session_id, team)
    await owner.do("deleteSession", {"id": session_id}, "deletedId")
    rows = await _sql(owner, "SELECT scope_id FROM log WHERE kind = 'session_unshared'")
    assert {r["scope_id"] for r in rows} == {ids.decode("Team", team) for team in teams}
    left = await _sql(owner, "SELECT id FROM session_shares WHERE deleted_at IS NULL")
    assert left == []


async def test_my_feed_has_the_session_of_each_event(scene: Scene) -> None:
    owner, mate, _team_id, session_id = scene
    query = """subscription { myFeed { __typename
      ... on SessionEvent { sessionNodeId session { id name } } } }"""
    async with socket_of(owner) as socket:
        await socket.subscribe(query)
        await asyncio.sleep(0.2)
        await owner.do("updateSession", {"id": session_id, "name": "Tea"}, "session { id }")
        event = (await socket.next())["myFeed"]
        assert event["__typename"] == "SessionUpdated"
        assert event["session"] == {"id": session_id, "name": "Tea"}
        await owner.do("deleteSession", {"id": session_id}, "deletedId")
        event = (await socket.next())["myFeed"]
    assert event == {
        "__typename": "SessionDeleted",
        "sessionNodeId": session_id,
        "session": None,
    }
    assert (await mate.ask(NODE, id=session_id))["node"] is None


async def test_lists_of_shared_sessions_cost_the_same_however_long(scene: Scene) -> None:
    owner, mate, team_id, session_id = scene
    await share(owner, session_id, team_id)
    query = f"""query ($team: ID!) {{ team(id: $team) {{ sharedSessions(first: 100) {{
      totalCount nodes {{ {SHARED} }} }} }} }}"""
    mine = "{ sessions(first: 100) { nodes { shares { id sharedBy { id } team { name } } } } }"
    figures = []
    for more in (0, 12):
        for number in range(more):
            await back_up(mate, f"m{number}", transcript("/home/bob/tea"))
            await share(mate, await one(mate, f"m{number}"), team_id)
            await back_up(owner, f"o{number}", transcript("/home/ada/tea"))
            await share(owner, await one(owner, f"o{number}"), team_id)
        with counted() as statements:
            data = await owner.ask(query, team=team_id)
            await owner.ask(mine)
        assert len(data["team"]["sharedSessions"]["nodes"]) == 1 + 2 * more
        figures.append(len(statements))
    assert figures[0] == figures[1] <= 14
