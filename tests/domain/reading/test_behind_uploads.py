"""Reading follows uploads by itself, and never stands in their way."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tracemalloc

import pytest

from settings import Settings
from tests.conftest import Serve
from tests.graph.client import newcomer
from tests.graph.test_conversations import PAGE, put, talk, upload
from tests.support.dial import dial
from tests.support.library import Library, said, transcript
from tests.support.process import ROOT
from tests.support.shelves import talk as long_talk


async def test_what_was_uploaded_before_a_crash_is_read_after_it(
    library: Library, serve: Serve, settings: Settings
) -> None:
    await library.upload("s", transcript(*[said("Before the crash")] * 3), chunk=1000)
    claimed = await library.readings.claim()  # whoever claimed it is gone
    assert claimed is not None
    await library.rows("UPDATE reading_due SET leased_until = now() - interval '1 second'")
    await serve(settings)
    for _ in range(100):
        if len(await library.rows("SELECT 1 FROM messages")) == 3:
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("it was never read")


async def test_uploads_are_acknowledged_while_nothing_can_be_read(
    serve: Serve, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from domain.reading import records

    def broken(*_args: object) -> None:
        raise LookupError("a mistake of ours")

    server = await serve(settings)
    owner = await newcomer(server)
    with monkeypatch.context() as patched:
        patched.setattr(records, "read", broken)
        await put(owner, "s", *talk(3))
        query = "{ sessions { nodes { id conversationLines reading { problem lines } } } }"
        for _ in range(100):
            (session,) = (await owner.ask(query))["sessions"]["nodes"]
            if session["reading"]["problem"]:
                break
            await asyncio.sleep(0.05)
    assert "failed to read" in session["reading"]["problem"]
    assert (session["conversationLines"], session["reading"]["lines"]) == (3, 0)
    await upload(owner, "s", *talk(4))  # the next upload reads it from where that was
    page = (await owner.ask(PAGE, id=session["id"]))["node"]["messages"]
    assert page["totalCount"] == 4


async def test_memory_stays_flat_whatever_the_length(settings: Settings) -> None:
    library = Library(settings, block_size=256 * 1024, line_max=256 * 1024)
    await library.open()
    huge = said("A picture", big="x" * 8_000_000)
    await library.upload("s", long_talk(1, dial(2000, 20_000)) + transcript(huge), chunk=64 * 1024)
    tracemalloc.start()
    try:
        await library.reader.read_all()
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    ((count,),) = await library.rows("SELECT count(*) FROM messages")
    await library.close()
    assert count == dial(2001, 20_001)
    assert peak < 24_000_000


async def test_everything_can_be_read_anew_from_the_command_line(
    library: Library, settings: Settings
) -> None:
    await library.keep("s", *[said("Here")] * 3)
    await library.rows("UPDATE messages SET text = 'wrong'")
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": str(settings.database_url),
        "TEAMLORE_DATA": str(settings.data_dir),
        "JWT_SECRET": "a secret for tests and nothing else",
    }
    command = [sys.executable, "-m", "cli", "reindex"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "1 conversations were due, 1 of them were read here.\n", done.stderr
    assert {row[0] for row in await library.rows("SELECT text FROM messages")} == {"Here"}
