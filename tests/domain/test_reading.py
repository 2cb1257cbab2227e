"""What is known of a session follows from the head of its conversation, however that came about."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain import sessions
from domain.sessions import About
from settings import Settings
from tests.support.desk import Desk


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    desk = Desk(settings)
    await desk.open()
    yield desk
    await desk.close()


LINES = [
    b'{"type":"user","cwd":"/home/al","gitBranch":"main","timestamp":"2026-05-01T10:00:00Z",'
    b'"message":{"role":"user","content":"Fix the bug"}}\n',
    b"not JSON\n",
    b'{"type":"user","cwd":"/home/al/app","timestamp":"2026-05-01T09:00:00Z","isMeta":true,'
    b'"message":{"role":"user","content":"meta"}}\n',
    b'{"type":"ai-title","aiTitle":"Fixing it"}\n',
    b'{"type":"summary","summary":"a summary"}\n',
    b'{"type":"user","cwd":"/srv","gitBranch":"fix","timestamp":"2026-05-01T12:00:00Z"}\n',
]
WHOLE = b"".join(LINES)
ABOUT = About(project_name="-home-al-app")
GONE = b'{"customTitle":"Gone","cwd":"/home-al/app","timestamp":"2020-01-01T00:00:00Z"}\n'


async def assert_read(desk: Desk, session_id: str) -> None:
    session = await sessions.get(desk.db, desk.actor, session_id)
    assert session.cwd == "/home/al/app"
    assert session.title == "Fixing it"
    assert session.git_branch == "fix"
    assert session.first_at is not None
    assert session.last_at is not None
    assert (session.first_at.year, session.first_at.hour, session.last_at.hour) == (2026, 9, 12)


async def test_a_transcript_is_read_the_same_in_one_piece_and_in_many(desk: Desk) -> None:
    await desk.upload("whole", WHOLE, ABOUT)
    await assert_read(desk, "whole")
    for number in range(1, len(LINES) + 1):
        await desk.upload("lines", b"".join(LINES[:number]), ABOUT)
    await assert_read(desk, "lines")
    for size in range(0, len(WHOLE) + 30, 30):
        await desk.upload("pieces", WHOLE[:size], ABOUT)
    await assert_read(desk, "pieces")


@pytest.mark.parametrize("common", range(len(LINES)))
async def test_a_new_head_is_read_from_its_beginning(desk: Desk, common: int) -> None:
    """What only the version said that was the head before must not stay."""
    await desk.upload("s", b"".join(LINES[:common]) + GONE, ABOUT)
    await desk.upload("s", WHOLE, ABOUT)
    await assert_read(desk, "s")


async def test_a_session_made_anew_during_an_upload_is_read_from_its_beginning(
    desk: Desk,
) -> None:
    await desk.upload("s", b"".join(LINES[:5]), ABOUT)

    async def slow() -> AsyncIterator[bytes]:
        yield b"".join(LINES[:5])
        await sessions.delete(desk.db, desk.actor, "s")
        await desk.upload("s", LINES[0], ABOUT)
        yield LINES[5]

    await desk.custody.upload(desk.actor, "s", slow(), ABOUT)
    await assert_read(desk, "s")
