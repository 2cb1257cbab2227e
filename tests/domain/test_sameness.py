"""What makes no difference between two wordings, in any script; and what is searched for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from domain.patterns import sameness
from domain.sameness import folded, plain, terms, wanted_terms
from tests.support.dial import dial

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


SCRIPTS = {
    "latin": "abcdefgxyzäéßøłžı",
    "cyrillic": "абвгдежзийклмнщъыьэюяіїєў",
    "greek": "αβγδεζηθικλμνξοπρσςτυφχψωάέή",
    "hebrew": "אבגדהוזחטיכךלמםנן",
    "arabic": "ابتثجحخدذرزسشصضءأإآؤئىيةهـ",
    "devanagari": "कखगघङचछजझािीुूेैोौंः्",
    "tamil": "கஙசஞடணதநபமாிீுூெேை",
    "thai": "กขคฆงจฉชซะาิีึืุู่้",
    "han": "锁鎖数據据库庫按编編号號顺順序取得",
    "kana": "かがきぎくぐけげアァイィウゥエェ",
    "hangul": "가나다라마바사아자차각난닫",
    "georgian": "აბგდევზთიკლმნ",
    "armenian": "աբգդեզէըթժ",
    "ethiopic": "ሀሁሂሃሄህሆለሉሊ",
}


@st.composite
def two_of_a_script(draw: st.DrawFn) -> tuple[str, str]:
    """A text, and the same with one letter changed for another of its script."""
    letters = SCRIPTS[draw(st.sampled_from(sorted(SCRIPTS)))]
    words = st.text(st.sampled_from(letters), min_size=1, max_size=8)
    text = " ".join(draw(st.lists(words, min_size=1, max_size=5)))
    place = draw(st.sampled_from([i for i, c in enumerate(text) if c != " "]))
    return text, text[:place] + draw(st.sampled_from(letters)) + text[place + 1 :]


def letters_of(text: str) -> str:
    """The letters, marks and digits that case and form make no difference to; the plain way."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c for c in text if unicodedata.category(c)[0] in "LMNS")


@hypothesis_settings(max_examples=dial(150, 20_000), deadline=None)
@given(two_of_a_script())
def test_another_letter_is_another_pattern_in_every_script(pair: tuple[str, str]) -> None:
    one, other = pair
    assert sameness("x", one) is not None
    if letters_of(one) != letters_of(other):
        assert sameness("x", one) != sameness("x", other)
        assert sameness(one, "x") != sameness(other, "x")


@hypothesis_settings(max_examples=dial(150, 20_000), deadline=None)
@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_patterns_merge_only_when_their_letters_agree(one: str, other: str) -> None:
    if sameness("x", one) is not None and sameness("x", one) == sameness("x", other):
        seen = [letters_of(plain(text)) for text in (one, other)]
        assert seen[0] == seen[1] != ""


def test_letters_of_two_scripts_that_look_alike_are_two_patterns() -> None:
    assert sameness("x", "a lock") != sameness("x", "\u0430 lock")
    assert sameness("x", "锁") != sameness("x", "鎖")


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
