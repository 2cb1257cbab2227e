"""The four scripts of the registry document, byte for byte, in real bash with real curl and jq."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.registry import conversation, register, state
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

DOCUMENT = Path(__file__).parents[1] / "data" / "registry_document.txt"
DIGEST = "974edbea3d473cd2c70274a00515021b119d3e4d0fc768c13b41798095d6b2b6"
FOLDERS = (
    "-home-al-work-api",
    "-home-al-work-api-packages-core",
    "-home-al-My Project",
    "-home-al-проект",
    "-home-al-日本語 メモ",
    "-home-al-caf\u00e9-(old)",
    "plain",
)
EMPTY, HUGE = session_id(1000), session_id(1001)


def between(first: str, last: str) -> str:
    """The lines of the document from one to another, both included."""
    text = DOCUMENT.read_bytes().decode()
    start = text.index(first)
    return text[start : text.index(last, start) + len(last)] + "\n"


SETUP = between("bash <<'SETUP'\n", "\nSETUP")
SYNC = between("#!/usr/bin/env bash\n# claude-session-sync", 'echo "Sync complete."')
RESTORE = between(
    "#!/usr/bin/env bash\n# claude-session-restore", 'appropriate directory to continue."'
)
OBSIDIAN = between("#!/usr/bin/env bash\n# claude-obsidian-sync", 'tags for Dataview queries."')


class Machine:
    """A scratch home folder in which scripts are run."""

    def __init__(self, home: Path, url: str, key: str) -> None:
        self.home = home
        self.projects = home / ".claude" / "projects"
        home.mkdir()
        self._env = {
            "HOME": str(home),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "CSR_API_KEY": key,
            "CSR_URL": url,
        }

    async def run(self, script: str) -> str:
        """What the script prints; it must succeed."""
        path = self.home / "pasted.sh"
        path.write_bytes(script.encode())
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", str(path)],
            env=self._env,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def files(self) -> dict[str, str]:
        """The digest of each transcript by its path."""
        return {
            str(path.relative_to(self.projects)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.projects.rglob("*.jsonl")
        }


def contents(number: int) -> bytes:
    """The transcript of a session: most are ordinary, some are everything that files can be."""
    good = transcript(number, 2_000 * (number % 9 + 1))
    special = {
        1: good.rstrip(b"\n"),
        2: good + b"this is not JSON\n{broken\n" + good,
        3: good + b'{"type":"user","message":{"content":"a\\u0000b \\ud83d"}}\n\x00\x00\n' + good,
        4: good + b"\xff\xfe\x80 no UTF-8 \xc3\n" + good,
        5: good.replace(b"\n", b"\r\n"),
        6: b"\n\n\n",
        7: b"\x00",
        8: good + b'{"cut off in the middle of a rec',
    }
    return special.get(number, good)


def fill(projects: Path) -> None:
    """60 sessions in several projects."""
    for number in range(58):
        folder = projects / FOLDERS[number % len(FOLDERS)]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{session_id(number)}.jsonl").write_bytes(contents(number))
    (projects / FOLDERS[0] / f"{EMPTY}.jsonl").write_bytes(b"")
    (projects / FOLDERS[1] / f"{HUGE}.jsonl").write_bytes(transcript(1, 300_000) * 100)
    (projects / FOLDERS[0] / "notes.jsonl").write_bytes(b"not a session\n")


def without(files: dict[str, str], *names: str) -> dict[str, str]:
    """`files` without those whose names begin so."""
    return {path: d for path, d in files.items() if not path.split("/")[1].startswith(names)}


@pytest.fixture
async def header(server: RunningServer) -> dict[str, str]:
    return await register(server.client)


@pytest.fixture
def first(tmp_path: Path, server: RunningServer, header: dict[str, str]) -> Machine:
    machine = Machine(tmp_path / "first machine", server.url, header["X-API-Key"])
    fill(machine.projects)
    return machine


@pytest.fixture
def second(tmp_path: Path, server: RunningServer, header: dict[str, str]) -> Machine:
    return Machine(tmp_path / "second", server.url, header["X-API-Key"])


def test_the_document_is_the_original() -> None:
    assert hashlib.sha256(DOCUMENT.read_bytes()).hexdigest() == DIGEST


async def assert_restored(
    server: RunningServer, first: Machine, second: Machine, header: Any
) -> None:
    await second.run(RESTORE)
    # The document's restore script passes over conversations of size 0.
    assert second.files() == without(first.files(), EMPTY, "notes")
    assert len(second.files()) == 59
    listed = (await server.client.get("/api/sessions", headers=header)).json()
    sizes = {item["session_id"]: item["conversation_size"] for item in listed}
    assert len(sizes) == 60
    assert sizes[EMPTY] == 0
    empty = await server.client.get(conversation(EMPTY), headers=header)
    assert (empty.status_code, empty.content) == (200, b"")


async def test_set_up_backs_everything_up_and_restore_brings_it_back(
    server: RunningServer, first: Machine, second: Machine, header: dict[str, str]
) -> None:
    (first.home / ".bashrc").write_text("# mine\n")
    output = await first.run(SETUP)
    assert "Sync complete: 60 ok, 0 failed." in output
    hooks = json.loads((first.home / ".claude" / "settings.json").read_text())["hooks"]
    assert hooks["Stop"][0]["hooks"][0]["command"] == "claude-session-sync 2>/dev/null &"
    assert header["X-API-Key"] in (first.home / ".bashrc").read_text()
    await assert_restored(server, first, second, header)

    before = await state(server.settings)
    output = await first.run(SETUP)
    assert "Sync hook already configured" in output
    assert "Sync complete: 60 ok, 0 failed." in output
    assert await state(server.settings) == before


async def test_set_up_keeps_other_settings(first: Machine) -> None:
    settings = first.home / ".claude" / "settings.json"
    mine = {"model": "opus", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}}
    settings.write_text(json.dumps(mine))
    shutil.rmtree(first.projects)
    (first.projects / "p").mkdir(parents=True)
    await first.run(SETUP)
    after = json.loads(settings.read_text())
    assert after["model"] == "opus"
    assert after["hooks"]["Stop"][0] == mine["hooks"]["Stop"][0]  # type: ignore[index]
    assert len(after["hooks"]["Stop"]) == 2


async def test_manual_sync_backs_everything_up_and_restore_brings_it_back(
    server: RunningServer, first: Machine, second: Machine, header: dict[str, str]
) -> None:
    output = await first.run(SYNC)
    answer = json.loads(output[output.index("{") : output.rindex("}") + 1])
    everything = {"synced": 60, "created": 60, "updated": 0, "conversations": 60, "failed": []}
    assert answer == everything
    await assert_restored(server, first, second, header)

    before = await state(server.settings)
    output = await first.run(SYNC)
    answer = json.loads(output[output.index("{") : output.rindex("}") + 1])
    assert answer == {**everything, "created": 0, "updated": 60}
    assert await state(server.settings) == before


async def test_a_grown_transcript_stores_only_its_tail(
    server: RunningServer, first: Machine, header: dict[str, str]
) -> None:
    await first.run(SYNC)
    before = await state(server.settings)
    with next(first.projects.rglob(f"{HUGE}.jsonl")).open("ab") as file:
        file.write(transcript(2, 10_000))
    await first.run(SYNC)
    after = await state(server.settings)
    added = after["blocks"].keys() - before["blocks"].keys()
    assert len(added) == 1
    assert before["blocks"].items() <= after["blocks"].items()
    assert after["log"] == before["log"] + 1
    changed = set(after["sessions"]) - set(before["sessions"])
    assert {row[0] for row in changed} == {HUGE}


async def test_the_obsidian_notes_carry_what_the_queries_ask_for(
    server: RunningServer, first: Machine, second: Machine, header: dict[str, str]
) -> None:
    await first.run(SYNC)
    await second.run(OBSIDIAN)
    vault = second.home / "Documents" / "obsidian" / "Claude Sessions"
    notes = {path.name: path.read_bytes().decode() for path in vault.iterdir()}
    listed = (await server.client.get("/api/sessions", headers=header)).json()
    exported = (await server.client.get("/api/sessions/export/obsidian", headers=header)).json()
    assert len(notes) == len(exported) == 60
    assert {item["filename"]: item["content"] for item in exported} == notes
    found = {fields["session_id"]: fields for fields in map(frontmatter, notes.values())}
    for session in listed:
        fields = found[session["session_id"]]
        assert fields["tags"] == ["claude-session"]
        assert fields["working_directory"] == session["working_directory"]
        assert fields["project"] == session["project_name"]
        assert fields["conversation_size"] == session["conversation_size"]
        assert fields["conversation_lines"] == session["conversation_lines"]
        assert fields["created"] == session["created"][:19] + "Z"
        assert fields["updated"] == session["updated"][:19] + "Z"


def frontmatter(note: str) -> dict[str, Any]:
    """The properties of a note, in the small part of YAML that notes are written in."""
    opening, block, _ = note.split("---\n", 2)
    assert opening == ""
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    dates = {name: fields.pop(name) for name in ("created", "updated")}
    assert fields.pop("tags") == "[claude-session]"
    read = {name: json.loads(value) for name, value in fields.items()}
    return {**read, **dates, "tags": ["claude-session"]}
