"""Two spellings of one name are one name; two names that look alike cannot both be had."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.names import email_key, normal_username, username_key


@pytest.mark.parametrize(
    "name",
    ["al", "zoë", "Иван", "ナオミー", "山田たろう", "佐々木", "한국人", "αβγ", "علي٣", "_x", "7"],
)
def test_names_of_one_script_are_taken(name: str) -> None:
    assert normal_username(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("p\N{CYRILLIC SMALL LETTER A}ypal", "mix scripts"),
        ("\N{CYRILLIC SMALL LETTER BE}ob", "mix scripts"),
        ("x\N{ARABIC-INDIC DIGIT THREE}", "mix scripts"),
        ("\N{CYRILLIC SMALL LETTER ES}\N{CYRILLIC SMALL LETTER O}" * 2, "Latin"),
        ("\N{GREEK SMALL LETTER OMICRON}\N{GREEK SMALL LETTER NU}7", "Latin"),
        ("-a", "beginning with"),
        ("a b", "letters, digits"),
        ("a\u200db", "letters, digits"),
        ("", "1 to 64"),
        ("a" * 65, "1 to 64"),
    ],
)
def test_names_that_pass_for_others_are_refused(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        normal_username(name)


@given(st.text(max_size=70))
def test_a_name_is_refused_or_stays_as_it_is_kept(name: str) -> None:
    try:
        kept = normal_username(name)
    except ValueError:
        return
    assert normal_username(kept) == kept
    assert username_key(name) == username_key(kept) == username_key(username_key(kept))


def test_spellings_of_one_address_have_one_key() -> None:
    spellings = ("X@xn--bcher-kva.example", "x@BÜCHER.example", "x@bücher.example")
    assert {email_key(each) for each in spellings} == {"x@bücher.example"}


@given(st.text(max_size=300))
def test_any_text_has_a_key(text: str) -> None:
    assert isinstance(email_key(text), str)
