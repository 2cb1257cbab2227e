"""Who did what, when and from where: written with the act, read by those whom it concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.engine import Database
from domain import pruning
from domain.actor import Origin
from tests.graph.client import Caller, Json, newcomer, team_of_two
from tests.graph.test_accounts import with_key
from tests.graph.test_statements import counted
from tests.support.postgres import TESTING, execute
from tests.support.server import RunningServer

EVENTS = """totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  nodes { id at kind address userAgent apiKeyId teamId actorId actor { id } userId user { id }
    detail }"""
MINE = f"""query ($first: Int, $after: Cursor, $last: Int, $before: Cursor, $filter: AuditFilter) {{
  viewer {{ audit(first: $first, after: $after, last: $last, before: $before, filter: $filter) {{
    {EVENTS} }} }} }}"""
OF_TEAM = f"query ($team: ID!) {{ team(id: $team) {{ audit(first: 50) {{ {EVENTS} }} }} }}"


async def mine(who: Caller, **given: Any) -> Json:
    page: Json = (await who.ask(MINE, **given))["viewer"]["audit"]
    return page


async def kinds(who: Caller, **given: Any) -> list[str]:
    return [event["kind"] for event in (await mine(who, **given))["nodes"]]


async def test_an_account_reads_what_was_done_with_it_and_from_where(server: RunningServer) -> None:
    person = await newcomer(server)
    login = {"email": person.email, "password": "long enough"}
    agent = "x" * 300
    headers = {"user-agent": agent}
    await server.client.post("/api/auth/login", json=login, headers=headers)
    wrong = {**login, "password": "a guess or so"}
    assert (await server.client.post("/api/auth/login", json=wrong)).status_code == 401
    key = await with_key(person, label="laptop")
    made = await key.do("createApiKey", {"label": "another"}, "apiKey { id }")
    await key.do("labelApiKey", {"id": made["apiKey"]["id"], "label": "b"}, "apiKey { id }")
    await key.do("revokeApiKey", {"id": made["apiKey"]["id"]}, "revokedId")
    change = {"currentPassword": "long enough", "newPassword": "longer still"}
    person = replace(person, token=(await person.do("changePassword", change, "token"))["token"])
    out = await person.do("signOutEverywhere", {"keepThisSession": True}, "token")
    person = replace(person, token=out["token"])

    page = await mine(person)
    assert [event["kind"] for event in page["nodes"]] == [
        "SIGNED_OUT_EVERYWHERE",
        "PASSWORD_CHANGED",
        "KEY_REVOKED",
        "KEY_LABELLED",
        "KEY_MINTED",
        "KEY_MINTED",
        "LOGIN_FAILED",
        "LOGGED_IN",
        "KEY_MINTED",
        "REGISTERED",
    ]
    assert page["totalCount"] == 10
    by_kind = {event["kind"]: event for event in page["nodes"]}
    assert {event["address"] for event in page["nodes"]} == {"127.0.0.1"}
    assert by_kind["LOGGED_IN"]["userAgent"] == agent[:200]
    assert by_kind["LOGIN_FAILED"]["actorId"] is None
    assert by_kind["LOGIN_FAILED"]["userId"] == person.id
    assert by_kind["KEY_REVOKED"]["apiKeyId"] is not None
    assert by_kind["KEY_REVOKED"]["detail"]["label"] == "b"
    assert by_kind["PASSWORD_CHANGED"]["actor"] == {"id": person.id}
    shown = str(page)
    for secret in ("long enough", "longer still", "a guess or so", str(key.api_key)):
        assert secret not in shown


async def test_it_is_paged_both_ways_and_filtered(server: RunningServer) -> None:
    person = await newcomer(server)
    for number in range(5):
        await person.do("createApiKey", {"label": str(number)}, "secret")
    everything = (await mine(person))["nodes"]
    seen, after = [], None
    while True:
        page = await mine(person, first=3, after=after)
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == everything
    assert len(seen) == 7
    end = await mine(person, last=2)
    assert end["nodes"] == everything[-2:]
    before = await mine(person, last=2, before=end["pageInfo"]["startCursor"])
    assert before["nodes"] == everything[-4:-2]
    assert await kinds(person, filter={"kinds": ["REGISTERED"]}) == ["REGISTERED"]
    middle = everything[3]["at"]
    later = await mine(person, filter={"since": middle, "kinds": ["KEY_MINTED"]})
    assert later["nodes"] == everything[:4]
    assert (await mine(person, filter={"until": middle}))["nodes"] == everything[4:]
    assert await person.code(MINE, first=0) == "BAD_USER_INPUT"
    assert await person.code(MINE, after="?") == "BAD_USER_INPUT"
    assert await person.code(MINE, filter={"kinds": ["NONSENSE"]}) == "BAD_USER_INPUT"


async def test_a_team_audit_is_for_its_owner_and_admins(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    team = {"teamId": team_id}
    link = await owner.do("inviteToTeam", team | {"email": "x@example.org"}, "invitationToken")
    await owner.do("inviteToTeam", team | {"email": "y@example.org"}, "expiresAt")
    query = "query ($id: ID!) { team(id: $id) { invitations { nodes { id email } } } }"
    listed = (await owner.ask(query, id=team_id))["team"]["invitations"]["nodes"]
    await owner.do("revokeInvitation", {"id": listed[1]["id"]}, "revokedId")
    late = await newcomer(server)
    await late.do("acceptInvitation", {"token": link["invitationToken"]}, "teamId")
    await owner.do("changeMemberRole", team | {"userId": late.id, "role": "ADMIN"}, "role")
    await late.do("renameTeam", team | {"name": "Writers"}, "team { id }")
    assert await member.code(OF_TEAM, team=team_id) == "FORBIDDEN"
    await owner.do("removeMember", team | {"userId": member.id}, "removedId")
    await owner.do("transferOwnership", team | {"userId": late.id}, "ownerId")
    await owner.do("leaveTeam", team, "leftId")

    page = (await late.ask(OF_TEAM, team=team_id))["team"]["audit"]
    assert [(event["kind"], event["actorId"], event["userId"]) for event in page["nodes"]] == [
        ("MEMBER_LEFT", owner.id, owner.id),
        ("OWNERSHIP_TRANSFERRED", owner.id, late.id),
        ("MEMBER_REMOVED", owner.id, member.id),
        ("TEAM_RENAMED", late.id, late.id),
        ("MEMBER_ROLE_CHANGED", owner.id, late.id),
        ("MEMBER_JOINED", late.id, late.id),
        ("INVITATION_REVOKED", owner.id, owner.id),
        ("INVITED", owner.id, owner.id),
        ("INVITED", owner.id, owner.id),
        ("MEMBER_JOINED", owner.id, member.id),
        ("TEAM_CREATED", owner.id, owner.id),
    ]
    assert all(event["address"] == "127.0.0.1" for event in page["nodes"])
    details = {event["kind"]: event["detail"] for event in page["nodes"]}
    assert details["TEAM_RENAMED"] == {"name": "Writers", "former": "Readers"}
    assert details["MEMBER_ROLE_CHANGED"] == {"role": "ADMIN".lower(), "former": "member"}
    assert details["INVITATION_REVOKED"] == {"email": "y@example.org"}
    for outsider in (owner, member):
        assert await outsider.code(OF_TEAM, team=team_id) == "NOT_FOUND"

    await late.do("deleteTeam", team, "deletedId")
    assert (await kinds(late))[0] == "TEAM_DELETED"


async def test_where_others_acted_from_is_not_told_to_whom_it_concerns(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    await owner.do("removeMember", {"teamId": team_id, "userId": member.id}, "removedId")
    removed = (await mine(member))["nodes"][0]
    assert (removed["kind"], removed["actorId"], removed["actor"]) == (
        "MEMBER_REMOVED",
        owner.id,
        None,
    )
    assert (removed["address"], removed["userAgent"], removed["apiKeyId"]) == (None, None, None)
    assert (await mine(owner))["nodes"][0]["address"] == "127.0.0.1"


async def test_it_takes_a_key_for_administration(server: RunningServer) -> None:
    owner, _member, team_id = await team_of_two(server)
    for scope, code in (("WRITE", "FORBIDDEN"), ("ADMIN", None)):
        key = await with_key(owner, scope)
        assert await key.code(MINE) == await key.code(OF_TEAM, team=team_id) == code


async def test_guesses_leave_no_more_rows_than_the_throttle_lets_through(
    server: RunningServer,
) -> None:
    person = await newcomer(server)
    guess = {"email": person.email, "password": "a guess or so"}
    for _ in range(server.settings.login_attempts_max + 10):
        await server.client.post("/api/auth/login", json=guess)
    failed = {"kinds": ["LOGIN_FAILED"]}
    assert (await mine(person, filter=failed))["totalCount"] == server.settings.login_attempts_max
    await server.client.post("/api/auth/login", json={**guess, "email": "nobody@example.org"})


async def test_nothing_in_it_can_be_changed_by_a_statement_that_does_not_say_so(
    server: RunningServer,
) -> None:
    owner, _member, team_id = await team_of_two(server)
    assert server.settings.database_url is not None
    db = Database(server.settings.database_url)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await execute(db.dsn, "TRUNCATE audit")
    for statement in ("UPDATE audit SET kind = 'x'", "DELETE FROM audit"):
        with pytest.raises(IntegrityError, match="append-only"):
            async with db.begin(TESTING) as connection:
                await connection.execute(text(statement))
    await db.close()
    assert "TEAM_CREATED" in await kinds(owner)
    page = (await owner.ask(OF_TEAM, team=team_id))["team"]["audit"]
    assert [event["kind"] for event in page["nodes"]] == ["MEMBER_JOINED", "TEAM_CREATED"]


async def test_what_a_program_calls_itself_is_made_storable() -> None:
    origin = Origin.of("::1", " a\x00b\udfff" + "c" * 300)
    assert origin.user_agent is not None
    assert len(origin.user_agent) == 200
    assert origin.user_agent.startswith("ab?ccc")
    assert Origin.of("::1", "   ").user_agent is None


async def test_many_teams_cost_the_same_as_one(server: RunningServer) -> None:
    person = await newcomer(server)
    query = """{ viewer { apiKeys { totalCount nodes { label } } invitations { totalCount }
      audit { totalCount nodes { actor { id } user { id } } }
      teams { members(role: OWNER) { totalCount } invitations { nodes { inviter { id } } }
        audit(first: 5) { totalCount nodes { actor { id } } } } } }"""
    figures = []
    for more in (1, 10):
        for _ in range(more):
            team_id = await person.found_team()
            given = {"teamId": team_id, "email": f"{more}@example.org"}
            await person.do("inviteToTeam", given, "expiresAt")
        with counted() as statements:
            await person.ask(query)
        figures.append(len(statements))
    assert figures[0] == figures[1] <= 14


async def test_old_events_are_pruned_in_small_steps_and_others_stay(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    person, other = await newcomer(server), await newcomer(server)
    db = Database(str(server.settings.database_url))
    owner = await asyncpg.connect(server.settings.database_url)
    async with owner.transaction():
        await owner.execute("SELECT set_config('teamlore.audit_door', 'open', true)")
        await owner.execute("UPDATE audit SET at = at - interval '300 days'")
    assert await kinds(person) == ["KEY_MINTED", "REGISTERED"]
    year, month = timedelta(days=365), timedelta(days=30)
    await person.do("createApiKey", {}, "secret")
    assert (await pruning.prune(db, year, year)).events == 0
    assert (await pruning.prune(db, year, None)).events == 0
    assert (await pruning.prune(db, year, month)).events == 4
    assert await kinds(person) == ["KEY_MINTED"]
    assert await kinds(other) == []
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await owner.execute("DELETE FROM audit")
    await owner.close()
    await db.close()
