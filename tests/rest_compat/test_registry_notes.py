"""Sessions as notes: safe in YAML and in file names, readable, of bounded length."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.registry import conversation, register
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

S = session_id(1)


@pytest.fixture
async def al(server: RunningServer) -> dict[str, str]:
    return await register(server.client)


NASTY = 'a: "b" \\ #c\n---\n- d\t\x7f\u2028é😀 %{x} &*!|>'


async def test_a_note_survives_any_name(server: RunningServer, al: dict[str, str]) -> None:
    lines = json.dumps({"type": "custom-title", "customTitle": NASTY, "cwd": f"/{NASTY}/x"})
    told = {"session_id": S, "project_name": f"con/{NASTY}?", "name": NASTY}
    await server.client.post("/api/sessions", headers=al, json=told)
    await server.client.put(conversation(S), headers=al, content=lines.encode())
    answer = await server.client.get(
        "/api/sessions/export/obsidian", headers=al, params={"session_id": S}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.headers["content-disposition"].startswith("attachment; ")
    opening, block, body = answer.text.split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    assert opening == ""
    assert body.startswith('\n# a: "b"')
    assert json.loads(fields["project"]) == f"con/{NASTY}?".replace("\x7f", "")
    assert "\u2028" not in block
    note = (await server.client.get("/api/sessions/export/obsidian", headers=al)).json()[0]
    assert note["content"] == answer.text
    assert not set(note["filename"]) & set('<>:"/\\|?*\n')
    assert note["filename"].endswith(f" {S[:8]}.md")


async def test_a_note_keeps_its_file_while_its_session_is_renamed_and_goes_on(
    server: RunningServer, al: dict[str, str]
) -> None:
    async def note() -> tuple[str, str]:
        (found,) = (await server.client.get("/api/sessions/export/obsidian", headers=al)).json()
        return found["filename"], found["content"]

    told = {**al, "X-Project-Name": "-home-al-app"}
    conversation_so_far, seen = b"", set()
    for number, title in enumerate(("First title", "Another title", "日本語")):
        record = {"type": "custom-title", "customTitle": title, "cwd": "/home/al/app"}
        conversation_so_far += transcript(number, 2_000) + json.dumps(record).encode() + b"\n"
        await server.client.put(conversation(S), headers=told, content=conversation_so_far)
        filename, content = await note()
        seen.add(filename)
        assert f"\n# {title}\n" in content
        named = {"name": f"n{number}"}
        answer = await server.client.put(f"/api/sessions/{S}", headers=al, json=named)
        assert answer.json()["name"] == f"n{number}"
        seen.add((await note())[0])
    assert seen == {f"home-al-app {S[:8]}.md"}


async def test_notes_of_similar_ids_do_not_overwrite_each_other(
    server: RunningServer, al: dict[str, str]
) -> None:
    ids = ["0a0b0c0d-1", "0a0b0c0d-2", "0A0B0C0D-1", "0a0b0c0d-" + "x" * 200, "other-id-x"]
    sessions = [{"session_id": item, "project_name": "日本" * 100} for item in ids]
    await server.client.post("/api/sessions/sync", headers=al, json={"sessions": sessions})
    notes = (await server.client.get("/api/sessions/export/obsidian", headers=al)).json()
    names = [note["filename"].lower() for note in notes]
    assert len(set(names)) == len(ids)
    assert max(len(name.encode()) for name in names) < 255
    assert max(map(len, names)) <= 120


async def test_a_long_conversation_makes_a_bounded_note(
    server: RunningServer, al: dict[str, str]
) -> None:
    await server.client.put(conversation(S), headers=al, content=transcript(1, 4_000_000))
    notes = (await server.client.get("/api/sessions/export/obsidian", headers=al)).json()
    size = len(notes[0]["content"].encode())
    assert 900_000 < size < 1_100_000
    assert "The note ends here" in notes[0]["content"][-100:]


async def test_a_note_reads_like_the_conversation(
    server: RunningServer, al: dict[str, str]
) -> None:
    records: list[dict[str, Any]] = [
        {"type": "user", "message": {"content": "Why does it fail?"}},
        {
            "type": "assistant",
            "message": {
                "content": [
                    {"type": "thinking", "thinking": "hidden"},
                    {"type": "text", "text": "Let me look."},
                    {"type": "tool_use", "name": "Bash", "input": {"command": "make `all`"}},
                ]
            },
        },
        {
            "type": "user",
            "message": {
                "content": [{"type": "tool_result", "content": "```\x1b[31mred" + "y" * 9000}]
            },
        },
        {"type": "unknown-kind", "data": [1]},
        {"type": "assistant", "message": {"content": [{"type": "text", "text": "A typo."}]}},
    ]
    body = "\n".join(json.dumps(record) for record in records)
    await server.client.put(conversation(S), headers=al, content=body.encode())
    params = {"session_id": S}
    answer = await server.client.get("/api/sessions/export/obsidian", headers=al, params=params)
    text = answer.text.split("---\n", 2)[2]
    places = [
        text.index(part)
        for part in (
            "# Why does it fail?",
            "## User",
            "Why does it fail?\n\n## Claude",
            "Let me look.",
            "- **Bash** `make 'all'`",
            "> [!example]- Result\n> ````\n> ```[31mred",
            "A typo.",
        )
    ]
    assert places == sorted(places)
    assert "hidden" not in text
    assert len(text) < 3000
