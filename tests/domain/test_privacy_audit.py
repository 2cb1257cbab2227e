"""An audit of the noise in the community's numbers: it hides one account as well as is claimed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from domain.draws import SENSITIVITY, UNIT, released
from domain.noise import Mechanism, mechanism
from settings import Settings
from tests.support.community import Community, community, person
from tests.support.dial import PROVING, dial
from tests.support.privacy_audit import at_least, at_most, loss_bound

EPSILON = 2.0
CONFIDENCE = 0.9999
"""So seldom does an audit find more than there is."""
APPROACHES = tuple(f"Take lock number {number} first" for number in range(4))


@pytest.fixture
async def people(settings: Settings) -> AsyncIterator[Community]:
    async with community(settings) as made:
        yield made


Numbers = tuple[list[int], list[int]]


async def neighbours(people: Community) -> Numbers:
    """The numbers that noise is added to, with and without one account that gives all it can."""
    for _ in range(4):
        await people.offer(person(), *APPROACHES, effectiveness=0.5)
    one = person()
    await people.offer(one, *APPROACHES, effectiveness=1.0)
    present = await heard(people)
    await people.withdraw(one)
    return present, await heard(people)


async def heard(people: Community) -> list[int]:
    """What a draw hands to the mechanism."""
    numbers: list[int] = []

    def listen(given: Sequence[int]) -> list[int]:
        numbers.extend(given)
        return list(given)

    released(Mechanism(listen, 1.0), *await people.sums())
    return numbers


def shown_loss(noise: Mechanism, numbers: Numbers, draws: int) -> float:
    """The bound on epsilon that an audit comes to, with so many draws on each of the data sets."""
    present, absent = numbers
    places = [place for place, number in enumerate(present) if number != absent[place]]

    def score(output: Sequence[int]) -> int:
        """The likelihood ratio of the two data sets, but for a factor."""
        return sum(
            abs(output[place] - absent[place]) - abs(output[place] - present[place])
            for place in places
        )

    one, other = ([score(noise.release(given)) for _ in range(draws)] for given in numbers)
    return loss_bound(one, other, CONFIDENCE)


async def test_the_audit_of_one_account_agrees_with_the_claimed_epsilon(people: Community) -> None:
    numbers = await neighbours(people)
    present, absent = numbers
    assert sum(abs(a - b) for a, b in zip(*numbers, strict=True)) == SENSITIVITY, "the worst case"
    assert len(present) == len(absent) == 1 + 3 * len(APPROACHES)
    assert present[0] - absent[0] == UNIT
    shown = shown_loss(mechanism(SENSITIVITY, EPSILON), numbers, dial(3_000, 50_000))
    print(f"epsilon {EPSILON}: at least {shown:.3f} by one account")  # noqa: T201 - a figure
    assert dial(0.1, 0.5) * EPSILON < shown <= EPSILON, shown
    if PROVING:  # what one account changes is spread over many numbers, so this takes many draws
        shown = shown_loss(mechanism(SENSITIVITY, 2 * EPSILON), numbers, 50_000)
        print(f"with half the noise: at least {shown:.3f} by one account")  # noqa: T201 - a figure
        assert shown > EPSILON, shown


WHOLE: Numbers = [SENSITIVITY, 7], [0, 7]
"""As large a change as one account can make, all in one number: where noise is tried hardest."""


def test_the_audit_of_the_mechanism_agrees_with_the_claimed_epsilon() -> None:
    shown = shown_loss(mechanism(SENSITIVITY, EPSILON), WHOLE, dial(3_000, 50_000))
    print(f"epsilon {EPSILON}: at least {shown:.3f} by the mechanism")  # noqa: T201 - a figure
    assert dial(0.6, 0.9) * EPSILON < shown <= EPSILON, shown


def test_the_audit_catches_half_the_noise() -> None:
    shown = shown_loss(mechanism(SENSITIVITY, 2 * EPSILON), WHOLE, dial(3_000, 50_000))
    print(f"with half the noise: at least {shown:.3f} by the mechanism")  # noqa: T201 - a figure
    assert shown > 1.2 * EPSILON, shown


def test_the_noise_is_as_large_as_its_scale_says() -> None:
    for epsilon in (0.1, 1 / 3, 3.0, 99.999999):
        made = mechanism(SENSITIVITY, epsilon)
        assert made.scale == pytest.approx(SENSITIVITY / epsilon, rel=1e-12)
        told = sorted(abs(n) for n in made.release([0] * 2_000))
        assert told[1_900] == pytest.approx(made.margin(0.95), rel=0.25, abs=2)


def test_the_bounds_are_those_of_the_tables() -> None:
    assert at_least(0, 10, 0.025) == 0
    assert at_most(0, 10, 0.025) == pytest.approx(0.3085, abs=1e-4)
    assert at_least(5, 10, 0.025) == pytest.approx(0.1871, abs=1e-4)
    assert at_most(5, 10, 0.025) == pytest.approx(0.8129, abs=1e-4)
    assert at_least(10, 10, 0.025) == pytest.approx(0.6915, abs=1e-4)
    assert at_most(10, 10, 0.025) == 1
    assert at_least(9_000, 100_000, 0.025) == pytest.approx(0.08823, abs=1e-5)
