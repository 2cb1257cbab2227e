"""Community patterns in the graph: shown to all or to nobody, and naming nobody."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from db.engine import Database
from domain import publication
from domain.draws import Draws
from graph.schema import ids
from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, newcomer, socket_of, team_of_two
from tests.support.dial import dial
from tests.support.server import RunningServer

LIST = """query ($filter: PatternFilter, $order: PatternOrder, $first: Int, $after: Cursor) {
  patterns(filter: $filter, orderBy: $order, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    edges { rank node { id approach category type platform tags effectiveness
      sharedBy numbersFrom firstSeen lastSeen publishedAt } } } }"""
RESULTS = """results { __typename ... on PatternTaken { index patternId visible }
  ... on PatternRefused { index reasons { kind message } } }"""
FEED = """subscription ($after: Cursor) { communityFeed(after: $after) {
  __typename cursor at actorId actor { id } ... on PatternEvent { patternId }
  ... on PatternPublished { pattern { approach } } } }"""
MINE = """query ($first: Int, $after: Cursor) {
  viewer { contributions(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { patternId category approach tags countsFrom pattern { id } } } } }"""
WEEK_MS = 7 * 24 * 3600 * 1000


def pattern(approach: str, **more: Any) -> dict[str, Any]:
    return {"type": "ERROR_FIX", "category": "Database", "approach": approach, **more}


async def offer(caller: Caller, *patterns: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each."""
    made = await caller.do("contributePatterns", {"patterns": patterns}, RESULTS)
    assert made["__typename"] == "ContributePatternsPayload", made
    results: list[dict[str, Any]] = made["results"]
    return results


async def people(server: RunningServer, count: int) -> list[Caller]:
    return [await newcomer(server) for _ in range(count)]


async def published(callers: list[Caller], *approaches: str) -> None:
    """Let the callers share these."""
    for caller in callers:
        await offer(caller, *map(pattern, approaches))


async def found(caller: Caller, order: str | None = None, **filter: Any) -> list[str]:
    data = await caller.ask(LIST, filter=filter, order=order)
    return [edge["node"]["approach"] for edge in data["patterns"]["edges"]]


async def test_a_pattern_shows_with_the_third_and_each_value_only_where_three_share_it(
    server: RunningServer,
) -> None:
    callers = await people(server, 4)
    rated = {"effectiveness": 0.83, "firstSeen": 3 * WEEK_MS + 5, "lastSeen": 9 * WEEK_MS + 5}
    first = pattern("Take the locks in order", platform="Postgres", tags=["Locks", "mine"], **rated)
    (taken,) = await offer(callers[0], first)
    assert (taken["__typename"], taken["visible"]) == ("PatternTaken", False)
    second = {
        **first,
        "platform": "postgres",
        "tags": ["locks"],
        "approach": "take the locks in order!",
    }
    await offer(callers[1], {**second, "firstSeen": WEEK_MS, "effectiveness": 0.9})
    node = "query ($id: ID!) { node(id: $id) { id } pattern(id: $id) { id } }"
    hidden = {"node": None, "pattern": None}
    assert await callers[0].ask(node, id=taken["patternId"]) == hidden
    assert await found(callers[0]) == []
    (taken,) = await offer(callers[2], {**second, "lastSeen": 99 * WEEK_MS, "type": "DECISION"})
    assert taken["visible"]
    data = await callers[3].ask(LIST)
    (edge,) = data["patterns"]["edges"]
    assert edge["rank"] is None
    assert edge["node"]["id"] == taken["patternId"]
    assert {**edge["node"], "publishedAt": None} == {
        "id": taken["patternId"],
        "approach": "take the locks in order",
        "category": "Database",
        "type": "PATTERN",
        "platform": "postgres",
        "tags": ["locks"],
        "effectiveness": None,
        "sharedBy": 3,
        "numbersFrom": None,
        "firstSeen": 3 * WEEK_MS,
        "lastSeen": 9 * WEEK_MS,
        "publishedAt": None,
    }
    assert edge["node"]["publishedAt"].endswith("T00:00:00+00:00")
    shown = {"id": taken["patternId"]}
    assert await callers[3].ask(node, id=shown["id"]) == {"node": shown, "pattern": shown}
    await offer(callers[3], second)
    data = await callers[3].ask(LIST)
    assert data["patterns"]["edges"][0]["node"]["sharedBy"] == 3, "no count"


