"""What a dashboard does over HTTP: accounts, teams, knowledge."""

from __future__ import annotations

import pytest

from tests.graph.client import Caller, newcomer, team_of_two
from tests.support.server import RunningServer


async def test_a_person_registers_logs_in_and_sees_itself(server: RunningServer) -> None:
    person = await newcomer(server)
    login = await Caller(server).do(
        "logIn", {"email": person.email.upper(), "password": "long enough"}, "token viewer { id }"
    )
    assert login["viewer"]["id"] == person.id
    again = Caller(server, token=login["token"])
    data = await again.ask(
        "{ viewer { id email username tier createdAt apiKeys { nodes { label } } } }"
    )
    assert data["viewer"]["email"] == person.email
    assert data["viewer"]["apiKeys"] == {"nodes": [{"label": "registration"}]}


async def test_a_username_is_enough_for_an_account(server: RunningServer) -> None:
    made = await Caller(server).do("register", {"username": "Ada"}, "apiKey viewer { username }")
    assert made["viewer"] == {"username": "Ada"}
    taken = await Caller(server).do("register", {"username": "ada"}, "apiKey")
    assert taken["__typename"] == "Conflict"


async def test_what_a_person_can_cause_is_a_typed_problem(server: RunningServer) -> None:
    nobody, person = Caller(server), await newcomer(server)
    wrong = await nobody.do("register", {"email": "nonsense", "password": "short"}, "token")
    assert wrong["__typename"] == "InvalidInput"
    assert [p["path"] for p in wrong["problems"]] == [["input", "email"], ["input", "password"]]
    refused = await nobody.do("logIn", {"email": person.email, "password": "wrong one"}, "token")
    assert refused["__typename"] == "InvalidCredentials"
    blank = await person.do("createTeam", {"name": "  "}, "team { id }")
    assert blank["problems"][0]["path"] == ["input", "name"]


async def test_keys_are_made_and_revoked(server: RunningServer) -> None:
    person = await newcomer(server)
    made = await person.do("createApiKey", {"label": "laptop"}, "secret apiKey { id label prefix }")
    assert made["secret"].startswith(made["apiKey"]["prefix"])
    by_key = Caller(server, token=made["secret"])
    assert (await by_key.ask("{ viewer { id } }"))["viewer"]["id"] == person.id
    key_id = made["apiKey"]["id"]
    await person.do("revokeApiKey", {"id": key_id}, "revokedId")
    assert (await by_key.post("{ viewer { id } }")).status_code == 401
    gone = await person.do("revokeApiKey", {"id": key_id}, "revokedId")
    assert gone["__typename"] == "NotFound"


async def test_signing_out_everywhere_ends_tokens_but_not_keys(server: RunningServer) -> None:
    person = await newcomer(server)
    await person.ask("mutation { signOutEverywhere { __typename } }")
    assert (await person.post("{ viewer { id } }")).status_code == 401
    by_key = Caller(server, token=person.api_key)
    assert (await by_key.ask("{ viewer { id } }"))["viewer"]["id"] == person.id


async def test_a_member_is_invited_and_leaves(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    query = """query ($id: ID!) { team(id: $id) { name myRole
      members { totalCount nodes { role user { id email } } } } }"""
    team = (await member.ask(query, id=team_id))["team"]
    assert team["myRole"] == "MEMBER"
    assert [m["role"] for m in team["members"]["nodes"]] == ["OWNER", "MEMBER"]
    assert team["members"]["nodes"][0]["user"] == {"id": owner.id, "email": owner.email}
    twice = await owner.do("inviteToTeam", {"teamId": team_id, "email": member.email}, "memberId")
    assert twice["__typename"] == "Conflict"
    forbidden = await member.do(
        "removeMember", {"teamId": team_id, "userId": owner.id}, "removedId"
    )
    assert forbidden["__typename"] == "Forbidden"
    stays = await owner.do("leaveTeam", {"teamId": team_id}, "leftId")
    assert stays["__typename"] == "InvalidInput"
    await member.do("leaveTeam", {"teamId": team_id}, "leftId")
    assert await member.code(query, id=team_id) == "NOT_FOUND"


async def test_an_invitation_to_an_unknown_address_works_once(server: RunningServer) -> None:
    owner = await newcomer(server)
    team_id = await owner.found_team()
    made = await owner.do(
        "inviteToTeam", {"teamId": team_id, "email": "late@example.org"}, "invitationToken"
    )
    late, other = await newcomer(server), await newcomer(server)
    token = {"token": made["invitationToken"]}
    assert (await late.do("acceptInvitation", token, "teamId"))["teamId"] == team_id
    assert (await other.do("acceptInvitation", token, "teamId"))["__typename"] == "NotFound"


async def test_an_entry_is_written_changed_deleted_and_restored(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    entry_id = await owner.write("Use the log", team_id, tags=["sync"], details="Long")
    fields = "summary details tags author { id } team { id } updatedAt"
    query = f"query ($id: ID!) {{ node(id: $id) {{ id ... on KnowledgeEntry {{ {fields} }} }} }}"
    seen = (await member.ask(query, id=entry_id))["node"]
    assert seen["author"] == {"id": owner.id}
    assert seen["team"] == {"id": team_id}
    change = {"id": entry_id, "summary": "Use the one log", "details": None}
    changed = await owner.do("updateKnowledge", change, f"entry {{ {fields} }}")
    assert changed["entry"]["summary"] == "Use the one log"
    assert changed["entry"]["details"] is None
    assert changed["entry"]["tags"] == ["sync"]
    theirs = await member.do("deleteKnowledge", {"id": entry_id}, "deletedId")
    assert theirs["__typename"] == "Forbidden"
    await owner.do("deleteKnowledge", {"id": entry_id}, "deletedId")
    assert (await member.ask(query, id=entry_id))["node"] is None
    restored = await owner.do("restoreKnowledge", {"id": entry_id}, "entry { id }")
    assert restored["entry"]["id"] == entry_id


async def test_search_ranks_and_pages(server: RunningServer) -> None:
    person = await newcomer(server)
    await person.write("Postgres locks rows", details="until commit")
    await person.write("About something else", details="postgres is mentioned")
    await person.write("Unrelated")
    query = """query ($after: Cursor) {
      searchKnowledge(query: "postgres", first: 1, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } edges { rank node { summary } } } }"""
    first = (await person.ask(query))["searchKnowledge"]
    assert first["totalCount"] == 2
    assert first["edges"][0]["node"]["summary"] == "Postgres locks rows"
    assert first["pageInfo"]["hasNextPage"]
    second = await person.ask(query, after=first["pageInfo"]["endCursor"])
    assert not second["searchKnowledge"]["pageInfo"]["hasNextPage"]
    assert 0 < second["searchKnowledge"]["edges"][0]["rank"] < first["edges"][0]["rank"]


@pytest.mark.parametrize(
    "arguments",
    [
        "first: 0",
        "first: 101",
        "last: -1",
        "first: 1, last: 1",
        'after: "?"',
        'filter: {authorId: "x"}',
    ],
)
async def test_wrong_paging_is_bad_input(server: RunningServer, arguments: str) -> None:
    person = await newcomer(server)
    query = f"{{ knowledge({arguments}) {{ totalCount }} }}"
    assert await person.code(query) == "BAD_USER_INPUT"
