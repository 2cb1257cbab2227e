"""Whatever is asked, the plan answers what the ordinary executor answers.

200 generated operations in the default run, 5,000 with TEAMLORE_PROVE=1: most over the part of the
schema that the plan covers, the rest over all of it; from somebody with data, from members of every
role, and from a stranger, each with a token or with keys that are good for less.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from graph.build import core_schema, schema
from tests.graph.plan import dashboard
from tests.graph.plan.both import EVERYBODY, Both
from tests.graph.plan.documents import CASES, PLANNED, written
from tests.graph.plan.righted import cursors_in, righted
from tests.support.covered import covered_schema
from tests.support.dial import dial
from tests.support.operations import queries

ROOT = Path(__file__).parents[3]
_logger = logging.getLogger(__name__)


async def test_hand_written_queries_have_one_answer(both: Both) -> None:
    for who, (name, query) in product(EVERYBODY, CASES.items()):
        assert await both.same(who, written(query, **both.estate.ids)), name


async def test_what_statements_cover_has_one_answer_for_everybody(both: Both) -> None:
    hows = {}
    for name, query in PLANNED.items():
        text = written(query, **both.estate.ids)
        hows[name] = await both.how("owner", text)
        for who in EVERYBODY:
            await both.same(who, text)
    assert hows == dict.fromkeys(PLANNED, "planned")


VARIABLES = """query Q($id: ID!, $first: Int = 2, $after: Cursor, $no: Boolean!, $filter:
    KnowledgeFilter, $team: ID, $order: KnowledgeOrder) {
    knowledge(teamId: $team, first: $first, after: $after, filter: $filter, orderBy: $order) {
      totalCount edges { cursor node { id @skip(if: $no) summary @include(if: $no)
        ... @include(if: $no) { author { id } } } } pageInfo { endCursor hasNextPage } }
    node(id: $id) { __typename ... on KnowledgeEntry @skip(if: $no) { summary } id } }"""


async def test_variables_bind_anew_each_time(both: Both) -> None:
    sets: list[dict[str, Any]] = [
        {"id": both.estate.entry, "no": False},
        {"id": both.estate.team, "no": True, "first": 3, "team": both.estate.team},
        {"id": both.estate.session, "no": False, "first": None, "team": None},
        {"id": both.estate.entry, "no": True, "filter": {"tags": ["a"], "type": None}},
        {"id": both.estate.entry, "no": True, "filter": {"tags": ["b"], "type": "decision"}},
        {"id": both.estate.entry, "no": True, "order": {"direction": "ASC"}, "first": 1},
        {"id": both.estate.entry, "no": True, "first": 101},
        {"id": both.estate.entry, "no": True, "first": "1"},
        {"id": 7, "no": None},
        {"no": True},
        {"id": "x", "no": True, "team": "x"},
        {"id": both.estate.entry, "no": True, "team": both.estate.entry},
    ]
    for who, variables in product(EVERYBODY, sets):
        answer = await both.same(who, VARIABLES, variables)
        found = re.search(rb'"endCursor":"([^"]+)"', answer)
        if found is not None:
            await both.same(who, VARIABLES, {**variables, "after": found[1].decode()})


async def test_everything_that_is_benchmarked_is_planned(both: Both) -> None:
    for first in (20, 100):
        values = {"id": both.estate.entry, "team": both.estate.team, "first": first}
        for path in sorted((ROOT / "bench" / "documents").glob("*.graphql")):
            query = path.read_text()
            given = {name: value for name, value in values.items() if f"${name}:" in query}
            await both.same("owner", query, given)
    assert both.share("planned") == 1


COVERED = queries(covered_schema(schema))
ANYTHING = queries(core_schema())


@hypothesis_settings(
    max_examples=dial(200, 5_000),
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    text=st.one_of(COVERED, COVERED, COVERED, ANYTHING),
    who=st.sampled_from(EVERYBODY),
    right=st.one_of(st.none(), st.integers(0, 9), st.integers(0, 9)),
)
async def test_generated_queries_have_one_answer(
    both: Both, text: str, who: str, right: int | None
) -> None:
    if not both.seen.by_scalar:
        _learn(both)
    query = both.seen.filled(text)
    if right is not None:
        query = righted(query, both.estate.ids, right)
    both.seen.learn(cursors_in(await both.same(who, query)))


def _learn(both: Both) -> None:
    both.seen.learn([("ID", value) for value in both.estate.ids.values()])
    both.seen.learn([("String", value) for value in ("a", "b", "api", "decision", "s-1")])


async def test_most_of_the_dashboard_is_covered_by_statements_alone(both: Both) -> None:
    found: dict[str, str] = {}
    for name, text in dashboard.documents().items():
        for values in dashboard.variables(name, text, both.estate):
            hows = Counter([found.get(name, "planned"), await both.how("owner", text, values)])
            found[name] = "planned" if hows["planned"] == 2 else max(hows - Counter(["planned"]))
    alone = sum(how == "planned" for how in found.values()) / len(found)
    covered = sum(how in {"planned", "asked"} for how in found.values()) / len(found)
    others = {name: how for name, how in found.items() if how != "planned"}
    _logger.info("alone %.0f%%, covered %.0f%%, but for %s", 100 * alone, 100 * covered, others)
    assert alone >= 0.8, others
    assert covered >= 0.95, others


async def test_the_dashboard_has_one_answer_for_everybody(both: Both) -> None:
    for who, (name, text) in product(EVERYBODY, dashboard.documents().items()):
        for values in dashboard.variables(name, text, both.estate):
            await both.same(who, text, values)
