"""Reading never fails, whatever the bytes are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import transcripts
from domain.transcripts import Lines, Reader, best_cwd, folder_name


def facts_of(*blocks: bytes) -> transcripts.Facts:
    reader = Reader()
    for block in blocks:
        reader.feed(block)
    return reader.facts()


fields = st.sampled_from(["type", "cwd", "timestamp", "message", "customTitle", "gitBranch"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=3),
    max_leaves=8,
)
lines = st.one_of(
    st.binary(max_size=50),
    st.dictionaries(fields, values, max_size=6).map(lambda record: json.dumps(record).encode()),
)


@given(st.lists(lines, max_size=8), st.integers(1, 40))
def test_any_bytes_can_be_read_in_any_pieces(found: list[bytes], size: int) -> None:
    data = b"\n".join(found)
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    facts = facts_of(*blocks)
    assert facts == facts_of(data)
    for text in (*facts.cwds, facts.title, facts.git_branch):
        if text is not None:
            text.encode()
            assert "\x00" not in text


@given(st.binary(max_size=200).map(lambda raw: raw.replace(b"0", b"\n")), st.integers(1, 20))
def test_lines_are_those_of_the_whole(data: bytes, size: int) -> None:
    cutter, found = Lines(), list[transcripts.Line]()
    for start in range(0, len(data), size):
        found += cutter.feed(data[start : start + size])
    assert [*found, cutter.rest()] == data.split(b"\n")


def test_a_known_block_still_lends_its_unfinished_line() -> None:
    reader = Reader()
    reader.feed(b'{"aiTitle":"known"}\n{"cus', known=True)
    reader.feed(b"tomTi", known=True)
    reader.feed(b'tle":"new"}\n')
    assert (reader.facts().title, reader.facts().title_rank) == ("new", 0)


def test_a_line_without_end_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "LINE_MAX", 100)
    facts = facts_of(*[b"x" * 30] * 10, b'\n{"customTitle":"after"}\n')
    assert facts.title == "after"


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ({"type": "user", "message": {"content": "Hello\n there"}}, "Hello there"),
        ({"type": "user", "message": {"content": [{"type": "text", "text": "Hi"}]}}, "Hi"),
        ({"type": "user", "isMeta": True, "message": {"content": "Hello"}}, None),
        ({"type": "user", "message": {"content": "<command-name>/clear</command-name>"}}, None),
        ({"type": "user", "message": {"content": [{"type": "tool_result"}]}}, None),
        ({"type": "custom-title", "customTitle": "a\x00b \ud83d c"}, "ab \ufffd c"),
        ({"type": "custom-title", "customTitle": "  "}, None),
        ({"type": "custom-title", "customTitle": 5}, None),
        ({"type": "ai-title", "aiTitle": "x" * 500}, "x" * 199 + "…"),
    ],
)
def test_titles(line: object, title: str | None) -> None:
    assert facts_of(json.dumps(line).encode()).title == title


def test_the_better_title_wins_and_of_each_kind_the_last() -> None:
    records = [
        {"customTitle": "one"},
        {"summary": "summary"},
        {"customTitle": "two"},
        {"aiTitle": "ai"},
        {"lastPrompt": "prompt"},
    ]
    assert facts_of(b"\n".join(json.dumps(r).encode() for r in records)).title == "two"


def test_lines_that_are_no_utf8_are_mended_and_broken_ones_counted() -> None:
    facts = facts_of(b'{"cwd":"/a\xff"}\n[1]\n{"a":\n\n{"cwd":"/b"}')
    assert list(facts.cwds) == ["/a\ufffd", "/b"]
    assert facts.broken == 2


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/al/my_app.v2", "-home-al-my-app-v2"),
        ("/home/al/caf\u0065\u0301", "-home-al-caf-"),
        ("/srv/\U0001f600", "-srv---"),
        ("C:\\work", "C--work"),
        ("/" + "a" * 300, "-" + "a" * 199),
    ],
)
def test_folder_names(path: str, name: str) -> None:
    assert folder_name(path) == name


def test_the_folder_that_fits_the_project_wins() -> None:
    assert best_cwd(None, ["/srv", "/home/al/app"], "-home-al-app") == "/home/al/app"
    assert best_cwd("/srv", ["/home/al/app"], "-home-al-app") == "/home/al/app"
    assert best_cwd(None, ["/srv", "/home"], "other") == "/srv"
    assert best_cwd(None, [], "other") is None
    long = "/" + "b" * 300
    assert best_cwd("/srv", [long], folder_name(long) + "-1x2y") == long
