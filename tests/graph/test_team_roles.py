"""Who may do what in a team, cell by cell, and what happens when two do it at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from domain.actor import Role
from domain.policy import PERMISSIONS, Permission
from graph.schema import ids
from tests.graph.client import Caller, Json, newcomer, socket_of, team_of_two
from tests.graph.test_accounts import closed_within
from tests.support import ciphertext
from tests.support.server import RunningServer

ROLES: tuple[Role, ...] = get_args(Role)
OUTSIDERS = ("stranger", "former member", "another team's owner")
MEMBERS = "query ($team: ID!) { team(id: $team) { members { nodes { role user { id } } } } }"


@dataclass
class Scene:
    """A team with somebody in every role, and people outside of it."""

    server: RunningServer
    team_id: str
    people: dict[str, Caller]
    target: Caller
    """A plain member whom the others act on."""


async def scene(server: RunningServer) -> Scene:
    names = (*ROLES, *OUTSIDERS, "target")
    people = dict(zip(names, await asyncio.gather(*(newcomer(server) for _ in names)), strict=True))
    owner = people["owner"]
    team_id = await owner.found_team()
    for name, role in (
        ("admin", "ADMIN"),
        ("member", "MEMBER"),
        ("viewer", "VIEWER"),
        ("target", "MEMBER"),
        ("former member", "ADMIN"),
    ):
        given = {"teamId": team_id, "email": people[name].email, "role": role}
        assert (await owner.do("inviteToTeam", given, "memberId"))["memberId"] == people[name].id
    gone = people["former member"]
    await owner.do("removeMember", {"teamId": team_id, "userId": gone.id}, "removedId")
    await people["another team's owner"].found_team("Theirs")
    return Scene(server, team_id, people, people["target"])


async def attempt(permission: Permission, who: Caller, at: Scene) -> str:
    """What comes of it: `done`, or the name of what stood in the way."""
    team, target = {"teamId": at.team_id}, {"userId": at.target.id}
    entry = {"type": "decision", "timestamp": 1, "summary": who.id}
    acts: dict[Permission, tuple[str, Json, str]] = {
        "team.write": ("createKnowledge", team | entry, "entry { id }"),
        "team.invite": ("inviteToTeam", team | {"email": f"{who.id}@example.org"}, "expiresAt"),
        "team.change_role": ("changeMemberRole", team | target | {"role": "VIEWER"}, "role"),
        "team.rename": ("renameTeam", team | {"name": f"By {who.id}"}, "team { name }"),
        "team.remove_member": ("removeMember", team | target, "removedId"),
        "team.transfer": ("transferOwnership", team | target, "ownerId"),
        "team.delete": ("deleteTeam", team, "deletedId"),
        "team.leave": ("leaveTeam", team, "leftId"),
    }
    if permission == "team.unshare":
        acts["team.unshare"] = (
            "unshareSession",
            {"id": await shared_by(at.target, team)},
            "unsharedId",
        )
    if permission == "team.encrypt":
        return outcome(await ciphertext.enable(who, at.team_id))
    if permission in {"team.rotate", "team.admit"}:
        return await attempt_with_keys(permission, who, at)
    if permission in acts:
        return outcome(await who.do(*acts[permission]))
    if permission == "team.push":
        body = {"entries": [entry], "teamId": bare(at.team_id)}
        answer = await at.server.client.post(
            "/api/sync/push/knowledge", json=body, headers=who.headers
        )
        return {200: "done", 403: "Forbidden"}[answer.status_code]
    field = {"team.read": "name", "team.audit": "audit { totalCount nodes { kind } }"}[permission]
    code = await who.code(f"query ($id: ID!) {{ team(id: $id) {{ {field} }} }}", id=at.team_id)
    return {None: "done", "FORBIDDEN": "Forbidden", "NOT_FOUND": "NotFound"}[code]


async def attempt_with_keys(permission: Permission, who: Caller, at: Scene) -> str:
    """In an encrypted team, with public keys for who tries it and whom it is about."""
    owner, team = at.people["owner"], at.team_id
    await ciphertext.enable(owner, team)
    for one in (owner, at.target, who):
        await ciphertext.set_keys(one)
    if permission == "team.rotate":
        return outcome(await ciphertext.next_epoch(who, owner, team))
    epoch = (await ciphertext.next_epoch(owner, owner, team))["epoch"]["number"]
    given = {"teamId": team, "memberId": at.target.id, "keyNumber": 1, "signerNumber": 1}
    wraps = [{"epoch": epoch, **ciphertext.box()}]
    return outcome(await who.do("wrapTeamKeys", given | {"wraps": wraps}, "epochs"))


def outcome(result: Json) -> str:
    name: str = result["__typename"]
    return "done" if name.endswith("Payload") else name


async def shared_by(owner: Caller, team: Json) -> str:
    """The id of a session that somebody shares with the team."""
    where = "/api/sessions/conversation/s1"
    await owner.server.client.put(where, content=b"{}", headers=owner.headers)
    session = (await owner.ask('{ session(sessionId: "s1") { id } }'))["session"]
    shared = await owner.do("shareSession", team | session, "sharedSession { id }")
    share_id: str = shared["sharedSession"]["id"]
    return share_id


def bare(team_id: str) -> str:
    return str(ids.decode("Team", team_id))


@pytest.mark.parametrize("permission", PERMISSIONS)
async def test_every_role_may_do_what_the_table_says_and_nothing_else(
    server: RunningServer, permission: Permission
) -> None:
    at = await scene(server)
    for name in (*OUTSIDERS, *reversed(ROLES)):  # the owner last: what it does may end the team
        expected = "done" if name in PERMISSIONS[permission] else "Forbidden"
        if name in OUTSIDERS:
            told = permission in {"team.write", "team.push"}  # as the legacy clients expect
            expected = "Forbidden" if told else "NotFound"
        if (permission, name) == ("team.leave", "owner"):
            expected = "InvalidInput"
        assert await attempt(permission, at.people[name], at) == expected, name


@pytest.mark.parametrize("name", ["admin", "owner"])
async def test_whose_role_may_be_changed_to_what(server: RunningServer, name: str) -> None:
    at = await scene(server)
    reach = {"owner": {"admin", "member", "viewer"}, "admin": {"member", "viewer"}}[name]
    who = at.people[name]
    for of in ROLES:
        for to in ROLES:
            target = at.people[of]
            given = {"teamId": at.team_id, "userId": target.id, "role": to.upper()}
            result = await who.do("changeMemberRole", given, "role")
            if to == "owner":
                assert result["__typename"] == "InvalidInput"
            elif {of, to} <= reach:
                assert result["role"] == to.upper()
                back = {**given, "role": of.upper()}
                await at.people["owner"].do("changeMemberRole", back, "role")
            else:
                assert result["__typename"] == "Forbidden", (of, to)
    nobody = {"teamId": at.team_id, "userId": at.people["stranger"].id, "role": "VIEWER"}
    assert (await who.do("changeMemberRole", nobody, "role"))["__typename"] == "NotFound"


async def test_a_viewer_changes_not_even_what_it_wrote_before(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    entry_id = await member.write("From better days", team_id)
    demoted = {"teamId": team_id, "userId": member.id, "role": "VIEWER"}
    await owner.do("changeMemberRole", demoted, "role")
    changed = await member.do("updateKnowledge", {"id": entry_id, "tags": ["x"]}, "entry { id }")
    assert changed["__typename"] == "Forbidden"
    deleted = await member.do("deleteKnowledge", {"id": entry_id}, "deletedId")
    assert deleted["__typename"] == "Forbidden"
    assert await member.code(MEMBERS, team=team_id) is None


async def test_an_admin_invites_members_and_viewers_only(server: RunningServer) -> None:
    at = await scene(server)
    for role, expected in (
        ("ADMIN", "Forbidden"),
        ("MEMBER", "InviteToTeamPayload"),
        ("VIEWER", "InviteToTeamPayload"),
        ("OWNER", "InvalidInput"),
    ):
        given = {"teamId": at.team_id, "email": f"{role}@example.org", "role": role}
        result = await at.people["admin"].do("inviteToTeam", given, "invitationToken")
        assert result["__typename"] == expected
    outcome = await at.people["owner"].do("inviteToTeam", {**given, "role": "OWNER"}, "expiresAt")
    assert outcome["__typename"] == "InvalidInput"


async def test_of_two_transfers_at_once_one_is_done(server: RunningServer) -> None:
    at = await scene(server)
    owner, heirs = at.people["owner"], (at.people["admin"], at.people["member"])
    results = await asyncio.gather(
        *(
            owner.do("transferOwnership", {"teamId": at.team_id, "userId": heir.id}, "ownerId")
            for heir in heirs
        )
    )
    assert sorted(result["__typename"] for result in results) == [
        "Forbidden",
        "TransferOwnershipPayload",
    ]
    nodes = (await owner.ask(MEMBERS, team=at.team_id))["team"]["members"]["nodes"]
    assert [n["user"]["id"] for n in nodes if n["role"] == "OWNER"] == [
        next(r["ownerId"] for r in results if "ownerId" in r)
    ]
    assert next(n["role"] for n in nodes if n["user"]["id"] == owner.id) == "ADMIN"
    assert (await owner.do("leaveTeam", {"teamId": at.team_id}, "leftId"))["leftId"] == at.team_id


async def test_a_demoted_admins_invitations_end_also_the_one_on_its_way(
    server: RunningServer,
) -> None:
    at = await scene(server)
    owner, admin = at.people["owner"], at.people["admin"]
    demote = {"teamId": at.team_id, "userId": admin.id, "role": "MEMBER"}
    invites = [
        admin.do(
            "inviteToTeam", {"teamId": at.team_id, "email": f"{n}@example.org"}, "invitationToken"
        )
        for n in range(6)
    ]
    await asyncio.gather(*invites[:3], owner.do("changeMemberRole", demote, "role"), *invites[3:])
    query = "query ($id: ID!) { team(id: $id) { invitations { totalCount } } }"
    assert (await owner.ask(query, id=at.team_id))["team"]["invitations"]["totalCount"] == 0
    late = await admin.do("inviteToTeam", {"teamId": at.team_id, "email": "z@a.org"}, "expiresAt")
    assert late["__typename"] == "Forbidden"


async def test_invitations_are_listed_revoked_and_carry_their_role(server: RunningServer) -> None:
    at = await scene(server)
    owner, admin, team = at.people["owner"], at.people["admin"], {"teamId": at.team_id}
    invited = f"late-{owner.email}"
    given = team | {"email": invited.upper(), "role": "VIEWER"}
    token = (await admin.do("inviteToTeam", given, "invitationToken"))["invitationToken"]
    other = await owner.do("inviteToTeam", team | {"email": "b@example.org"}, "invitationToken")
    fields = "totalCount nodes { id email role teamId teamName expiresAt inviter { id } }"
    query = f"query ($id: ID!) {{ team(id: $id) {{ invitations {{ {fields} }} }} }}"
    found = (await admin.ask(query, id=at.team_id))["team"]["invitations"]
    assert [(i["role"], i["inviter"]["id"]) for i in found["nodes"]] == [
        ("VIEWER", admin.id),
        ("MEMBER", owner.id),
    ]
    assert await at.people["member"].code(query, id=at.team_id) == "FORBIDDEN"

    second = {"id": found["nodes"][1]["id"]}
    for name, why in (("member", "Forbidden"), ("stranger", "NotFound")):
        refused = await at.people[name].do("revokeInvitation", second, "revokedId")
        assert refused["__typename"] == why
    assert (await admin.do("revokeInvitation", second, "revokedId"))["revokedId"] == second["id"]
    assert (await admin.do("revokeInvitation", second, "revokedId"))["__typename"] == "NotFound"
    stranger = at.people["stranger"]
    useless = await stranger.do("acceptInvitation", {"token": other["invitationToken"]}, "teamId")
    assert useless["__typename"] == "NotFound"

    late = await registered(server, invited)
    mine = (await late.ask(f"{{ viewer {{ invitations {{ {fields} }} }} }}"))["viewer"]
    assert [(i["teamName"], i["inviter"]) for i in mine["invitations"]["nodes"]] == [
        ("Readers", None)
    ]
    assert (await late.do("acceptInvitation", {"token": token}, "teamId"))["teamId"] == at.team_id
    role = await late.ask("query ($id: ID!) { team(id: $id) { myRole } }", id=at.team_id)
    assert role["team"]["myRole"] == "VIEWER"


async def registered(server: RunningServer, email: str) -> Caller:
    given = {"email": email, "password": "long enough"}
    made = await Caller(server).do("register", given, "token viewer { id email }")
    return Caller(server, made["viewer"]["id"], email, made["token"])


async def test_a_removed_member_comes_back_by_invitation_only(server: RunningServer) -> None:
    at = await scene(server)
    owner, gone = at.people["owner"], at.people["former member"]
    link = {"teamId": at.team_id, "email": "own-second@example.org"}
    sneaky = await at.people["admin"].do("inviteToTeam", link, "invitationToken")
    out = {"teamId": at.team_id, "userId": at.people["admin"].id}
    await owner.do("removeMember", out, "removedId")
    back = await at.people["admin"].do(
        "acceptInvitation", {"token": sneaky["invitationToken"]}, "teamId"
    )
    assert back["__typename"] == "NotFound"
    again = {"teamId": at.team_id, "email": gone.email, "role": "VIEWER"}
    assert (await owner.do("inviteToTeam", again, "memberId"))["memberId"] == gone.id
    assert await gone.code(MEMBERS, team=at.team_id) is None


async def test_deleting_a_team_ends_feeds_with_that_event_and_all_access(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    entry_id = await member.write("Shared", team_id)
    feed = """subscription ($team: ID!) { teamFeed(teamId: $team) {
      __typename ... on TeamDeleted { name actor { id } } } }"""
    async with socket_of(member) as socket:
        await socket.subscribe(feed, team=team_id)
        await asyncio.sleep(0.1)
        await owner.do("deleteTeam", {"teamId": team_id}, "deletedId")
        async with asyncio.timeout(5):
            last = (await socket.next())["teamFeed"]
            assert last == {
                "__typename": "TeamDeleted",
                "name": "Readers",
                "actor": {"id": owner.id},
            }
            assert await socket.receive() == {"id": "1", "type": "complete"}
    for person in (owner, member):
        assert await person.code(MEMBERS, team=team_id) == "NOT_FOUND"
        assert (await person.ask("{ teams { id } }"))["teams"] == []
        assert (await person.ask("query ($i: ID!) { node(id: $i) { id } }", i=entry_id)) == {
            "node": None
        }
    again = await owner.do("deleteTeam", {"teamId": team_id}, "deletedId")
    assert again["__typename"] == "NotFound"
    assert (await owner.ask("query ($i: ID!) { user(id: $i) { id } }", i=owner.id))["user"]
    assert await owner.code("query ($i: ID!) { user(id: $i) { id } }", i=member.id) == "NOT_FOUND"


async def test_pulls_by_cursor_forget_a_deleted_team(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.teams.BURIED_AT_ONCE", 3)  # of four
    owner, member, team_id = await team_of_two(server)
    outsider = await newcomer(server)
    for number in range(3):
        await owner.write(f"Shared {number}", team_id)
    await member.write("Mine", team_id)

    async def pull(who: Caller, since: str) -> Json:
        answer = await server.client.get(
            "/api/sync/pull/knowledge",
            params={"since": since, **teams},
            headers=who.headers,
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    teams = {"teamId": bare(team_id)}
    first = await pull(member, "0")
    assert len(first["entries"]) == 4
    await owner.do("deleteTeam", {"teamId": team_id}, "deletedId")
    teams = {}
    gone = await pull(member, first["cursor"])
    assert {e["id"] for e in gone["entries"]} == {e["id"] for e in first["entries"]}
    assert all(e == {"id": e["id"], "deleted": True} for e in gone["entries"])
    assert (await pull(member, gone["cursor"]))["entries"] == []
    assert (await pull(outsider, first["cursor"]))["entries"] == []


async def test_events_say_which_role_and_which_name_it_was(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    feed = """subscription ($team: ID!) { teamFeed(teamId: $team) { __typename
      ... on MemberRoleChanged { role formerRole member { id } }
      ... on TeamRenamed { name formerName }
      ... on OwnershipTransferred { formerRole memberId actorId } } }"""
    team = {"teamId": team_id}
    async with socket_of(member) as socket:
        await socket.subscribe(feed, team=team_id)
        await asyncio.sleep(0.1)
        await owner.do("changeMemberRole", team | {"userId": member.id, "role": "ADMIN"}, "role")
        await member.do("renameTeam", team | {"name": "Writers"}, "team { name myRole }")
        await owner.do("transferOwnership", team | {"userId": member.id}, "team { myRole }")
        events = [(await socket.next())["teamFeed"] for _ in range(3)]
    assert events == [
        {
            "__typename": "MemberRoleChanged",
            "role": "ADMIN",
            "formerRole": "MEMBER",
            "member": {"id": member.id},
        },
        {"__typename": "TeamRenamed", "name": "Writers", "formerName": "Readers"},
        {
            "__typename": "OwnershipTransferred",
            "formerRole": "ADMIN",
            "memberId": member.id,
            "actorId": owner.id,
        },
    ]


@pytest.mark.parametrize("order", ["OLDEST_FIRST", "NEWEST_FIRST", "BY_ROLE"])
async def test_members_are_filtered_and_ordered_in_pages(server: RunningServer, order: str) -> None:
    at = await scene(server)
    query = """query ($id: ID!, $after: Cursor, $role: Role, $order: MemberOrder!) {
      team(id: $id) { members(first: 2, after: $after, role: $role, orderBy: $order) {
        totalCount pageInfo { endCursor hasNextPage } nodes { role user { id } } } } }"""
    given: dict[str, Any] = {"id": at.team_id, "order": order}
    seen: list[Json] = []
    after = None
    while True:
        page = (await at.people["viewer"].ask(query, **given, after=after))["team"]["members"]
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    came = ["owner", "admin", "member", "viewer", "target"]
    expected = {
        "OLDEST_FIRST": came,
        "NEWEST_FIRST": came[::-1],
        "BY_ROLE": ["owner", "admin", "member", "target", "viewer"],
    }[order]
    assert [n["user"]["id"] for n in seen] == [at.people[name].id for name in expected]
    members = (await at.target.ask(query, **given, role="MEMBER"))["team"]["members"]
    assert members["totalCount"] == 2
    assert {n["role"] for n in members["nodes"]} == {"MEMBER"}


async def test_a_demoted_members_feed_goes_on_until_its_removal(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    async with socket_of(member) as socket:
        await socket.subscribe(
            "subscription ($t: ID!) { teamFeed(teamId: $t) { __typename } }", t=team_id
        )
        await asyncio.sleep(0.1)
        demoted = {"teamId": team_id, "userId": member.id, "role": "VIEWER"}
        await owner.do("changeMemberRole", demoted, "role")
        assert (await socket.next())["teamFeed"]["__typename"] == "MemberRoleChanged"
        await owner.write("Still seen", team_id)
        assert (await socket.next())["teamFeed"]["__typename"] == "KnowledgeCreated"
        await owner.do("removeMember", out(demoted), "removedId")
        assert await closed_within(socket, 1.5) == 4403


def out(given: Json) -> Json:
    return {name: given[name] for name in ("teamId", "userId")}


async def test_a_new_team_is_read_at_once(server: RunningServer) -> None:
    owner = await newcomer(server)
    fields = "team { myRole members { nodes { user { id } } } knowledge { totalCount } }"
    made = await owner.do("createTeam", {"name": "Fresh"}, fields)
    assert made["team"]["myRole"] == "OWNER"
    assert made["team"]["members"]["nodes"] == [{"user": {"id": owner.id}}]
    assert made["team"]["knowledge"]["totalCount"] == 0
