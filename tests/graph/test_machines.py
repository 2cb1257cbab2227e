"""Which machine a session came from, what it cost, and what all one's teams know."""

from __future__ import annotations

from tests.graph.client import Caller, newcomer, team_of_two
from tests.graph.test_conversations import talk, upload
from tests.support.library import answered, transcript
from tests.support.server import RunningServer

MACHINES = """{ viewer { machines { id name revoked sessions conversationBytes } }
  sessions(orderBy: STARTED) { nodes { sessionId machineId } } }"""
OF_MACHINE = "query ($id: ID) { sessions(filter: {machine: $id}) { nodes { sessionId } } }"
COST = """query ($id: ID!) { viewer {
    tokenUsage(by: PROJECT) { name costEstimate { amount currency unpricedModels } } }
  node(id: $id) { ... on Session { usage {
    costEstimate { amount unpricedModels } byModelAndDay { model costEstimate { amount } } } } }
}"""
EVERY = """query ($every: Boolean!, $team: ID) {
  knowledge(teamId: $team, filter: {everyTeam: $every}) { totalCount nodes { summary } }
  searchKnowledge(teamId: $team, query: "jitter", filter: {everyTeam: $every}) { totalCount }
  knowledgeFacets(teamId: $team, filter: {everyTeam: $every}) { types { count } } }"""


async def a_key(owner: Caller, label: str) -> tuple[str, str]:
    """A new key: its id and its secret."""
    made = await owner.do("createApiKey", {"label": label}, "secret apiKey { id }")
    return made["apiKey"]["id"], made["secret"]


async def back_up(owner: Caller, key: str, name: str, lines: int) -> None:
    answer = await owner.server.client.put(
        f"/api/sessions/conversation/{name}",
        content=transcript(*talk(lines)),
        headers={"x-api-key": key},
    )
    assert answer.status_code in {200, 201}, answer.text


async def test_a_session_belongs_to_the_machine_that_backed_it_up_last(
    server: RunningServer,
) -> None:
    owner, other = await newcomer(server), await newcomer(server)
    laptop, laptop_key = await a_key(owner, "laptop")
    desktop, desktop_key = await a_key(owner, "desktop")
    await back_up(owner, laptop_key, "one", 1)
    await back_up(owner, laptop_key, "two", 1)
    await back_up(owner, desktop_key, "two", 2)
    await upload(owner, "by-hand", *talk(1))
    data = await owner.ask(MACHINES)
    assert {n["sessionId"]: n["machineId"] for n in data["sessions"]["nodes"]} == {
        "one": laptop,
        "two": desktop,
        "by-hand": None,
    }
    assert [(m["name"], m["sessions"]) for m in data["viewer"]["machines"]] == [
        ("desktop", 1),
        ("laptop", 1),
    ]
    assert data["viewer"]["machines"][0]["conversationBytes"] == len(transcript(*talk(2)))
    found = await owner.ask(OF_MACHINE, id=laptop)
    assert [node["sessionId"] for node in found["sessions"]["nodes"]] == ["one"]
    await owner.do("revokeApiKey", {"id": laptop}, "revokedId")
    machines = (await owner.ask(MACHINES))["viewer"]["machines"]
    assert [machine["revoked"] for machine in machines] == [False, True]
    assert (await other.ask(OF_MACHINE, id=laptop))["sessions"]["nodes"] == []
    assert (await other.ask(MACHINES))["viewer"]["machines"] == []
    assert await owner.code(OF_MACHINE, id=owner.id) == "BAD_USER_INPUT"


async def test_tokens_have_a_price_where_the_model_has_one(server: RunningServer) -> None:
    owner = await newcomer(server)
    million = 1_000_000
    priced = answered("m", "r", (million, 0, 0, 0, 0), model="claude-sonnet-4-5-20250929")
    unknown = answered("n", "r", (million, 0, 0, 0, 0), model="another")
    id = await upload(owner, "s", *talk(1), priced, unknown)
    data = await owner.ask(COST, id=id)
    usage = data["node"]["usage"]
    assert usage["costEstimate"] == {"amount": 3.0, "unpricedModels": ["another"]}
    assert {by["model"]: by["costEstimate"] for by in usage["byModelAndDay"]} == {
        "another": None,
        "claude-sonnet-4-5-20250929": {"amount": 3.0},
    }
    whole = {"amount": 3.0, "currency": "USD", "unpricedModels": ["another"]}
    assert data["viewer"]["tokenUsage"] == [{"name": "tea", "costEstimate": whole}]


async def test_a_list_of_knowledge_may_go_over_every_team(server: RunningServer) -> None:
    owner, member, team = await team_of_two(server)
    outsider = await newcomer(server)
    await member.write("Retries need jitter", team)
    await member.write("My own jitter")
    await owner.write("Mine")

    async def seen(caller: Caller, **given: object) -> tuple[int, int, int]:
        data = await caller.ask(EVERY, **given)
        counts = sum(facet["count"] for facet in data["knowledgeFacets"]["types"])
        return data["knowledge"]["totalCount"], data["searchKnowledge"]["totalCount"], counts

    assert await seen(owner, every=False) == (1, 0, 1)
    assert await seen(owner, every=True) == (2, 1, 2)
    assert await seen(owner, every=True, team=team) == (2, 1, 2)
    assert await seen(member, every=True) == (2, 2, 2)
    assert await seen(outsider, every=True) == (0, 0, 0)
