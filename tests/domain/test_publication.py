"""When a pattern is shown, and what of it: what three independent people share, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from domain.errors import Unauthenticated
from domain.publication import INDEPENDENT, WEEK_MS, independent, published
from domain.sameness import plain
from settings import Settings
from tests.support.community import Community, community, person
from tests.support.dial import dial

APPROACH = "Take the locks in order"


@pytest.fixture
async def people(settings: Settings) -> AsyncIterator[Community]:
    async with community(settings) as made:
        yield made


async def test_one_account_never_makes_a_pattern_visible(people: Community) -> None:
    team = uuid4()
    spellings = (APPROACH, "take the LOCKS, in order!", "\uff34ake the locks in order")
    one = person(team)
    for number in range(dial(100, 10_000)):
        claimed = f"contributor-{number}"
        done = await people.offer(one, spellings[number % 3], claimed=claimed, tags=["locks"])
        assert not done.taken[0].visible
    assert await people.shown() == []
    assert await people.sql("SELECT count(*) FROM contributions") == [(1,)]
    await people.offer(person(), APPROACH)
    assert await people.shown() == []


async def test_two_of_a_team_and_an_outsider_are_not_three(people: Community) -> None:
    team, other = uuid4(), uuid4()
    await people.offer(person(team), APPROACH)
    await people.offer(person(team), APPROACH)
    outsider = person(other)
    await people.offer(outsider, APPROACH)
    assert await people.shown() == []
    await people.offer(person(team, other), APPROACH)
    assert await people.shown() == [], "one who is in both teams makes them one"
    await people.offer(person(), APPROACH)
    assert await people.shown() == []
    await people.offer(person(), APPROACH)
    assert [p.approach for p in await people.shown()] == [APPROACH]
    await people.withdraw(outsider)
    assert len(await people.shown()) == 1


async def test_the_answer_does_not_tell_what_others_offered_before(people: Community) -> None:
    first = await people.offer(person(), APPROACH)
    second = await people.offer(person(), APPROACH)
    assert (first.accepted, first.merged) == (second.accepted, second.merged) == (1, 0)
    third = person()
    done = await people.offer(third, APPROACH)
    assert (done.accepted, done.merged, done.taken[0].visible) == (1, 0, True)
    again = await people.offer(third, APPROACH)
    assert (again.accepted, again.merged) == (0, 1)
    late = await people.offer(person(), APPROACH)
    assert (late.accepted, late.merged) == (0, 1), "everybody sees it"


async def test_a_spelling_is_shown_where_three_share_it(people: Community) -> None:
    hidden = "Take the\U000e0069\U000e0067 LOCKS, in order!!"
    await people.offer(person(), hidden, platform="PostgreSQL-16")
    await people.offer(person(), APPROACH, platform="postgresql 16")
    await people.offer(person(), APPROACH, platform="PostgreSQL 16")
    (shown,) = await people.shown()
    assert (shown.approach, shown.category) == ("take the locks in order", "Locks")
    assert shown.platform == "postgresql 16"
    await people.offer(person(), APPROACH)
    (shown,) = await people.shown()
    assert shown.approach == APPROACH


async def test_keyless_contributions_never_count(settings: Settings) -> None:
    async with community(settings) as people:
        with pytest.raises(Unauthenticated):
            await people.offer(None, APPROACH, claimed="x")
    allowed = settings.model_copy(update={"allow_anonymous_contributions": True})
    async with community(allowed) as people:
        for number in range(dial(20, 1_000)):
            done = await people.offer(None, APPROACH.upper(), claimed=f"h{number}", tags=["mine"])
            assert done.accepted == 1
        for _ in range(2):
            await people.offer(person(), APPROACH, tags=["ours"])
        assert await people.shown() == []
        await people.offer(person(), APPROACH, tags=["ours"])
        (shown,) = await people.shown()
        assert (shown.approach, shown.tags) == (APPROACH, ["ours"])
        (pattern,), contributors = await people.sums()
        assert (pattern.people, contributors) == (3, 3)


TEXTS = st.sampled_from(("Locks", "locks", "LOCKS!", "锁", "\u9396", "ключ", "Ключ", "..."))
PLACES = st.lists(
    st.builds(
        SimpleNamespace,
        contributor=st.binary(min_size=8, max_size=8),
        groups=st.lists(st.sampled_from((b"a", b"b", b"c")), max_size=2, unique=True),
        type=st.sampled_from(("solution", "decision")),
        category=st.none() | TEXTS,
        approach=st.none() | TEXTS,
        platform=st.none() | TEXTS,
        tags=st.lists(st.sampled_from(("x", "y", "z")), unique=True),
        effectiveness=st.none() | st.floats(0, 1),
        first_seen=st.integers(0, 9 * WEEK_MS),
        last_seen=st.integers(0, 9 * WEEK_MS),
    ),
    max_size=9,
    unique_by=lambda c: c.contributor,
)


def groups_of(contributions: Sequence[Any]) -> int:
    """How many groups of people remain when teams in common join them; the slow way."""
    left, number = list(contributions), 0
    while left:
        number, reached = number + 1, [left.pop()]
        for one in reached:
            near = [other for other in left if set(one.groups) & set(other.groups)]
            reached += near
            left = [other for other in left if other not in near]
    return number


@hypothesis_settings(max_examples=dial(100, 5_000), deadline=None)
@given(PLACES)
def test_people_of_teams_in_common_are_one(contributions: Sequence[Any]) -> None:
    assert independent(contributions) == groups_of(contributions)


@hypothesis_settings(max_examples=dial(150, 5_000), deadline=None)
@given(PLACES)
def test_every_value_that_is_shown_is_given_by_three(contributions: Sequence[Any]) -> None:
    shown = published(contributions)
    for tag in shown["tags"]:
        assert groups_of([c for c in contributions if tag in c.tags]) >= INDEPENDENT
    for name in ("type", "category", "approach", "platform"):
        value = shown[name]
        if value is None or (name, value) == ("type", "pattern"):
            continue
        said = [(getattr(c, name), c) for c in contributions if getattr(c, name) is not None]
        alike = [c for given, c in said if given == value]
        in_words = [c for given, c in said if plain(given) == value]
        assert max(groups_of(alike), groups_of(in_words)) >= INDEPENDENT
    rated = [c for c in contributions if c.effectiveness is not None]
    assert shown["rated"] == (groups_of(rated) >= INDEPENDENT)
    if groups_of(contributions) >= INDEPENDENT:
        early = [c for c in contributions if c.first_seen < shown["first_seen"] + WEEK_MS]
        late = [c for c in contributions if c.last_seen >= shown["last_seen"]]
        assert min(groups_of(early), groups_of(late)) >= INDEPENDENT
