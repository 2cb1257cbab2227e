"""Lists in every order, narrowed in every way: pages are the sorted list, whatever others write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.schema import ids
from tests.graph.client import Caller, newcomer
from tests.support.dial import dial
from tests.support.server import RunningServer

FIELDS = {"TIMESTAMP": "timestamp", "CREATED": "created_at", "UPDATED": "updated_at"}
PAGE = """
query ($filter: KnowledgeFilter, $order: KnowledgeOrder,
       $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  knowledge(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last,
            before: $before) {
    totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
BASE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Row:
    id: UUID
    timestamp: int
    created_at: datetime
    updated_at: datetime


@dataclass
class Many:
    """Somebody with rows of random instants, many of them the same."""

    caller: Caller
    connection: Any
    rows: list[Row]

    def sorted(self, column: str, falling: bool) -> list[UUID]:
        found = sorted(self.rows, key=lambda r: (getattr(r, column), r.id.int), reverse=falling)
        return [row.id for row in found]


@pytest.fixture
async def many(server: RunningServer) -> AsyncIterator[Many]:
    caller = await newcomer(server)
    await caller.do(
        "pushKnowledge",
        {"entries": [{"type": "d", "timestamp": n % 5, "summary": f"{n}"} for n in range(30)]},
        "accepted",
    )
    connection = await asyncpg.connect(server.settings.database_url)
    found = await connection.fetch("SELECT id, timestamp FROM knowledge ORDER BY id")
    rows = []
    for number, row in enumerate(found):
        created = BASE + timedelta(microseconds=number * 7 % 4)
        updated = BASE + timedelta(microseconds=number * 5 % 6)
        await connection.execute(
            "UPDATE knowledge SET created_at = $2, updated_at = $3 WHERE id = $1",
            row["id"],
            created,
            updated,
        )
        rows.append(Row(UUID(str(row["id"])), row["timestamp"], created, updated))
    yield Many(caller, connection, rows)
    await connection.close()


async def walk(
    many: Many, order: dict[str, str], sizes: list[int], *, forward: bool, disturb: bool
) -> list[UUID]:
    found: list[UUID] = []
    variables: dict[str, Any] = {"order": order}
    for turn in range(200):
        variables["first" if forward else "last"] = sizes[turn % len(sizes)]
        page = (await many.caller.ask(PAGE, **variables))["knowledge"]
        part = [ids.decode("KnowledgeEntry", node["id"]) for node in page["nodes"]]
        found = found + part if forward else part + found
        info = page["pageInfo"]
        if not info["hasNextPage" if forward else "hasPreviousPage"]:
            return found
        variables["after" if forward else "before"] = info[
            "endCursor" if forward else "startCursor"
        ]
        if disturb:
            await many.caller.write(f"{uuid4()}", timestamp=turn % 5)
    raise AssertionError("the list does not end")


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=dial(8, 500),
)
@given(
    field=st.sampled_from(sorted(FIELDS)),
    direction=st.sampled_from(["ASC", "DESC"]),
    sizes=st.lists(st.integers(2, 20), min_size=1, max_size=3),
    forward=st.booleans(),
    disturb=st.booleans(),
)
async def test_pages_are_the_sorted_list_in_either_direction_while_others_write(
    many: Many, field: str, direction: str, sizes: list[int], forward: bool, disturb: bool
) -> None:
    order = {"field": field, "direction": direction}
    found = await walk(many, order, sizes, forward=forward, disturb=disturb)
    known = {row.id for row in many.rows}
    expected = many.sorted(FIELDS[field], direction == "DESC")
    assert [i for i in found if i in known] == expected
    assert len(found) == len(set(found))
    await many.connection.execute("DELETE FROM knowledge WHERE id <> ALL($1)", list(known))


async def test_a_cursor_of_another_ordering_is_refused(many: Many) -> None:
    orders = [{"field": f, "direction": d} for f in FIELDS for d in ("ASC", "DESC")]
    cursors = [
        (await many.caller.ask(PAGE, order=order))["knowledge"]["pageInfo"]["endCursor"]
        for order in orders
    ]
    for number, order in enumerate(orders):
        for argument in ("after", "before"):
            for other, cursor in enumerate(cursors):
                answer = await many.caller.post(PAGE, {"order": order, argument: cursor})
                errors = answer.json().get("errors")
                if other == number:
                    assert errors is None
                else:
                    assert errors[0]["extensions"]["problems"] == [
                        {
                            "path": [argument],
                            "message": "is a cursor of another list or of another ordering",
                        }
                    ]


async def test_ranges_hold_their_start_and_not_their_end(many: Many) -> None:
    async def total(**filter: Any) -> int:
        page = (await many.caller.ask(PAGE, filter=filter))["knowledge"]
        count: int = page["totalCount"]
        return count

    def rows(column: str, start: Any, end: Any) -> int:
        return sum(start <= getattr(row, column) < end for row in many.rows)

    late = BASE + timedelta(microseconds=3)
    span = {"from": BASE.isoformat(), "to": late.isoformat()}
    assert await total(created=span) == rows("created_at", BASE, late) > 0
    assert await total(updated=span) == rows("updated_at", BASE, late) > 0
    assert await total(timestamp={"from": 1, "to": 3}) == rows("timestamp", 1, 3) > 0
    assert await total(timestamp={"from": 1}) == rows("timestamp", 1, 9)
    assert await total(timestamp={"to": 1}) == rows("timestamp", 0, 1)
