"""What was read describes the head of the conversation, however that came about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import sessions
from domain.reading.lines import Cutter
from domain.sessions import About
from tests.support.library import Library, answered, said, transcript

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LINES: list[dict[str, Any] | bytes] = [
    said("Fix the bug", "u1", cwd="/home/al", gitBranch="main", version="2.1.0"),
    {"type": "file-history-snapshot", "messageId": "x"},
    answered("m1", "r1", (1, 2, 3, 0, 4), uuid="a1", parentUuid="u1", cwd="/srv"),
    b"not JSON",
    b"",
    {"type": "quantum-state", "spin": 1},
    {"type": "ai-title", "aiTitle": "Fixing it"},
    said("And the test", "u2", gitBranch="fix", version="2.2.0", isSidechain=True, agentId="ag"),
]
MESSAGES = "SELECT line, start, length, kind, uuid, text FROM messages ORDER BY line"


async def picture(library: Library) -> tuple[list[Any], list[Any], list[Any]]:
    """Everything that was read."""
    facts = await library.rows(
        "SELECT number, size, lines, open_line, counts, models, versions, folders, branches,"
        " problem FROM readings"
    )
    usage = await library.rows("SELECT key, line, input, counted FROM token_usage ORDER BY key")
    messages = await library.rows(MESSAGES)
    return [tuple(r) for r in facts], [tuple(r) for r in usage], [tuple(r) for r in messages]


async def test_every_record_has_its_place_and_unknown_kinds_are_kept(library: Library) -> None:
    whole = transcript(*LINES)
    await library.keep("s", *LINES)
    facts, usage, messages = await picture(library)
    assert [(line, kind) for line, _s, _l, kind, _u, _t in messages] == [
        (1, "user"),
        (2, "file-history-snapshot"),
        (3, "assistant"),
        (4, ""),
        (6, "quantum-state"),
        (7, "ai-title"),
        (8, "user"),
    ]
    for line, start, length, *_rest in messages:
        given = LINES[line - 1]
        expected = given if isinstance(given, bytes) else json.dumps(given).encode()
        assert whole[start : start + length] == expected
    ((number, size, lines, open_line, counts, models, versions, folders, branches, problem),) = (
        facts
    )
    assert (number, size, lines, open_line, problem) == (1, len(whole), 8, False, None)
    assert json.loads(counts) == {
        "user": 2,
        "file-history-snapshot": 1,
        "assistant": 1,
        "": 1,
        "quantum-state": 1,
        "ai-title": 1,
    }
    assert (models, versions) == (["opus"], ["2.1.0", "2.2.0"])
    assert (folders, branches) == (["/home/al", "/srv"], ["main", "fix"])
    assert usage == [("m1 r1", 3, 1, True)]


async def test_it_is_read_the_same_in_one_piece_and_in_any_pieces(library: Library) -> None:
    whole = transcript(*LINES)
    await library.keep("s", *LINES)
    expected = await picture(library)
    await sessions.delete(library.db, library.actor, "s")
    await library.reader.read_all()
    assert await picture(library) == ([], [], [])
    for size in [*range(1, len(whole), 37), len(whole)]:
        await library.upload("s", whole[:size], chunk=1000)
        await library.reader.read_all()
    assert await picture(library) == expected


async def test_a_last_line_without_its_end_is_read_once_it_is_whole(library: Library) -> None:
    line = transcript(said("Hello", "u1"))
    for part, count in ((line[:-20], 0), (line[:-1], 1), (line, 1), (line * 2, 2)):
        await library.upload("s", part)
        await library.reader.read_all()
        assert [row[0] for row in await library.rows(MESSAGES)] == [*range(1, count + 1)]


async def test_a_version_that_diverges_replaces_what_was_read(library: Library) -> None:
    await library.keep("s", *LINES)
    other = [*LINES[:3], said("Another way", "u9"), *[said("more " * 50)] * 3]
    await library.keep("s", *other)
    diverged = await picture(library)
    assert [row[5] for row in diverged[2]][3] == "Another way"
    assert diverged[0][0][0] == 2
    await library.keep("s", *LINES)  # a shorter one stays a mere version
    assert await picture(library) == diverged


async def test_a_reading_that_was_cut_off_goes_on_and_repeats_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends between two batches: the claim lapses, somebody else goes on."""
    from domain.reading import batch

    monkeypatch.setattr(batch, "ROWS", 2)
    await library.upload("s", transcript(*LINES), chunk=1000)
    write, calls = library.readings.write, []

    async def failing(*args: Any) -> None:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        await write(*args)

    monkeypatch.setattr(library.readings, "write", failing)
    with pytest.raises(KeyboardInterrupt):
        await library.reader.read_all()
    assert len(await library.rows(MESSAGES)) == 4
    await library.reader.read_all()
    assert [row[0] for row in await library.rows(MESSAGES)] == [1, 2, 3, 4, 6, 7, 8]
    assert await library.rows("SELECT * FROM reading_due") == []