async def test_each_refusal_says_why_and_nothing_is_dropped(server: RunningServer) -> None:
    (caller,) = await people(server, 1)
    texts = {
        "Write it down before you begin": None,
        "Mail admin@corp.example about it": "EMAIL",
        "See https://corp.example/wiki for more": "LINK",
        "Edit /home/ada/work/secret.py by hand": "PATH",
        "Ask 10.20.30.40 about the locks": "ADDRESS",
        "Set password = hunter2hunter2 in there": "SECRET",
        "Mail admin\uff20corp\uff0eexample about it": "EMAIL",
        "Set pass\u200bword = hunter2hunter2 in there": "SECRET",
        "?!?!?!?!?!?!": "WORDLESS",
        "write it down, before you begin.": None,
    }
    results = await offer(caller, *map(pattern, texts), pattern("Fine words", platform="/a/b/c"))
    assert [result["index"] for result in results] == list(range(len(texts) + 1))
    kinds = [[r["kind"] for r in result.get("reasons", [])] for result in results]
    assert kinds == [[kind] if kind else [] for kind in [*texts.values(), "PATH"]]
    assert results[0]["patternId"] == results[9]["patternId"]
    assert all(r["message"] for result in results for r in result.get("reasons", []))


async def test_bad_items_name_their_place(server: RunningServer) -> None:
    (caller,) = await people(server, 1)
    given = [pattern("Long enough"), pattern("short")]
    refused = await caller.do("contributePatterns", {"patterns": given}, RESULTS)
    assert refused["problems"][0]["path"] == ["input", "patterns", "1", "approach"]
    refused = await caller.do("contributePatterns", {"patterns": []}, RESULTS)
    assert refused["problems"][0]["path"] == ["input", "patterns"]


async def test_any_script_finds_its_own_words(server: RunningServer) -> None:
    callers = await people(server, 3)
    texts = {
        "锁": "按编号顺序获取数据库的锁",
        "ロック": "データベースのロックを順番に取る",
        "잠금": "데이터베이스 잠금을 순서대로 얻는다",
        "ЗАМКИ": "Берите замки по порядку номеров",
        "ΚΛΕΙΔΙΆ": "Πάρε τα κλειδιά με τη σειρά",
        "الأقفال": "خذ الأقفال بالترتيب دائما",
        "ताले": "ताले हमेशा क्रम से लें",
        "ล็อก": "ขอล็อกตามลำดับหมายเลข",
        "locking": "Keep locked rows in order",
    }
    for start in range(0, len(texts), 3):
        await published(callers, *list(texts.values())[start : start + 3])
    for query, text in texts.items():
        assert await found(callers[0], query=query) == [text], query
    assert await found(callers[0], query="数据库 锁") == [texts["锁"]]
    assert await found(callers[0], query="锁 locks") == []
    assert await found(callers[0], query="rows -order") == []
    for query in ("(((", "' OR 1=1", "a & | !", "\\", "%%"):
        assert await found(callers[0], query=query) == []
    data = await callers[0].ask(LIST, filter={"query": "order"})
    assert data["patterns"]["edges"][0]["rank"] > 0
    for query in (" ", "y" * 501):
        assert await callers[0].code(LIST, filter={"query": query}) == "BAD_USER_INPUT"
    assert await callers[0].code(LIST, order="RELEVANCE") == "BAD_USER_INPUT"


