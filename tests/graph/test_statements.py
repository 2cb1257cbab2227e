"""Lists cost as many statements as single objects: every relation is loaded in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.graph.client import newcomer, team_of_two
from tests.support.server import RunningServer

LISTS = {
    "a team's knowledge": """query ($team: ID!, $first: Int) { team(id: $team) {
        knowledge(first: $first) { nodes {
          summary author { id username } session { sessionId title }
          team { id name members { nodes { user { email } } } } } }
      } }""",
    "my knowledge": """query ($team: ID!, $first: Int) { knowledge(first: $first, teamId: $team) {
        totalCount nodes { author { id } team { name } session { id projectName } } } }""",
    "search": """query ($team: ID!, $first: Int) {
        searchKnowledge(query: "entry", first: $first, teamId: $team) {
          edges { rank node { author { id } team { name } } } } }""",
}


BACKGROUND = {"log tail", "log pruning", "sweeps", "reader of conversations", "outbox", "indexing"}
"""Tasks of the server that nobody's request waits for."""


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that run meanwhile, in this process."""
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        task = asyncio.current_task()
        if task is not None and task.get_name() in BACKGROUND:
            return
        if "budgets" in statement:
            return  # a lease of a budget, now and then; see domain.shared_budgets
        of_the_hub = "FROM unnest" in statement and "audit" not in statement
        if not of_the_hub and "scopes.head" not in statement:
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_of_100_needs_no_more_statements_than_one_of_1(
    server: RunningServer, name: str
) -> None:
    owner, member, team_id = await team_of_two(server)
    for number in range(100):
        who = owner if number % 2 else member
        await who.write(f"Entry {number}", team_id, sessionId=f"session-{number}")
    listed = {"sessions": [{"session_id": f"session-{number}"} for number in range(100)]}
    kept = await server.client.post("/api/sessions/sync", json=listed, headers=owner.headers)
    assert kept.status_code == 200, kept.text
    figures = []
    for first in (1, 100):
        with counted() as statements:
            data = await owner.ask(LISTS[name], team=team_id, first=first)
        assert str(data).count("author") == first
        figures.append(len(statements))
    assert figures[0] == figures[1] <= 7


async def test_my_teams_cost_the_same_however_many(server: RunningServer) -> None:
    person = await newcomer(server)
    query = "{ teams { name members { totalCount nodes { role user { email } } } } }"
    figures = []
    for more in (1, 20):
        for _ in range(more):
            await person.found_team()
        with counted() as statements:
            await person.ask(query)
        figures.append(len(statements))
    assert figures[0] == figures[1] <= 4
