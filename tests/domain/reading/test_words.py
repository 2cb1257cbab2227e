"""What is typed finds what is written, in any script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.reading.conversation import Only
from domain.reading.search import search
from domain.reading.snippets import snippet
from domain.reading.words import tokens, vector, wanted
from tests.support.library import Library, said

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXTS = [
    "The build fails because of the migration order",
    "run_query(token_usage) in db/engine.py",
    "日本語の文章を検索する",
    "東京タワー",
    "данные в РЕЗЮМЕ",
    "Straße und Résumé",
    "हिन्दी में लिखा हुआ",
    "ภาษาไทยไม่มีช่องว่าง",
    "한국어로 씁니다",
    "العربية مكتوبة",
]
FINDS = {
    "migration": 0,
    "BUILD fails": 0,
    '"fails because"': 0,
    "migra*": 0,
    "build -token_usage": 0,
    "token_usage": 1,
    "engine.py": 1,
    "検索": 2,
    "日本語": 2,
    "語": 2,
    "る": 2,
    "タワー": 3,
    "резюме": 4,
    "STRASSE": 5,
    "résumé": 5,
    unicodedata.normalize("NFD", "résumé"): 5,
    "हिन्दी": 6,
    "ไทย": 7,
    "한국어": 8,
    "مكتوبة": 9,
}
MISSES = ['"because fails"', "migr", "検文", "build -migration", "!!!", "हि"]


async def test_words_of_any_script_are_found(library: Library) -> None:
    await library.keep("s", *(said(text, f"u{number}") for number, text in enumerate(TEXTS)))
    for query, number in FINDS.items():
        found = await search(library.db, library.actor, query, Only(), limit=10)
        assert [hit.message.uuid for hit in found] == [f"u{number}"], query
        assert any(part.hit for part in found[0].snippet), query
    for query in MISSES:
        assert await search(library.db, library.actor, query, Only(), limit=10) == [], query


@calm
@given(st.text(min_size=1, max_size=30))
async def test_nothing_that_is_typed_breaks_a_query(text: str) -> None:
    query = wanted(text)
    built = query.tsquery("tag")
    assert (built is None) == (not query.pieces)
    assert "\x00" not in vector("tag", text)


@calm
@given(st.text(max_size=200), st.text(min_size=1, max_size=5))
def test_a_snippet_is_a_piece_of_its_text(text: str, query: str) -> None:
    parts = snippet([text], wanted(query))
    shown = "".join(part.text for part in parts).strip("\u2026")
    assert shown in text or shown.strip("\u2026") in text


@calm
@given(st.text(max_size=100))
def test_terms_stand_where_they_say(text: str) -> None:
    for term, start, end in tokens(text):
        assert term
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize("char", ["\x00", "'", "\\", "\u2028", "\ud800", "\U0001f600"])
async def test_odd_characters_are_no_error(library: Library, char: str) -> None:
    await library.keep("s", said("plain words"))
    for query in (f"{char}!", f"plain{char}", f"{char}words", f'"{char}'):
        await search(library.db, library.actor, query, Only(), limit=10)


def test_snippets_mark_what_was_meant() -> None:
    parts = snippet(["nothing here", "a " * 100 + "the Build fails today"], wanted("build fails"))
    assert [(part.text, part.hit) for part in parts[1:]] == [
        ("Build", True),
        (" ", False),
        ("fails", True),
        (" today", False),
    ]
    assert parts[0].text.startswith("\u2026")
    joined = snippet(["日本語の文"], wanted("日本語"))
    assert [(part.text, part.hit) for part in joined] == [("日本語", True), ("の文", False)]
