"""Every operation, whoever asks, for whatever: the table's outcome, and nobody else's words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graph.build import core_schema
from rest_compat.routes import ROUTES
from settings import Settings
from tests.authorisation.asking import ask, words_in
from tests.authorisation.rules import expected
from tests.authorisation.snapshot import Snapshot
from tests.authorisation.table import Row, rows
from tests.authorisation.world import ACTORS, TARGETS, World, build
from tests.conftest import Serve
from tests.support.dial import PROVING
from tests.support.server import RunningServer

Cell = tuple[Row, str, str]


@pytest.fixture(params=["plans", "no plans"])
async def server(serve: Serve, settings: Settings, request: pytest.FixtureRequest) -> RunningServer:
    """A server that answers reads by plans and one that executes them all."""
    many = {"rate_limit_max": 10**7, "rate_limit_anonymous_max": 10**7, "login_attempts_max": 10**4}
    plans = {"query_plans": request.param == "plans"}
    return await serve(settings.model_copy(update=many | plans))


def cells() -> Iterator[Cell]:
    """The whole matrix; in the short form of every row some, so that each actor has its turn."""
    for place, row in enumerate(rows()):
        targets = ("own",) if row.is_one else TARGETS
        whole = [(row, actor, target) for target in targets for actor in ACTORS]
        if PROVING:
            yield from whole
        else:
            step = 7 if row.is_one else 11
            yield from whole[place % step :: step]


def outcome_of(world: World, cell: Cell) -> str:
    """What the table says of a cell."""
    row, actor, target = cell
    role = world.people[actor].role
    found: str = expected(row.rule, actor, target, role)
    if found != "ok":
        return found
    if actor == "owner" and target == "team" and "owner" in row.exceptions:
        return row.exceptions["owner"]
    other = row.exceptions.get(target, row.otherwise or "ok")
    if other.endswith("-inside"):
        return other.removesuffix("-inside") if role else "ok"
    return other


def changes(world: World, cell: Cell) -> bool:
    """Whether a cell may change what others ask for."""
    row, _actor, _target = cell
    reads = row.kind in {"query", "subscription"} or row.name.startswith("GET")
    return not reads and outcome_of(world, cell) == "ok"


async def test_every_cell_is_as_the_table_says_and_tells_nothing_of_others(
    server: RunningServer,
) -> None:
    world = await build(server)
    kept = await Snapshot.take(str(server.settings.database_url))
    before = await kept.digests()
    plans = server.settings.query_plans
    chosen = [cell for cell in cells() if plans or cell[0].kind == "query"]
    wrong = [await checked(world, cell) for cell in chosen if not changes(world, cell)]
    assert not any(wrong), "\n".join(filter(None, wrong))
    assert await kept.digests() == before, "something refused was done"
    for cell in chosen:
        if changes(world, cell):
            wrong.append(await checked(world, cell))
            await kept.restore()
    await kept.close()
    assert not any(wrong), "\n".join(filter(None, wrong))


async def checked(world: World, cell: Cell) -> str | None:
    """What is wrong in a cell; None for nothing."""
    row, actor, target = cell
    right = outcome_of(world, cell)
    answer = await ask(world, row, actor, target, 0.3 if right == "ok" else 10)
    place = f"{row.name} as {actor} for {target}"
    if answer.outcome != right:
        return f"{place}: {answer.outcome} instead of {right} {answer.text[:300]}"
    sees = world.people[actor].may_see
    if answer.outcome == "ok" and row.operation in {"acceptInvitation", "logIn"}:
        return None
    strange = words_in(answer.text, world.words - sees)
    return f"{place}: tells {sorted(strange)}" if strange else None


def test_every_operation_and_every_route_has_a_row() -> None:
    table = rows()
    for root in ("Query", "Mutation", "Subscription"):
        named = {row.operation for row in table if row.kind == root.lower()}
        assert named == set(core_schema().type_map[root].fields), root  # type: ignore[attr-defined]
    routes = {f"{min(r.methods - {'HEAD'})} {r.path}" for r in ROUTES}  # type: ignore[attr-defined]
    assert {row.name for row in table if row.kind == "route"} == routes
    kinds = {row.name.split()[1] for row in table if row.name.startswith("node ")}
    nodes = core_schema().get_possible_types(core_schema().type_map["Node"])  # type: ignore[arg-type]
    assert kinds == {kind.name for kind in nodes}


def test_even_the_short_form_has_every_operation_every_actor_and_every_column() -> None:
    chosen = list(cells())
    assert {row.name for row, _actor, _target in chosen} == {row.name for row in rows()}
    assert {actor for _row, actor, _target in chosen} == set(ACTORS)
    assert {target for _row, _actor, target in chosen} == set(TARGETS)
