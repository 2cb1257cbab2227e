"""Transcripts of subagents are read as the further files of a session that they are."""

from __future__ import annotations

from domain.reading.conversation import Part, page, raw, readings
from domain.sessions import About
from tests.support.desk import pieces
from tests.support.library import Library, answered, said, transcript

AGENT = "subagents/agent-x.jsonl"


async def test_a_subagents_transcript_is_read_and_other_files_are_not(library: Library) -> None:
    session = await library.keep("s", said("Main", "u1"))
    lines = transcript(said("Agent", "u2", isSidechain=True), answered("m", "r", (1, 2, 0, 0, 0)))
    for path in (AGENT, "tool-results/a.jsonl", "subagents/agent-x.meta.json"):
        upload = library.custody.upload
        await upload(library.actor, "s", pieces(lines), About(), path=path)
    await library.reader.read_all()
    rows = await library.rows("SELECT file, line FROM messages ORDER BY file, line")
    assert [tuple(row) for row in rows] == [("", 1), (AGENT, 1), (AGENT, 2)]
    found = await page(library.db, library.actor, session, Part(9, AGENT))
    texts = await raw(library.db, library.custody, library.actor, found)
    assert "".join(f"{text}\n" for text in texts).encode() == lines
    reading = (await readings(library.db, library.actor, [session]))[session]
    assert (reading.agents, reading.counts) == (1, {"user": 2, "assistant": 1})
