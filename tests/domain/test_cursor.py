"""Log cursors: what is encoded comes back, and garbage is refused with a reason."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import cursor
from domain.cursor import Position
from domain.errors import Invalid

versions = st.integers(0, cursor.MAX_VERSION)
positions = st.builds(Position, versions, st.booleans(), st.just(0))
floored = st.builds(Position, versions, st.booleans(), versions).filter(
    lambda position: not 0 < position.floor <= position.version
)


@given(st.dictionaries(st.uuids(), positions | floored, max_size=20))
def test_a_cursor_says_what_was_put_into_it(seen: dict[UUID, Position]) -> None:
    assert cursor.decode(cursor.encode(seen)) == seen


@given(st.text() | st.text("ABCdef012-_=", max_size=80))
@example("")
@example("\ud800")
@example("AQ==")
def test_whatever_is_not_a_cursor_is_refused_or_is_its_only_spelling(text: str) -> None:
    try:
        seen = cursor.decode(text, field="since")
    except Invalid:
        return
    assert cursor.encode(seen) == text


def test_the_refusal_names_the_field() -> None:
    with pytest.raises(Invalid) as refusal:
        cursor.decode("?", field="since")
    assert refusal.value.problems[0].path == ("since",)


@given(st.dictionaries(st.uuids(), positions, min_size=1, max_size=3), st.data())
def test_a_cursor_with_a_character_missing_is_refused(
    seen: dict[UUID, Position], data: st.DataObject
) -> None:
    text = cursor.encode(seen)
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(Invalid):
        cursor.decode(text[:cut] + text[cut + 1 :])
