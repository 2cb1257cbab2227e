"""Who does not belong to a team learns nothing of it and changes nothing in it."""

from __future__ import annotations

import pytest

from graph.build import core_schema, schema
from graph.guards import audience_of
from tests.graph.client import Caller, newcomer, socket_of, team_of_two
from tests.support.server import RunningServer

READS = {
    "team": "query ($team: ID!) { team(id: $team) { name } }",
    "team members": "query ($team: ID!) { team(id: $team) { members { totalCount } } }",
    "team invitations": "query ($team: ID!) { team(id: $team) { invitations { totalCount } } }",
    "team audit": "query ($team: ID!) { team(id: $team) { audit { totalCount } } }",
    "knowledge": "query ($team: ID!) { knowledge(teamId: $team) { totalCount } }",
    "session summaries": "query ($team: ID!) { sessionSummaries(teamId: $team) { totalCount } }",
    "shared sessions": """query ($team: ID!) { team(id: $team) {
        sharedSessions { totalCount } } }""",
    "shared conversations": """query ($team: ID!) { team(id: $team) {
        sharedSessions { nodes { messages { nodes { text } } } } } }""",
    "changes": "query ($team: ID!) { changes(scopes: [$team]) { nodes { cursor } } }",
    "search": 'query ($team: ID!) { searchKnowledge(query: "a", teamId: $team) { totalCount } }',
}
READS["facets"] = "query ($team: ID!) { knowledgeFacets(teamId: $team) { types { value } } }"
WRITES: dict[str, dict[str, object]] = {
    "inviteToTeam": {"email": "x@example.org"},
    "removeMember": {"userId": "member"},
    "leaveTeam": {},
    "renameTeam": {"name": "Mine"},
    "deleteTeam": {},
    "changeMemberRole": {"userId": "member", "role": "VIEWER"},
    "transferOwnership": {"userId": "member"},
    "createKnowledge": {"type": "decision", "timestamp": 1, "summary": "Hello"},
    "saveSessionSummary": {"sessionId": "s", "summary": {}},
    "pushKnowledge": {"entries": [{"type": "decision", "timestamp": 1, "summary": "Hello"}]},
}
FIELDS = {
    "inviteToTeam": "memberId",
    "removeMember": "removedId",
    "leaveTeam": "leftId",
    "renameTeam": "team { id }",
    "deleteTeam": "deletedId",
    "changeMemberRole": "role",
    "transferOwnership": "ownerId",
    "createKnowledge": "entry { id }",
    "saveSessionSummary": "summary { id }",
    "pushKnowledge": "accepted",
}


@pytest.mark.parametrize("name", READS)
async def test_an_outsider_reads_nothing(server: RunningServer, name: str) -> None:
    _owner, _member, team_id = await team_of_two(server)
    outsider = await newcomer(server)
    assert await outsider.code(READS[name], team=team_id) in {"NOT_FOUND", "FORBIDDEN"}


@pytest.mark.parametrize("name", WRITES)
async def test_an_outsider_writes_nothing(server: RunningServer, name: str) -> None:
    _owner, member, team_id = await team_of_two(server)
    outsider = await newcomer(server)
    given: dict[str, object] = {"teamId": team_id, **WRITES[name]}
    if "userId" in given:
        given["userId"] = member.id
    result = await outsider.do(name, given, FIELDS[name])
    assert result["__typename"] in {"NotFound", "Forbidden"}


async def test_an_outsider_gets_no_node_and_changes_no_entry(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    outsider = await newcomer(server)
    entry_id = await owner.write("Ours", team_id)
    user = "query ($id: ID!) { user(id: $id) { id } }"
    assert (await member.ask(user, id=owner.id))["user"] == {"id": owner.id}
    assert await outsider.code(user, id=owner.id) == "NOT_FOUND"
    for node_id in (team_id, entry_id, owner.id):
        query = "query ($id: ID!) { node(id: $id) { id } }"
        assert (await member.ask(query, id=node_id))["node"] == {"id": node_id}
        assert (await outsider.ask(query, id=node_id))["node"] is None
    for name, field in (
        ("update", "entry { id }"),
        ("delete", "deletedId"),
        ("restore", "entry { id }"),
    ):
        result = await outsider.do(f"{name}Knowledge", {"id": entry_id}, field)
        assert result["__typename"] == "NotFound"


async def test_an_outsider_follows_nothing(server: RunningServer) -> None:
    _owner, _member, team_id = await team_of_two(server)
    async with socket_of(await newcomer(server)) as socket:
        await socket.subscribe(
            "subscription ($team: ID!) { teamFeed(teamId: $team) { cursor } }", team=team_id
        )
        message = await socket.receive()
    assert message["type"] == "error"
    assert message["payload"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_an_outsider_is_told_of_nobodys_team_by_the_author_of_an_entry(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    await member.write("By one who leaves", team_id)
    await member.do("leaveTeam", {"teamId": team_id}, "leftId")
    query = "query ($team: ID!) { team(id: $team) { knowledge { nodes { author { id } } } } }"
    team = (await owner.ask(query, team=team_id))["team"]
    assert team["knowledge"]["nodes"] == [{"author": None}]


def test_every_root_field_says_who_may_call_it() -> None:
    undeclared = []
    for name in ("Query", "Mutation", "Subscription"):
        root = schema.get_type_by_name(name)
        for field in root.fields:  # type: ignore[union-attr]
            resolver = field.base_resolver
            if resolver is None or audience_of(resolver.wrapped_func) is None:
                undeclared.append(f"{name}.{field.name}")
    assert not undeclared


def test_only_these_fields_are_open_to_everybody() -> None:
    root = schema.get_type_by_name("Mutation")
    fields = {f.name for f in root.fields if audience_of(f.base_resolver.wrapped_func) == "public"}  # type: ignore[union-attr]
    by_mail = {"request_password_reset", "reset_password", "verify_email"}
    assert fields == {"register", "log_in", *by_mail}


async def test_nobody_without_a_credential_gets_past_a_guard(server: RunningServer) -> None:
    nobody = Caller(server)
    for query in (
        "{ viewer { id } }",
        "{ teams { id } }",
        "{ knowledge { totalCount } }",
        "{ sessions { totalCount } }",
        '{ session(sessionId: "s") { id } }',
        "{ sessionSummaries { totalCount } }",
        "{ patterns { totalCount } }",
        "{ patternStatistics { totalPatterns } }",
        "{ changes { nodes { at } } }",
    ):
        assert await nobody.code(query) == "UNAUTHENTICATED"


def test_everything_in_the_schema_is_described() -> None:
    silent = []
    for name, kind in core_schema().type_map.items():
        if name.startswith("__"):
            continue
        if not kind.description:
            silent.append(name)
        for field_name, field in getattr(kind, "fields", {}).items():
            if not field.description:
                silent.append(f"{name}.{field_name}")
            silent += [
                f"{name}.{field_name}({argument})"
                for argument, value in getattr(field, "args", {}).items()
                if not value.description
            ]
        silent += [
            f"{name}.{value}"
            for value, definition in getattr(kind, "values", {}).items()
            if not definition.description
        ]
    assert not silent
