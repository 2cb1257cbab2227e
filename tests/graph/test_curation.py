"""Moving, pinning, starring and tagging: done once, seen by whom it concerns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graph.client import Caller, Json, newcomer, socket_of, team_of_two
from tests.support.server import RunningServer

ENTRY = "entry { id summary tags pinnedAt starred team { id } }"
FEED = """subscription ($team: ID!) { teamFeed(teamId: $team) {
  __typename ... on KnowledgeEvent { entryId } } }"""
DOINGS: dict[str, Json] = {
    "moveKnowledge": {},
    "pinKnowledge": {},
    "unpinKnowledge": {},
    "starKnowledge": {},
    "unstarKnowledge": {},
    "tagKnowledge": {"add": ["new"]},
}


async def pull(caller: Caller, since: str | None, team_id: str | None = None) -> Json:
    params = {"since": since or "", **({"teamId": team_id} if team_id else {})}
    response = await caller.server.client.get(
        "/api/sync/pull/knowledge", params=params, headers=caller.headers
    )
    content: Json = response.json()
    return content


def bare(team_id: str) -> str:
    from graph.schema import ids

    return str(ids.decode("Team", team_id))


async def listed(caller: Caller, **variables: Any) -> list[str]:
    query = """query ($filter: KnowledgeFilter, $team: ID) {
      knowledge(filter: $filter, teamId: $team) { nodes { summary } } }"""
    nodes = (await caller.ask(query, **variables))["knowledge"]["nodes"]
    return [node["summary"] for node in nodes]


async def test_an_entry_moves_between_scopes_and_keeps_its_id(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    entry_id = await owner.write("Wanders")
    node = "query ($id: ID!) { node(id: $id) { id } }"
    for _ in range(2):  # there and back, twice: over the tombstones of the first time
        moved = await owner.do("moveKnowledge", {"id": entry_id, "teamId": team_id}, ENTRY)
        assert moved["entry"]["id"] == entry_id
        assert moved["entry"]["team"] == {"id": team_id}
        assert (await member.ask(node, id=entry_id))["node"] == {"id": entry_id}
        back = await owner.do("moveKnowledge", {"id": entry_id}, ENTRY)
        assert back["entry"]["team"] is None
        assert (await member.ask(node, id=entry_id))["node"] is None
        assert await listed(owner) == ["Wanders"]
    gone = await owner.do("restoreKnowledge", {"id": entry_id}, ENTRY)
    assert gone["__typename"] == "NotFound"
    await owner.do("deleteKnowledge", {"id": entry_id}, "deletedId")
    assert (await owner.do("restoreKnowledge", {"id": entry_id}, ENTRY))["entry"]["id"] == entry_id
    assert await listed(owner) == ["Wanders"]


async def test_what_moved_away_is_not_restored_where_it_was(server: RunningServer) -> None:
    _owner, member, team_id = await team_of_two(server)
    entry_id = await member.write("Gone with the team")
    await member.do("moveKnowledge", {"id": entry_id, "teamId": team_id}, ENTRY)
    await member.do("deleteKnowledge", {"id": entry_id}, "deletedId")
    await member.do("leaveTeam", {"teamId": team_id}, "leftId")
    tried = await member.do("restoreKnowledge", {"id": entry_id}, ENTRY)
    assert tried["__typename"] == "NotFound"
    assert await listed(member) == []


async def test_followers_of_the_old_team_see_it_go_and_those_of_the_new_one_come(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    other_team = await owner.found_team("Others")
    entry_id = await owner.write("Wanders", team_id)
    async with socket_of(member) as old, socket_of(owner) as new:
        await old.subscribe(FEED, team=team_id)
        await new.subscribe(FEED, team=other_team)
        for caller, team in ((member, team_id), (owner, other_team)):  # both follow by now
            await caller.ask("query ($t: ID!) { team(id: $t) { id } }", t=team)
        await owner.write("First", team_id)
        await owner.write("Second", other_team)
        await old.next()
        await new.next()
        await owner.do("moveKnowledge", {"id": entry_id, "teamId": other_team}, ENTRY)
        assert (await old.next())["teamFeed"] == {
            "__typename": "KnowledgeDeleted",
            "entryId": entry_id,
        }
        assert (await new.next())["teamFeed"] == {
            "__typename": "KnowledgeCreated",
            "entryId": entry_id,
        }


async def test_pulls_of_both_scopes_lose_nothing_by_a_move(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    entry_id = await owner.write("Wanders", team_id, details="the text")
    places = {
        (caller, team): (await pull(caller, None, team))["cursor"]
        for caller in (owner, member)
        for team in (None, bare(team_id))
    }
    for target in (None, team_id):
        await owner.do("moveKnowledge", {"id": entry_id, "teamId": target}, ENTRY)
        for (caller, team), cursor in places.items():
            answer = await pull(caller, cursor, team)
            places[caller, team] = answer["cursor"]
            told = [e.get("deleted", False) for e in answer["entries"]]
            if caller is owner:
                assert told == [False]
            elif team is not None:
                assert told == [target is None]
            else:
                assert told == []
            assert "the text" in str(answer) or True not in [not t for t in told]


async def test_only_the_author_moves_and_only_where_it_may_write(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    foreign = await (await newcomer(server)).found_team("Foreign")
    entry_id = await owner.write("Mine", team_id)
    await owner.write("Mine")
    moved = await member.do("moveKnowledge", {"id": entry_id}, ENTRY)
    assert moved["__typename"] == "Forbidden"
    moved = await owner.do("moveKnowledge", {"id": entry_id, "teamId": foreign}, ENTRY)
    assert moved["__typename"] == "Forbidden"
    moved = await owner.do("moveKnowledge", {"id": entry_id}, ENTRY)
    assert moved["__typename"] == "Conflict"
    assert (await owner.do("moveKnowledge", {"id": entry_id, "teamId": team_id}, ENTRY))["entry"]


@pytest.mark.parametrize("name", DOINGS)
async def test_outsiders_find_nothing_to_keep_in_order(server: RunningServer, name: str) -> None:
    owner, _member, team_id = await team_of_two(server)
    outsider = await newcomer(server)
    entry_id = await owner.write("Ours", team_id)
    result = await outsider.do(name, {"id": entry_id, **DOINGS[name]}, "entry { id }")
    assert result["__typename"] == "NotFound"
    wrong = await outsider.do(name, {"id": "nonsense", **DOINGS[name]}, "entry { id }")
    assert wrong["problems"][0]["path"] == ["input", "id"]


async def test_a_pin_is_for_everybody_and_a_star_for_oneself(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    entry_id = await owner.write("Ours", team_id)
    await owner.write("Other", team_id)
    head = (await pull(owner, None, bare(team_id)))["cursor"]
    first = (await member.do("pinKnowledge", {"id": entry_id}, ENTRY))["entry"]["pinnedAt"]
    again = (await owner.do("pinKnowledge", {"id": entry_id}, ENTRY))["entry"]["pinnedAt"]
    assert first == again is not None
    assert len((await pull(owner, head, bare(team_id)))["entries"]) == 1
    assert await listed(owner, filter={"pinned": True}, team=team_id) == ["Ours"]
    assert await listed(owner, filter={"pinned": False}, team=team_id) == ["Other"]
    unpinned = await owner.do("unpinKnowledge", {"id": entry_id}, ENTRY)
    assert unpinned["entry"]["pinnedAt"] is None
    for _ in range(2):
        assert (await member.do("starKnowledge", {"id": entry_id}, ENTRY))["entry"]["starred"]
    assert await listed(member, filter={"starred": True}, team=team_id) == ["Ours"]
    assert await listed(member, filter={"starred": False}, team=team_id) == ["Other"]
    assert await listed(owner, filter={"starred": True}, team=team_id) == []
    taken = await member.do("unstarKnowledge", {"id": entry_id}, ENTRY)
    assert taken["entry"]["starred"] is False


async def test_stars_are_followed_in_ones_own_feed_only(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    entry_id = await owner.write("Ours", team_id)
    feed = """subscription { myFeed { __typename
      ... on KnowledgeStarred { entryId starred } } }"""
    async with socket_of(member) as socket:
        await socket.subscribe(feed)
        await member.write("Own")
        assert (await socket.next())["myFeed"]["__typename"] == "KnowledgeCreated"
        for name in ("star", "star", "unstar", "unstar"):
            await member.do(f"{name}Knowledge", {"id": entry_id}, ENTRY)
        for there in (True, False):
            event = (await socket.next())["myFeed"]
            assert event == {
                "__typename": "KnowledgeStarred",
                "entryId": entry_id,
                "starred": there,
            }


async def test_tags_are_added_and_taken_by_whoever_may_write(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    entry_id = await owner.write("Ours", team_id, tags=["a", "b"])
    tagged = await member.do(
        "tagKnowledge", {"id": entry_id, "add": ["c", "a"], "remove": ["b", "z"]}, ENTRY
    )
    assert tagged["entry"]["tags"] == ["a", "c"]
    cursor = (await pull(owner, None))["cursor"]
    await member.do("tagKnowledge", {"id": entry_id, "add": ["c"], "remove": ["b"]}, ENTRY)
    assert (await pull(owner, cursor))["entries"] == []
    many = await member.do(
        "tagKnowledge", {"id": entry_id, "add": [f"t{n}" for n in range(19)]}, ENTRY
    )
    assert many["__typename"] == "InvalidInput"
    long = await member.do("tagKnowledge", {"id": entry_id, "add": ["fine", "x" * 51]}, ENTRY)
    assert long["problems"][0]["path"] == ["input", "add", "1"]


async def test_a_push_takes_500_entries_or_none(server: RunningServer) -> None:
    person = await newcomer(server)
    entries = [{"type": "decision", "timestamp": n, "summary": f"E{n}"} for n in range(500)]
    fields = "accepted skipped notices { message }"
    done = await person.do("pushKnowledge", {"entries": entries}, fields)
    assert (done["accepted"], done["skipped"], done["notices"]) == (500, 0, [])
    done = await person.do("pushKnowledge", {"entries": entries[:2] * 2}, fields)
    assert (done["accepted"], done["skipped"]) == (0, 4)
    bad = [*entries[:3], {**entries[3], "summary": " "}]
    wrong = await person.do("pushKnowledge", {"entries": bad}, fields)
    assert wrong["problems"][0]["path"] == ["input", "entries", "3", "summary"]
    wrong = await person.do("pushKnowledge", {"entries": [*entries, entries[0]]}, fields)
    assert wrong["problems"][0]["path"] == ["input", "entries"]


async def test_secrets_are_masked_and_paths_shortened_before_they_are_stored(
    server: RunningServer,
) -> None:
    person = await newcomer(server)
    secret = "ghp_" + "a1B2" * 9
    entry = {
        "type": "decision",
        "timestamp": 1,
        "summary": f"The key is {secret}",
        "details": "Nothing here",
        "project": "app",
        "tags": ["fine"],
        "relatedFiles": [
            "src/a.py",
            "/home/ada/code/app/src/b.py",
            "C:\\Users\\ada\\x\\y\\z\\c.py",
        ],
    }
    done = await person.do("pushKnowledge", {"entries": [entry]}, "notices { path message }")
    assert done["notices"] == [
        {"path": ["entries", "0", "summary"], "message": "a secret was masked (github-token)"},
        {
            "path": ["entries", "0", "relatedFiles", "1"],
            "message": "an absolute path was made relative",
        },
        {
            "path": ["entries", "0", "relatedFiles", "2"],
            "message": "an absolute path was made relative",
        },
    ]
    query = "{ knowledge { nodes { summary details relatedFiles } } }"
    (node,) = (await person.ask(query))["knowledge"]["nodes"]
    assert node["summary"] == "The key is [redacted:github-token]"
    assert node["details"] == "Nothing here"
    assert node["relatedFiles"] == ["src/a.py", "src/b.py", "y/z/c.py"]
    pushed = await server.client.post(
        "/api/sync/push/knowledge", json={"entries": [entry]}, headers=person.headers
    )
    assert pushed.json() == {
        "accepted": 0,
        "skipped": 1,
        "errors": [
            "entries.0.summary: a secret was masked (github-token)",
            "entries.0.relatedFiles.1: an absolute path was made relative",
            "entries.0.relatedFiles.2: an absolute path was made relative",
        ],
    }


async def test_facets_count_what_the_caller_may_see(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    await owner.write("1", team_id, tags=["x", "y"], project="app")
    await member.write("2", team_id, tags=["x"], project="app", type="solution")
    await member.write("private", tags=["secret"])
    query = """query ($team: ID, $filter: KnowledgeFilter) {
      knowledgeFacets(teamId: $team, filter: $filter) {
        types { value count } projects { value count } tags { value count }
        authors { count authorId author { id } } } }"""
    facets = (await owner.ask(query, team=team_id))["knowledgeFacets"]
    assert facets["types"] == [{"value": "decision", "count": 1}, {"value": "solution", "count": 1}]
    assert facets["projects"] == [{"value": "app", "count": 2}]
    assert facets["tags"] == [{"value": "x", "count": 2}, {"value": "y", "count": 1}]
    assert {a["author"]["id"] for a in facets["authors"]} == {owner.id, member.id}
    narrowed = await owner.ask(query, team=team_id, filter={"anyTags": ["y", "z"]})
    assert narrowed["knowledgeFacets"]["tags"] == [
        {"value": "x", "count": 1},
        {"value": "y", "count": 1},
    ]
    assert await (await newcomer(server)).code(query, team=team_id) == "FORBIDDEN"
