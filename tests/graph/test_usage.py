"""What one keeps and does, in two statements."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.graph.client import newcomer, team_of_two
from tests.graph.test_sessions import back_up, one
from tests.graph.test_statements import counted
from tests.support.server import RunningServer

USAGE = """{ viewer { usage {
  knowledgeEntries sessionSummaries sessions sharedSessions conversationBytes versionBytes
  syncActions apiKeys teams tier limits { entriesPerPush conversationBytes }
  days(last: 3) { date knowledge sessions summaries total } } } }"""


async def test_usage_counts_what_is_mine_and_nothing_of_others(server: RunningServer) -> None:
    mate, owner, team_id = await team_of_two(server)
    other = await newcomer(server)
    assert (await other.ask(USAGE))["viewer"]["usage"]["knowledgeEntries"] == 0
    await owner.write("In private")
    await owner.write("For the team", team_id)
    await mate.write("Not mine", team_id)
    await back_up(owner, "a", b'{"type":"user"}\n' * 3)
    await back_up(owner, "a", b'{"type":"other"}\n' * 5)
    await owner.do("shareSession", {"id": await one(owner, "a"), "teamId": team_id}, "__typename")
    given = {"sessionId": "a", "summary": {"did": "much"}}
    await owner.do("saveSessionSummary", given, "summary { id }")
    with counted() as statements:
        used = (await owner.ask(USAGE))["viewer"]["usage"]
    assert len(statements) <= 4, "the caller, the viewer, what it keeps, what it does"
    days = used.pop("days")
    assert used == {
        "knowledgeEntries": 2,
        "sessionSummaries": 1,
        "sessions": 1,
        "sharedSessions": 1,
        "conversationBytes": 85,
        "versionBytes": 48 + 85,
        "syncActions": 0,
        "apiKeys": 1,
        "teams": 1,
        "tier": "free",
        "limits": {"entriesPerPush": 500, "conversationBytes": 4 * 1024**3},
    }
    today = {"date": datetime.now(UTC).date().isoformat(), "knowledge": 2}
    assert days[-1] == {**today, "sessions": 3, "summaries": 1, "total": 6}
    assert [day["total"] for day in days[:-1]] == [0, 0]


async def test_too_many_days_are_refused(server: RunningServer) -> None:
    person = await newcomer(server)
    query = "query ($n: Int!) { viewer { usage { days(last: $n) { total } } } }"
    for wrong in (0, 91, -(2**31)):
        assert await person.code(query, n=wrong) == "BAD_USER_INPUT"
    found = (await person.ask(query, n=90))["viewer"]["usage"]["days"]
    assert len(found) == 90