async def test_what_was_uploaded_while_it_was_read_is_read_next(library: Library) -> None:
    await library.upload("s", transcript(*LINES[:2]), chunk=1000)
    claimed = await library.readings.claim()
    assert claimed is not None
    assert await library.readings.claim() is None
    await library.upload("s", transcript(*LINES), chunk=1000)
    await library.readings.finish(claimed)
    await library.reader.read_all()
    assert len(await library.rows(MESSAGES)) == 7


async def test_a_long_conversation_leaves_others_their_turn(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    from domain.reading import reader

    monkeypatch.setattr(reader, "SLICE", 300)
    await library.upload("long", transcript(*[said("word " * 30)] * 20), chunk=1000)
    await library.upload("short", transcript(said("short")), chunk=1000)
    turns = []
    while (claimed := await library.readings.claim()) is not None:
        turns.append(claimed.session)
        await library.reader.read(claimed)
    assert turns.index(await library.id("short")) == 1
    assert len(turns) > 5
    assert len(await library.rows(MESSAGES)) == 21


@pytest.mark.parametrize("patience", [0.2, 1_000])
async def test_uploads_go_first_but_never_for_long_nor_before_who_waits(
    library: Library, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    from domain.reading import reader

    monkeypatch.setattr(reader, "YIELD_SECONDS", patience)
    begun, end = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield transcript(said("slow"))
        begun.set()
        await end.wait()

    running = asyncio.create_task(library.custody.upload(library.actor, "slow", slow(), About()))
    await begun.wait()
    await library.upload("s", transcript(*LINES), chunk=1000)
    library.reader.start()
    if patience > 1:
        await asyncio.sleep(2 * reader.LOOK_SECONDS)
        assert await library.rows(MESSAGES) == []
        assert await library.reader.settled(library.account, await library.id("s"))
    while len(await library.rows(MESSAGES)) < 7:  # noqa: ASYNC110 - rows have no events
        await asyncio.sleep(0.05)
    end.set()
    await running
    assert await library.reader.settled(library.account, await library.id("slow"))
    assert len(await library.rows(MESSAGES)) == 8


async def test_two_readers_of_one_file_write_it_once(library: Library) -> None:
    await library.upload("s", transcript(*LINES), chunk=1000)
    claimed = await library.readings.claim()
    assert claimed is not None
    await library.reader.read(claimed)
    await library.reader.read(claimed)
    assert len(await library.rows(MESSAGES)) == 7


async def test_a_damaged_block_is_told_and_the_upload_still_kept(library: Library) -> None:
    await library.upload("s", transcript(*LINES), chunk=1000)
    for path in library.folder.rglob("*"):
        if path.is_file():
            path.write_bytes(b"\x00damaged")
    await library.reader.read_all()
    ((problem,),) = await library.rows("SELECT problem FROM readings")
    assert "missing or damaged" in problem
    assert await library.rows("SELECT * FROM reading_due") == []


async def test_a_line_that_is_too_long_is_found_by_its_head(library: Library) -> None:
    long = said("A long story", "u5", big="x" * 200_000)
    library.reader._line_max = 4096
    await library.keep("s", said("before"), long, said("after"))
    rows = await library.rows("SELECT line, length, kind, text, uuid FROM messages ORDER BY line")
    assert [row[2:4] for row in rows] == [
        ("user", "before"),
        ("user", "A long story"),
        ("user", "after"),
    ]
    assert rows[1][1] == len(json.dumps(long))
    assert rows[1][4] == "u5"


async def test_what_postgresql_refuses_is_shown_instead(library: Library) -> None:
    await library.keep("s", said("a\x00b \ud83d c", "u\x00", cwd="/x\x00"))
    ((text, uuid),) = await library.rows("SELECT text, uuid FROM messages")
    assert (text, uuid) == ("a\u2400b \ufffd c", "u\u2400")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "message", "content", "usage", "id", "uuid", "text", "input"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@calm
@given(st.lists(anything | st.binary(max_size=20), max_size=5))
def test_reading_never_fails_whatever_a_line_holds(found: list[Any]) -> None:
    from domain.reading import records

    data = b"\n".join(v if isinstance(v, bytes) else json.dumps(v).encode() for v in found) + b"\n"
    for number, line in enumerate(Cutter(0, 4096).feed(data), 1):
        message = records.read(line, number, records.NO_TIME, "tag").message
        for text in (message.text, message.kind, message.uuid, message.search):
            assert text is None or "\x00" not in text.encode().decode()


@calm
@given(st.binary(max_size=300).map(lambda raw: raw.replace(b"0", b"\n")), st.integers(1, 40))
def test_lines_are_cut_where_they_are_in_the_whole(data: bytes, size: int) -> None:
    cutter, found = Cutter(7, 20), []
    for start in range(0, len(data), size):
        found += [line[:2] for line in cutter.feed(data[start : start + size])]
    rest = cutter.rest()
    expected, place = [], 7
    for line in data.split(b"\n"):
        expected.append((place, len(line)))
        place += len(line) + 1
    assert [*found, rest[:2] if rest else (expected[-1][0], 0)] == expected


async def test_everything_can_be_read_anew(library: Library) -> None:
    await library.keep("s", *LINES)
    before = await picture(library)
    await library.rows("UPDATE messages SET text = 'wrong'")
    assert await library.reader.begin_again() == 1
    await library.reader.read_all()
    assert await picture(library) == before
