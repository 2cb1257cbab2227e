"""The part of a message where a search hit, cut into what was meant and what stands around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from domain.reading.words import Wanted

BEFORE: Final = 80
LENGTH: Final = 260
_MARK: Final = "\u2026"


class Fragment(NamedTuple):
    """A piece of text, and whether it is one that was searched for."""

    text: str
    hit: bool


def snippet(texts: Sequence[str], wanted: Wanted) -> list[Fragment]:
    """The neighbourhood of the densest hits in the first of `texts` that has any."""
    for text in texts:
        if spans := wanted.hits(text):
            return list(_cut(text, spans))
    beginning = next((text for text in texts if text), "")
    return [Fragment(beginning[:LENGTH], False)] if beginning else []


def _cut(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Fragment]:
    best = max(range(len(spans)), key=lambda first: (_inside(spans, first), -first))
    start = max(0, spans[best][0] - BEFORE)
    stop = min(len(text), start + LENGTH)
    place = start
    lead = _MARK if start else ""
    for left, right in _merged([span for span in spans if start <= span[0] < stop]):
        if left > place or lead:
            yield Fragment(lead + text[place:left], False)
        yield Fragment(text[left:right], True)
        place, lead = right, ""
    rest = text[place:stop] + (_MARK if stop < len(text) else "")
    if rest and place <= stop:
        yield Fragment(rest, False)


def _inside(spans: Sequence[tuple[int, int]], first: int) -> int:
    """How many hits one view holds that begins a little before the hit `first`."""
    limit, count = spans[first][0] + LENGTH - BEFORE, 0
    for start, _end in spans[first : first + 20]:
        count += start < limit
    return count


def _merged(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    left, right = spans[0]
    for start, end in spans[1:]:
        if start <= right:
            right = max(right, end)
        else:
            yield left, right
            left, right = start, end
    yield left, right
