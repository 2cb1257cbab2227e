"""Our own Obsidian export: notes are brought up to date in place, and one's own words stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients.machine import Machine
from tests.support.registry import conversation, register
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

OWN = "\n%% yours %%\nMy own words \\ ü\n"


@pytest.fixture
async def al(server: RunningServer, tmp_path: Path) -> Machine:
    key = (await register(server.client))["X-API-Key"]
    return Machine(tmp_path / "al's home", server, key)


def notes(al: Machine) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (al.home / "my vault").iterdir()}


async def write_notes(al: Machine) -> str:
    line = f"curl -fsS {al.url}/obsidian.sh | TEAMLORE_KEY={al.key} bash -s -- 'my vault'"
    done = await al.run(line)
    assert done.status == 0, done.err
    return done.out


async def test_notes_are_brought_up_to_date_in_place(server: RunningServer, al: Machine) -> None:
    header = {"X-API-Key": al.key, "X-Project-Name": "tea $(touch x) `id`"}
    told = [session_id(number) for number in range(3)]
    for number, session in enumerate(told):
        data = transcript(number, 3_000)
        await server.client.put(conversation(session), headers=header, content=data)
    assert await write_notes(al) == "Notes: 3 written, 0 the same, 0 failed.\n"
    exported = (await server.client.get("/api/sessions/export/obsidian", headers=header)).json()
    assert notes(al) == {note["filename"]: note["content"] for note in exported}
    assert await write_notes(al) == "Notes: 0 written, 3 the same, 0 failed.\n"

    names = {note["session_id"]: note["filename"] for note in exported}
    vault = al.home / "my vault"
    mine = vault / "What I called it.md"
    (vault / names[told[0]]).rename(mine)
    mine.write_text(mine.read_text("utf-8") + OWN, "utf-8")
    (vault / "not a note.md").write_text("mine\n")
    title = {"type": "custom-title", "customTitle": "Renamed"}
    grown = transcript(0, 3_000) + json.dumps(title).encode() + b"\n"
    await server.client.put(conversation(told[0]), headers=header, content=grown)
    assert await write_notes(al) == "Notes: 1 written, 2 the same, 0 failed.\n"
    assert set(notes(al)) == {mine.name, "not a note.md", names[told[1]], names[told[2]]}
    assert "\n# Renamed\n" in notes(al)[mine.name]
    assert notes(al)[mine.name].endswith(OWN.lstrip("\n"))
    assert notes(al)["not a note.md"] == "mine\n"
    assert await write_notes(al) == "Notes: 0 written, 3 the same, 0 failed.\n"


async def test_an_outage_leaves_every_note_as_it_was(server: RunningServer, al: Machine) -> None:
    header = {"X-API-Key": al.key}
    data = transcript(0, 3_000)
    await server.client.put(conversation(session_id(0)), headers=header, content=data)
    await write_notes(al)
    before = notes(al)
    script = f"curl -fsS {al.url}/obsidian.sh | TEAMLORE_KEY={'0' * 64} bash -s -- 'my vault'"
    done = await al.run(script)
    assert done.status == 1
    assert "nothing was changed" in done.err
    assert notes(al) == before
