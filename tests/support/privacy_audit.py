"""How much a mechanism gives away at least, found by trying it: an empirical privacy audit.

A mechanism is run many times on two data sets that differ by one person. An event that is seen with
probability p on one of them and q on the other shows a privacy loss of ln(p / q); the bounds of
Clopper and Pearson (1934) on p and q turn counts into a bound that holds with a given confidence.
The event is chosen on a part of the outputs and counted on the rest, as in Ding, Wang, Wang,
Zhang and Kifer 2018 (https://arxiv.org/abs/1805.10559) and Jagielski, Ullman and Oprea 2020
(https://arxiv.org/abs/2006.07709).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

Side = tuple[Sequence[float], Sequence[float]]
THRESHOLDS = 60


def loss_bound(with_person: Sequence[float], without: Sequence[float], confidence: float) -> float:
    """A lower bound on epsilon, from as many scores of outputs on the one data set and the other.

    A score is large where an output looks as if the person were there.
    """
    other = [-score for score in without], [-score for score in with_person]
    sides = ((with_person, without), other)
    cut, doubt = len(with_person) // 4, 1 - confidence
    choices = [(side, t) for side in sides for t in _thresholds(side[0][:cut])]

    def on_first_part(choice: tuple[Side, float]) -> float:
        (more, less), threshold = choice
        return _bound(more[:cut], less[:cut], threshold, doubt)

    (more, less), threshold = max(choices, key=on_first_part)
    return max(0.0, _bound(more[cut:], less[cut:], threshold, doubt))


def _thresholds(scores: Sequence[float]) -> Iterator[float]:
    ordered = sorted(scores)
    for place in range(THRESHOLDS):
        yield ordered[place * len(ordered) // THRESHOLDS]


def _bound(more: Sequence[float], less: Sequence[float], threshold: float, doubt: float) -> float:
    p = at_least(sum(score >= threshold for score in more), len(more), doubt / 2)
    q = at_most(sum(score >= threshold for score in less), len(less), doubt / 2)
    return math.log(p / q) if p else -math.inf


def at_least(hits: int, tries: int, doubt: float) -> float:
    """The probability that such a number of hits shows, but for `doubt` (Clopper and Pearson)."""
    if not hits:
        return 0.0
    return _root(lambda p: _tail(hits, tries, p) - doubt, 0.0, hits / tries)


def at_most(hits: int, tries: int, doubt: float) -> float:
    """The same from above."""
    return 1 - at_least(tries - hits, tries, doubt)


def _tail(hits: int, tries: int, p: float) -> float:
    """The probability of so many hits or more, each of probability p < hits / tries."""
    if p <= 0:
        return 0.0
    ways = math.lgamma(tries + 1) - math.lgamma(hits + 1) - math.lgamma(tries - hits + 1)
    term = math.exp(ways + hits * math.log(p) + (tries - hits) * math.log1p(-p) if p < 1 else 0.0)
    total, odds = term, p / (1 - p) if p < 1 else 0.0
    for number, following in pairwise(range(hits, tries + 1)):
        term *= (tries - number) / following * odds
        total += term
        if term < total * 1e-15:
            break
    return total


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return low
