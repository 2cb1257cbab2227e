"""The community's numbers are drawn once a week, within a budget, and tell of nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from db import drawn_numbers
from db.drawn_numbers import Line
from db.engine import Database
from db.tables import COUNTED_MAX
from domain import contributions, patterns
from domain.actor import Actor
from domain.contributions import OwnContribution
from domain.contributor import contributor
from domain.draws import SENSITIVITY, UNIT, Draws
from settings import Settings
from tests.conftest import Serve
from tests.support.community import Community, community, person
from tests.support.dial import PROVING, dial
from tests.support.postgres import TESTING

APPROACHES = tuple(f"Take lock number {number} first" for number in range(7))
EXACT = Decimal(100)
"""So large that the noise is next to nothing."""


@pytest.fixture
async def people(settings: Settings) -> AsyncIterator[Community]:
    async with community(settings) as made:
        yield made


def weekly(epsilon: int | str = 3, budget: int | str = 1000) -> Draws:
    return Draws(Decimal(epsilon), Decimal(budget))


async def numbers(people: Community) -> list[tuple[UUID, int, float | None]]:
    return [(p.id, p.contributor_count, p.effectiveness) for p in await people.shown()]


async def share(people: Community, count: int, *approaches: str, **more: Any) -> list[Actor]:
    crowd = [person() for _ in range(count)]
    for who in crowd:
        await people.offer(who, *approaches, **more)
    return crowd


async def test_a_pattern_tells_no_number_before_it_is_drawn(people: Community) -> None:
    await share(people, 9, APPROACHES[0], effectiveness=0.9)
    (shown,) = await people.shown()
    assert (shown.contributor_count, shown.effectiveness, shown.numbers_from) == (3, None, None)
    told = await patterns.statistics(people.services)
    assert (told.patterns, told.contributors, told.numbers_from, told.margin) == (1, 3, None, None)


async def test_a_draw_without_noise_to_speak_of_tells_the_numbers(people: Community) -> None:
    team = uuid4()
    await share(people, 5, APPROACHES[0], effectiveness=0.8)
    await people.offer(person(team), APPROACHES[0], effectiveness=0.2)
    await people.offer(person(team), APPROACHES[0], effectiveness=0.2)
    await share(people, 3, APPROACHES[1])
    assert await Draws(EXACT, EXACT)(people.db) == 2
    first, second = await people.shown()
    assert abs(first.contributor_count - 6) <= 1, "a team counts once"
    assert first.effectiveness == pytest.approx((5 * 0.8 + 2 * 0.2) / 7, abs=0.11)
    assert (second.contributor_count, second.effectiveness) == (3, None)
    assert first.numbers_from == second.numbers_from
    told = await patterns.statistics(people.services)
    assert abs(told.contributors - 10) <= 1
    assert told.numbers_from == first.numbers_from


async def test_all_reads_of_a_week_are_the_same_whatever_is_contributed(
    serve: Serve, settings: Settings
) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_anonymous_max": 1_000_000}))
    async with community(settings) as people:
        await share(people, 6, *APPROACHES[:4], effectiveness=0.7)
        await weekly()(people.db)
        answers: set[tuple[str, str]] = set()

        async def read() -> None:
            listed = await server.client.get("/api/federation/patterns")
            told = await server.client.get("/api/federation/stats")
            answers.add((listed.text, told.text))

        for number in range(dial(3, 100)):
            await asyncio.gather(*(read() for _ in range(dial(10, 100))))
            newcomer = person()
            await people.offer(newcomer, *APPROACHES[:4], effectiveness=1.0)
            assert await weekly()(people.db) == 0, "this week's are drawn"
            if number % 2:
                await people.withdraw(newcomer)
        assert len(answers) == 1


async def test_numbers_are_those_of_the_last_draw_in_lists_and_orders(people: Community) -> None:
    await share(people, 3, APPROACHES[0])
    await share(people, 12, APPROACHES[1])
    await Draws(EXACT, EXACT)(people.db)
    crowd = await share(people, 25, APPROACHES[0])
    assert [p.approach for p in await people.shown()] == [APPROACHES[1], APPROACHES[0]]
    await people.next_week()
    await Draws(EXACT, 2 * EXACT)(people.db)
    assert [p.approach for p in await people.shown()] == [APPROACHES[0], APPROACHES[1]]
    for who in crowd:
        await people.withdraw(who)
    assert [p.approach for p in await people.shown()] == [APPROACHES[0], APPROACHES[1]]


async def test_of_several_servers_that_draw_one_does(people: Community, settings: Settings) -> None:
    await share(people, 5, *APPROACHES[:3])
    others = [Database(str(settings.database_url)) for _ in range(4)]
    done = await asyncio.gather(*(weekly()(db) for db in others for _ in range(3)))
    for db in others:
        await db.close()
    assert Counter(done) == {3: 1, 0: 11}
    assert await people.sql("SELECT epsilon, spent FROM privacy_ledger") == [(3, 3)]


async def test_draws_and_contributions_at_once_wait_for_each_other(people: Community) -> None:
    crowd = await share(people, 6, *APPROACHES)
    for number in range(dial(2, 20)):
        await people.sql("UPDATE privacy_ledger SET epoch = epoch - interval '7 days'")
        done = await asyncio.gather(
            *(weekly()(people.db) for _ in range(2)),
            *(people.offer(who, *APPROACHES[:: 1 - 2 * (number % 2)]) for who in crowd[:3]),
            *(people.withdraw(who) for who in crowd[3:]),
        )
        assert Counter(done[:2]) == {len(APPROACHES): 1, 0: 1}
        await asyncio.gather(*(people.offer(who, *APPROACHES) for who in crowd[3:]))


async def test_the_ledger_refuses_overspending_and_the_last_numbers_stay(
    people: Community, caplog: pytest.LogCaptureFixture
) -> None:
    await share(people, 5, APPROACHES[0], effectiveness=0.5)
    assert await weekly("0.1", "0.3")(people.db) == 1
    for _ in range(2):
        await people.next_week()
        assert await weekly("0.1", "0.3")(people.db) == 1
    before = await numbers(people)
    await people.next_week()
    thrifty = weekly("0.1", "0.3")
    assert [await thrifty(people.db) for _ in range(3)] == [0, 0, 0]
    assert caplog.text.count("PATTERN_EPSILON_TOTAL") == 1
    assert await numbers(people) == before
    (shown,) = await people.shown()
    assert (await people.sql("SELECT max(epoch) FROM privacy_ledger")) == [(shown.numbers_from,)]
    assert await weekly("0.1", "0.4")(people.db) == 1, "somebody raised it"
    ((spent,),) = await people.sql("SELECT sum(epsilon) FROM privacy_ledger")
    assert spent == Decimal("0.4")


async def test_the_database_refuses_what_is_more_than_the_budget(people: Community) -> None:
    await share(people, 3, APPROACHES[0])
    await weekly()(people.db)
    async with people.db.read(TESTING) as connection:
        last = await drawn_numbers.latest(connection)
    assert last is not None
    more = replace(last, epoch=last.epoch.replace(year=2100), spent=last.budget + 1)
    with pytest.raises(IntegrityError):
        async with people.db.begin(TESTING) as connection:
            await drawn_numbers.charge(connection, more)


async def test_what_cannot_be_charged_is_not_drawn(
    people: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    await share(people, 5, APPROACHES[0])

    async def fail(_connection: object, _line: Line) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(drawn_numbers, "charge", fail)
        with pytest.raises(RuntimeError):
            await weekly()(people.db)
    (shown,) = await people.shown()
    assert shown.numbers_from is None
    assert await people.sql("SELECT * FROM privacy_ledger") == []
    assert await weekly()(people.db) == 1


async def test_without_a_budget_or_a_pattern_nothing_is_spent(people: Community) -> None:
    assert await weekly()(people.db) == 0
    await share(people, 2, APPROACHES[0])
    assert await weekly()(people.db) == 0
    await share(people, 1, APPROACHES[0])
    assert await weekly(budget=0)(people.db) == 0
    assert await people.sql("SELECT * FROM privacy_ledger") == []


async def test_a_pattern_that_comes_back_has_no_numbers_of_before(people: Community) -> None:
    crowd = await share(people, 3, APPROACHES[0], effectiveness=0.5)
    await weekly()(people.db)
    await people.withdraw(crowd[0])
    assert await people.shown() == []
    await people.offer(crowd[0], APPROACHES[0])
    (shown,) = await people.shown()
    assert (shown.contributor_count, shown.effectiveness, shown.numbers_from) == (3, None, None)


async def test_a_rating_that_two_give_is_shown_no_longer(people: Community) -> None:
    crowd = await share(people, 4, APPROACHES[0])
    for who in crowd[:3]:
        await people.offer(who, APPROACHES[0], effectiveness=1.0)
    await weekly()(people.db)
    (shown,) = await people.shown()
    assert shown.effectiveness is not None
    await people.offer(crowd[0], APPROACHES[0])
    (shown,) = await people.shown()
    assert shown.effectiveness is None


Act = tuple[int, str, frozenset[int], float | None]
ACTS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(("offer", "offer", "offer", "withdraw", "withdraw all")),
        st.frozensets(st.integers(0, len(APPROACHES) - 1), min_size=1),
        st.none() | st.floats(0, 1),
    ),
    min_size=1,
    max_size=dial(12, 40),
)
TEAMS = st.lists(st.frozensets(st.integers(0, 2)), min_size=5, max_size=5)


@hypothesis_settings(
    max_examples=dial(8, 300),
    deadline=None,
    phases=[Phase.generate, Phase.shrink] if PROVING else [Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS, teams=TEAMS, leaver=st.integers(0, 4))
async def test_one_account_changes_the_numbers_by_no_more_than_is_claimed(
    people: Community, acts: list[Act], teams: list[frozenset[int]], leaver: int
) -> None:
    await people.empty()
    ids = [uuid4() for _ in range(3)]
    crowd = [person(*(ids[team] for team in sorted(own))) for own in teams]
    for place, act, chosen, rating in acts:
        who = crowd[place]
        if act == "offer":
            approaches = [APPROACHES[number] for number in sorted(chosen)]
            await people.offer(who, *approaches, effectiveness=rating)
        elif act == "withdraw all":
            await people.withdraw(who)
        elif gone := [c.pattern_id for c in await own(people, who)][: len(chosen)]:
            await people.withdraw(who, gone)
    for who in crowd:
        noted, known = await counted(people, who)
        assert noted == known <= COUNTED_MAX
    before = await everything(people)
    await people.withdraw(crowd[leaver])
    after = await everything(people)
    assert sum(abs(before[n] - after[n]) for n in before.keys() | after.keys()) <= SENSITIVITY


async def own(people: Community, who: Actor) -> list[OwnContribution]:
    return await contributions.page(people.services, who, limit=100)


async def counted(people: Community, who: Actor) -> tuple[int, int]:
    """In how many patterns' numbers somebody counts: as is noted, and in truth."""
    seen = contributor(people.services, who)
    query = "SELECT counted FROM contributors WHERE digest = :digest"
    noted = await people.sql(query, digest=seen.identity)
    query = (
        "SELECT sameness, contributor FROM contributions c JOIN patterns p ON c.pattern_id = p.id"
    )
    rows = await people.sql(f"{query} WHERE counted")
    return sum(n for (n,) in noted), sum(seen.seen_as(key) == digest for key, digest in rows)


async def everything(people: Community) -> Counter[object]:
    """Every number that a draw would add noise to, were all patterns shown and rated."""
    await people.sql("UPDATE patterns SET visible_at = now(), rated = true")
    exact, contributors = await people.sums()
    found: Counter[object] = Counter({"contributors": contributors * UNIT})
    for pattern in exact:
        found[pattern.pattern_id, "people"] = pattern.people * UNIT
        found[pattern.pattern_id, "praise"] = pattern.praise
        found[pattern.pattern_id, "blame"] = pattern.blame
    return found