async def test_lists_come_by_pages_and_filters_narrow_them(server: RunningServer) -> None:
    callers = await people(server, 8)
    texts = [f"Approach number {number} of many" for number in range(7)]
    await published(callers[:3], *texts)
    await published(callers[3:], texts[4])
    db = Database(str(server.settings.database_url))
    assert await Draws(Decimal(100), Decimal(100))(db) == 7
    await db.close()
    for order in ("REACH", "NEWEST"):
        seen: list[str] = []
        after, more = None, True
        while more:
            page = (await callers[0].ask(LIST, order=order, first=3, after=after))["patterns"]
            assert page["totalCount"] == 7
            seen += [edge["node"]["approach"] for edge in page["edges"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert sorted(seen) == texts
        assert order == "NEWEST" or seen[0] == texts[4]
    assert len(await found(callers[0], category="dataBASE", type="ERROR_FIX")) == 7
    assert await found(callers[0], type="DECISION") == []
    assert await found(callers[0], platform="x") == []
    assert await found(callers[0], tags=["x"]) == []
    data = await callers[0].ask("""{ patternStatistics { totalPatterns contributors margin
      topCategories { category count } lastSeen } }""")
    numbers = data["patternStatistics"]
    assert numbers["totalPatterns"] == 7
    assert abs(numbers["contributors"] - 8) <= 2
    assert numbers["margin"] == 0
    assert numbers["topCategories"] == [{"category": "Database", "count": 7}]


async def test_one_sees_ones_own_contributions_and_nobody_elses(server: RunningServer) -> None:
    callers = await people(server, 4)
    texts = [f"Approach NUMBER {number}, of many!" for number in range(5)]
    await published(callers[:3], *texts[:4])
    await published(callers[:1], texts[4])
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        data = await callers[0].ask(MINE, first=2, after=after)
        page = data["viewer"]["contributions"]
        assert page["totalCount"] == 5
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert {node["approach"] for node in seen} == set(texts)
    hidden = [node["approach"] for node in seen if node["pattern"] is None]
    assert hidden == [texts[4]]
    assert (await callers[3].ask(MINE))["viewer"]["contributions"]["nodes"] == []


async def test_what_too_few_share_after_a_withdrawal_disappears(server: RunningServer) -> None:
    callers = await people(server, 4)
    await published(callers, "Write it down at once")
    await published(callers[:3], "Read it before you run it")
    (node,) = [
        node
        for node in (await callers[0].ask(MINE))["viewer"]["contributions"]["nodes"]
        if node["approach"].startswith("Read")
    ]
    outsider = await newcomer(server)
    for caller, given in (
        (outsider, {"ids": [node["patternId"]]}),
        (callers[3], {"ids": [node["patternId"]]}),
    ):
        refused = await caller.do("withdrawContributions", given, "withdrawnIds")
        assert refused["__typename"] == "NotFound"
    both = {"ids": [node["patternId"]], "everything": True}
    wrongs: list[dict[str, Any]] = [{}, {"ids": []}, {"ids": ["?"]}, both]
    for wrong in wrongs:
        refused = await callers[0].do("withdrawContributions", wrong, "withdrawnIds")
        assert refused["__typename"] == "InvalidInput"
    given = {"ids": [node["patternId"]]}
    done = await callers[0].do("withdrawContributions", given, "withdrawnIds")
    assert done["withdrawnIds"] == [node["patternId"]]
    assert await found(outsider) == ["Write it down at once"]
    done = await callers[0].do("withdrawContributions", {"everything": True}, "withdrawnIds")
    assert len(done["withdrawnIds"]) == 1
    assert await found(outsider) == ["Write it down at once"], "three are left"
    for caller in callers[1:]:
        await caller.do("withdrawContributions", {"everything": True}, "withdrawnIds")
    assert await rows(server, "SELECT * FROM patterns") == []
    assert await rows(server, "SELECT * FROM contributions") == []
    assert await rows(server, "SELECT * FROM contributors") == []


async def rows(server: RunningServer, statement: str, *values: Any) -> list[Any]:
    connection = await asyncpg.connect(server.settings.database_url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


async def test_the_feed_tells_of_each_pattern_once_and_names_nobody(server: RunningServer) -> None:
    callers = await people(server, 3)
    reader = await newcomer(server)
    async with socket_of(reader) as socket:
        await socket.subscribe(FEED)
        await asyncio.sleep(0.2)
        await published(callers, "Write it down at once")
        first = (await socket.next())["communityFeed"]
        assert first["__typename"] == "PatternPublished"
        assert first["pattern"] == {"approach": "Write it down at once"}
        assert (first["actorId"], first["actor"]) == (None, None)
        assert first["at"].endswith("T00:00:00+00:00"), "a week, no moment"
    await published(callers, "Write it down at once", "Read it before you run it")
    await callers[0].do("withdrawContributions", {"ids": [first["patternId"]]}, "withdrawnIds")
    async with socket_of(reader) as socket:
        await socket.subscribe(FEED, after=first["cursor"])
        second, third = [(await socket.next())["communityFeed"] for _ in range(2)]
    assert second["pattern"] == {"approach": "Read it before you run it"}
    assert (third["__typename"], third["patternId"]) == ("PatternWithdrawn", first["patternId"])
    logged = await rows(server, "SELECT actor_id, detail FROM log WHERE kind LIKE 'pattern_%'")
    assert {(row["actor_id"], row["detail"]) for row in logged} == {(UUID(int=0), None)}


async def test_the_feed_ends_with_the_key_that_opened_it(server: RunningServer) -> None:
    reader = await newcomer(server)
    data = await reader.ask("{ viewer { apiKeys { nodes { id } } } }")
    async with socket_of(reader, by_key=True) as socket:
        await socket.subscribe(FEED)
        await asyncio.sleep(0.2)
        key_id = data["viewer"]["apiKeys"]["nodes"][0]["id"]
        await reader.do("revokeApiKey", {"id": key_id}, "revokedId")
        async with asyncio.timeout(2):
            await socket.raw.wait_closed()
        assert socket.raw.close_code == 4403


async def test_the_community_is_no_team(server: RunningServer) -> None:
    reader = await newcomer(server)
    ((community,),) = await rows(server, "SELECT id FROM scopes WHERE kind = 'community'")
    team_id = ids.encode("Team", community)
    assert await reader.code("query ($t: ID!) { team(id: $t) { name } }", t=team_id) == "NOT_FOUND"
    given = {"type": "decision", "timestamp": 1, "summary": "Hello", "teamId": team_id}
    assert (await reader.do("createKnowledge", given, "entry { id }"))["__typename"] == "Forbidden"
    async with socket_of(reader) as socket:
        query = "subscription ($t: ID!) { teamFeed(teamId: $t) { cursor } }"
        await socket.subscribe(query, t=team_id)
        assert (await socket.receive())["type"] == "error"


async def test_members_of_one_team_count_once(server: RunningServer) -> None:
    owner, member, _team_id = await team_of_two(server)
    await published([owner, member, await newcomer(server)], "Write it down at once")
    assert await found(owner) == []
    await published([await newcomer(server)], "Write it down at once")
    assert await found(owner) == ["Write it down at once"]


async def test_accounts_that_are_too_young_count_later(serve: Serve, settings: Settings) -> None:
    server = await serve(
        settings.model_copy(update={"pattern_min_account_age": timedelta(days=30)})
    )
    callers = await people(server, 3)
    await published(callers, "Write it down at once")
    assert await found(callers[0]) == []
    (node,) = (await callers[0].ask(MINE))["viewer"]["contributions"]["nodes"]
    assert node["countsFrom"].endswith("T00:00:00+00:00")
    assert node["pattern"] is None
    db = Database(str(settings.database_url))
    assert await publication.sweep(db) == 0
    await rows(server, "UPDATE contributions SET counts_from = now() - interval '1 second'")
    assert await publication.sweep(db) == 1
    assert await publication.sweep(db) == 0
    await db.close()
    assert await found(callers[0]) == ["Write it down at once"]


async def test_contributions_and_withdrawals_at_once_keep_every_count_right(
    server: RunningServer,
) -> None:
    callers = await people(server, 6)
    texts = [f"Approach number {number} of many" for number in range(4)]
    for _ in range(dial(1, 20)):
        await asyncio.gather(
            *(
                published([caller], *(texts if i % 2 else reversed(texts)))
                for i, caller in enumerate(callers)
            )
        )
        await asyncio.gather(
            *(
                caller.do("withdrawContributions", {"everything": True}, "withdrawnIds")
                for caller in callers[:4]
            )
        )
    assert await found(callers[0]) == []
    each = "SELECT count(*) AS n FROM contributions GROUP BY pattern_id"
    (state,) = await rows(server, f"SELECT count(*), min(n), max(n) FROM ({each})")
    assert tuple(state) == (4, 2, 2)
    (state,) = await rows(server, "SELECT count(*), min(counted), max(counted) FROM contributors")
    assert tuple(state) == (2, 4, 4)
    (state,) = await rows(server, "SELECT count(*) FILTER (WHERE counted) FROM contributions")
    assert tuple(state) == (8,)
    turns = await rows(
        server,
        "SELECT subject_id, array_agg(kind ORDER BY version) AS kinds FROM log "
        "WHERE kind LIKE 'pattern_%' GROUP BY subject_id",
    )
    for row in turns:
        assert row["kinds"] == ["pattern_published", "pattern_withdrawn"] * (len(row["kinds"]) // 2)
