"""What makes no difference between two wordings, in any script; and what is searched for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.patterns import sameness
from domain.sameness import folded, plain, terms, wanted_terms

SAME = {
    "case": ("Take the LOCKS", "take the locks"),
    "punctuation and space": ("Take, the\t locks!", " take the  locks "),
    "composed letters": ("caf\u00e9", "cafe\u0301"),
    "width": ("ＬＯＣＫＳ１", "locks1"),
    "ligatures": ("ﬁx it", "fix it"),
    "sharp s": ("STRASSE", "straße"),
    "final sigma": ("ΛΟΓΟΣ", "λόγοσ".replace("ό", "ο")),
    "soft hyphens": ("data\u00adbase", "database"),
    "letters without width": ("data\u200bbase", "database"),
    "joiners": ("می\u200cروم", "میروم"),
    "variation selectors": ("☎\ufe0f on", "☎ on"),
    "apostrophes": ("don’t", "dont"),
    "kana width": ("ﾃﾞｰﾀ", "データ"),
}
DIFFERENT = {
    "accents": ("resumé", "resume"),
    "vowel signs": ("ताला", "ताली"),
    "symbols": ("a + b", "a b"),
    "digits": ("retry 2 times", "retry 3 times"),
}


@pytest.mark.parametrize("name", SAME)
def test_these_wordings_are_one_pattern(name: str) -> None:
    one, other = SAME[name]
    assert sameness("x", one) == sameness("X", other)


@pytest.mark.parametrize("name", DIFFERENT)
def test_these_wordings_are_two_patterns(name: str) -> None:
    one, other = DIFFERENT[name]
    assert sameness("x", one) != sameness("x", other)


def test_the_category_and_the_approach_are_kept_apart() -> None:
    assert sameness("a b", "c") != sameness("a", "b c")
    assert sameness("x", "?! …") is None


@given(st.text(max_size=60))
def test_folding_is_idempotent_and_blind_to_case_and_normal_forms(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert plain(plain(text)) == plain(text)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert plain(unicodedata.normalize(form, text)) == plain(text)


@given(st.text(max_size=60), st.data())
def test_every_piece_of_a_text_finds_it(text: str, data: st.DataObject) -> None:
    words = plain(text).split()
    if words:
        word = data.draw(st.sampled_from(words))
        assert set(wanted_terms(word) or ()) <= set(terms(text))


def test_operators_are_left_to_the_database() -> None:
    assert wanted_terms("a -b") is None
    assert wanted_terms('"a b"') is None
    assert wanted_terms("a or b") is None
    assert wanted_terms("Über-all") == ["all", "über"]
    assert wanted_terms("数据库") == ["据库", "数据"]
