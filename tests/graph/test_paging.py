"""Connections: whatever the page size and direction, each entry once and in order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.schema.paging import Window
from tests.graph.client import Caller, team_of_two
from tests.support.dial import dial
from tests.support.server import RunningServer

PAGE = """
query ($team: ID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  team(id: $team) { knowledge(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { summary } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }
}
"""


async def walk(caller: Caller, team_id: str, sizes: list[int], *, forward: bool) -> list[str]:
    """All summaries, by pages of these sizes in turn."""
    found: list[str] = []
    variables: dict[str, Any] = {"team": team_id}
    for turn in range(200):
        size = sizes[turn % len(sizes)]
        variables["first" if forward else "last"] = size
        connection = (await caller.ask(PAGE, **variables))["team"]["knowledge"]
        page = [edge["node"]["summary"] for edge in connection["edges"]]
        found = found + page if forward else page + found
        info = connection["pageInfo"]
        if not info["hasNextPage" if forward else "hasPreviousPage"]:
            return found
        assert len(page) == size
        variables["after" if forward else "before"] = info[
            "endCursor" if forward else "startCursor"
        ]
    raise AssertionError("the list does not end")


@pytest.fixture
async def listed(server: RunningServer) -> tuple[Caller, str, list[str]]:
    """Somebody, a team of theirs, and what it shares in order: many of the same instant."""
    owner, member, team_id = await team_of_two(server)
    times = [5, 3, 3, 3, 9, 1, 5, 7, 2, 2, 8, 8, 8, 8, 4, 6, 6]
    for number, time in enumerate(times):
        writer = owner if number % 3 else member
        await writer.write(f"{number}", team_id, timestamp=time)
    whole = await walk(owner, team_id, [100], forward=True)
    assert sorted(whole, key=int) == [str(number) for number in range(len(times))]
    assert [times[int(name)] for name in whole] == sorted(times, reverse=True)
    return owner, team_id, whole


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=dial(40, 1_000),
)
@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=4), forward=st.booleans())
async def test_paging_visits_each_entry_once_in_either_direction(
    listed: tuple[Caller, str, list[str]], sizes: list[int], forward: bool
) -> None:
    owner, team_id, whole = listed
    assert await walk(owner, team_id, sizes, forward=forward) == whole


async def test_the_total_is_counted_only_when_asked_for(server: RunningServer) -> None:
    owner, _member, team_id = await team_of_two(server)
    for number in range(3):
        await owner.write(f"{number}", team_id)
    query = "query ($t: ID!) { team(id: $t) { knowledge(first: 1) { totalCount nodes { id } } } }"
    connection = (await owner.ask(query, t=team_id))["team"]["knowledge"]
    assert connection["totalCount"] == 3
    assert len(connection["nodes"]) == 1


@given(st.lists(st.integers(), max_size=12), st.integers(1, 5), st.booleans())
def test_a_window_keeps_its_limit_and_knows_of_more(
    rows: list[int], limit: int, backward: bool
) -> None:
    asked = Window(limit, None, None, backward)
    fetched = rows[-asked.fetch :] if backward else rows[: asked.fetch]
    kept, before, behind = asked.cut(fetched)
    assert list(kept) == (rows[-limit:] if backward else rows[:limit])
    assert (before if backward else behind) == (len(rows) > limit)
