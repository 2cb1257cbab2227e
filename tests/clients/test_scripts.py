"""Our own scripts against the real server: what was backed up comes back, and nothing is harmed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from settings import Settings
from tests.clients.machine import Machine, encoded
from tests.support.dial import dial
from tests.support.places import Place
from tests.support.registry import conversation, register, state
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

SCRIPTS = Path(__file__).parents[2] / "clients" / "scripts"


@pytest.fixture
def settings(settings: Settings, blocks: Place) -> Settings:
    return blocks.used_by(settings)


@pytest.fixture
async def key(server: RunningServer) -> str:
    return (await register(server.client))["X-API-Key"]


@pytest.fixture
def al(tmp_path: Path, server: RunningServer, key: str) -> Machine:
    return Machine(tmp_path / "al's home", server, key)


@pytest.fixture
def bo(tmp_path: Path, server: RunningServer, key: str) -> Machine:
    return Machine(tmp_path / "bo", server, key)


def mapped(files: dict[str, str]) -> dict[str, str]:
    """Where `--map /home/al=/Users/bo` puts these files."""
    return {path.replace("-home-al-", "-Users-bo-"): digest for path, digest in files.items()}


@pytest.mark.on_s3
async def test_sessions_come_back_exactly_under_another_name_and_unchanged_ones_are_not_sent(
    server: RunningServer, al: Machine, bo: Machine, blocks: Place
) -> None:
    count = dial(7 if blocks.is_bucket else 25, 2_000)
    al.fill(count)
    files = al.files()
    began = time.monotonic()
    done = await al.set_up()
    print(f"first sync of {len(files)} files: {time.monotonic() - began:.1f} s")  # noqa: T201
    assert done.status == 0, done.err
    assert f"Sync: {len(files)} uploaded, 0 grown, 0 unchanged, 0 failed." in done.out
    before = await state(server.settings)

    al.calls()
    began = time.monotonic()
    done = await al.sync()
    seconds = time.monotonic() - began
    calls = al.calls()
    print(f"second sync of {len(files)} unchanged files: {seconds:.2f} s")  # noqa: T201
    assert f"Sync: 0 uploaded, 0 grown, {len(files)} unchanged, 0 failed." in done.out
    assert seconds < dial(40, 5)
    assert [call.split("/api/")[1] for call in calls] == ["manifest"]
    assert await state(server.settings) == before

    began = time.monotonic()
    done = await bo.restore("--all --map /home/al=/Users/bo")
    print(f"restoring {len(files)} files: {time.monotonic() - began:.1f} s")  # noqa: T201
    assert done.status == 0, done.err
    assert bo.files() == mapped(files)
    done = await bo.restore("--all --map /home/al=/Users/bo")
    assert f"Restore: 0 restored, {len(files)} the same, 0 kept, 0 failed." in done.out


async def test_a_sync_that_was_ended_goes_on_where_it_was(
    server: RunningServer, al: Machine
) -> None:
    await al.set_up()
    al.fill(60)
    total = len(al.files())
    line = 'bash "$HOME/.config/teamlore/sync.sh" & echo $! >"$HOME/pid"; wait $!'
    running = asyncio.create_task(al.run(line))
    while not await asyncio.to_thread(_manifest, server, al):
        assert not running.done()
    os.kill(int((al.home / "pid").read_text()), signal.SIGTERM)
    assert (await running).status == 130
    done = await al.sync()
    assert done.status == 0, done.err
    found = re.fullmatch(r"Sync: (\d+) uploaded, 0 grown, (\d+) unchanged, 0 failed.\n", done.out)
    assert found is not None, done.out
    sent, kept = int(found[1]), int(found[2])
    assert sent + kept == total
    assert kept > 0
    assert not [path for path in (al.folder / "state").iterdir() if path.name != "state.tsv"]


async def test_a_grown_session_is_sent_by_its_tail_and_failures_stop_nobody_else(
    server: RunningServer, al: Machine
) -> None:
    al.fill(6)
    await al.set_up()
    al.calls()
    grown = next(al.projects.glob(f"*/{session_id(0)}.jsonl"))
    whole = grown.read_bytes() + transcript(99, 5_000)
    grown.write_bytes(whole)
    (grown.parent / session_id(0) / "subagents" / "bad:name.jsonl").write_bytes(b"{}\n")
    (grown.parent / session_id(1) / "subagents").mkdir(parents=True)
    (grown.parent / session_id(1) / "subagents" / "agent-new.jsonl").write_bytes(b"{}\n")
    done = await al.sync()
    assert "Sync: 1 uploaded, 1 grown," in done.out
    assert "1 failed." in done.out
    assert "bad:name.jsonl: HTTP 400" in done.err
    assert done.status == 1
    calls = al.calls()
    assert sum("/api/tails" in call for call in calls) == 1
    assert not any("PATCH" in call for call in calls)
    answer = await server.client.get(conversation(session_id(0)), headers={"X-API-Key": al.key})
    assert answer.content == whole


async def test_many_grown_and_new_files_go_in_one_request(
    server: RunningServer, al: Machine, bo: Machine
) -> None:
    al.fill(12)
    await al.set_up()
    for number in range(12):
        place = next(al.projects.glob(f"*/{session_id(number)}.jsonl"))
        place.write_bytes(place.read_bytes() + transcript(number + 50, 3_000))
        new = place.parent / session_id(number) / "subagents" / 'agent "new" \\ é.jsonl'
        if number % 3:
            new = new.with_name("agent-new.jsonl")
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(b"{}\n" * number)
    al.calls()
    done = await al.sync()
    assert "Sync: 8 uploaded, 12 grown," in done.out, done.out + done.err
    assert "4 failed." in done.out
    calls = al.calls()
    assert sum("/api/tails" in call for call in calls) == 1
    assert not any("PATCH" in call for call in calls)
    for place in al.projects.glob('*/*/subagents/*"new"*'):
        place.unlink()
    assert (await bo.restore("--all --map /home/al=/Users/bo")).status == 0
    assert bo.files() == mapped(al.files())
    before = await state(server.settings)
    assert "Sync: 0 uploaded, 0 grown," in (await al.sync()).out
    assert await state(server.settings) == before


@pytest.mark.parametrize("status", [404, 405, 500, 413])
async def test_a_server_without_such_a_request_gets_file_by_file_what_it_got_before(
    server: RunningServer, al: Machine, status: int
) -> None:
    al.fill(6)
    await al.set_up()
    for number in range(6):
        place = next(al.projects.glob(f"*/{session_id(number)}.jsonl"))
        place.write_bytes(place.read_bytes() + transcript(number + 50, 3_000))
    al.refuse("/api/tails", status)
    al.calls()
    done = await al.sync()
    assert "Sync: 0 uploaded, 6 grown," in done.out, done.out + done.err
    assert done.status == 0
    assert sum(call == 'request "PATCH"' for call in al.calls()) == 6


async def test_one_that_differs_among_many_becomes_a_version_and_the_others_go_together(
    server: RunningServer, al: Machine
) -> None:
    al.fill(6)
    await al.set_up()
    for number in range(6):
        place = next(al.projects.glob(f"*/{session_id(number)}.jsonl"))
        data = place.read_bytes() + transcript(number + 50, 3_000)
        place.write_bytes(data if number else b"x" + data[1:])
    done = await al.sync()
    assert "Sync: 1 uploaded, 5 grown," in done.out, done.out + done.err
    listed = await server.client.get(
        f"{conversation(session_id(0))}/versions", headers={"X-API-Key": al.key}
    )
    assert len(listed.json()["versions"]) == 2


async def test_a_shorter_local_copy_is_offered_once_and_then_left_alone(al: Machine) -> None:
    al.fill(2)
    await al.set_up()
    place = next(al.projects.glob(f"*/{session_id(0)}.jsonl"))
    place.write_bytes(place.read_bytes()[:100])
    os.utime(place, (place.stat().st_mtime - 7_200,) * 2)
    assert "1 uploaded" in (await al.sync()).out
    assert "0 uploaded" in (await al.sync()).out


async def test_without_its_own_notes_a_sync_compares_and_sends_nothing(al: Machine) -> None:
    al.fill(6)
    await al.set_up()
    (al.folder / "state" / "state.tsv").unlink()
    al.calls()
    assert "Sync: 0 uploaded, 0 grown," in (await al.sync()).out
    assert len(al.calls()) == 1


async def test_a_file_that_changed_just_before_a_sync_is_not_looked_at_again(al: Machine) -> None:
    al.fill(3)
    await al.set_up()
    place = next(al.projects.glob(f"*/{session_id(0)}.jsonl"))
    place.write_bytes(place.read_bytes() + b"{}\n")
    await asyncio.sleep(0.3)
    assert "Looking at 1 new" in (await al.sync()).err
    assert "Looking at" not in (await al.sync()).err


async def test_notes_of_an_earlier_version_are_understood(al: Machine) -> None:
    """They had whole seconds only."""
    al.fill(3)
    await al.set_up()
    notes = al.folder / "state" / "state.tsv"
    earlier = re.sub(r"(\t\d+)\.\d+\t", r"\1\t", notes.read_text())
    assert earlier != notes.read_text()
    notes.write_text(earlier)
    assert "Looking at" not in (await al.sync()).err


async def test_settings_keep_what_others_put_there_and_set_up_twice_changes_nothing(
    al: Machine,
) -> None:
    mine: dict[str, Any] = {
        "model": "opus",
        "env": {"A": "ü"},
        "hooks": {
            "Stop": [{"hooks": [{"type": "command", "command": "x"}]}],
            "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "http", "url": "http://x"}]}],
        },
    }
    al.settings.write_text(json.dumps(mine))
    al.settings.chmod(0o640)
    assert (await al.set_up()).status == 0
    text = al.settings.read_text()
    after = json.loads(text)
    assert {name: after[name] for name in ("model", "env")} == {"model": "opus", "env": {"A": "ü"}}
    assert after["hooks"]["PreToolUse"] == mine["hooks"]["PreToolUse"]
    assert after["hooks"]["Stop"][0] == mine["hooks"]["Stop"][0]
    for event, position in (("Stop", 1), ("SessionEnd", 0)):
        (hook,) = after["hooks"][event][position]["hooks"]
        assert (hook["type"], hook["timeout"]) == ("command", 30)
        assert hook["command"].endswith("/sync.sh --hook")
    assert al.mode(al.settings) == 0o640
    assert al.mode(al.folder / "key") == 0o600
    assert (await al.set_up()).status == 0
    assert al.settings.read_text() == text
    assert (await al.set_up("--remove")).status == 0
    assert json.loads(al.settings.read_text()) == mine
    assert not al.folder.exists()


@pytest.mark.parametrize("text", ['{"model": "opus", ', "[]", '{"hooks": {"Stop": {}}}', "{}{}"])
async def test_settings_that_cannot_be_understood_are_left_alone(al: Machine, text: str) -> None:
    al.settings.write_text(text)
    done = await al.set_up()
    assert done.status == 1
    assert "is left as it is" in done.err
    assert al.settings.read_text() == text


async def test_settings_behind_a_link_are_changed_where_they_are(al: Machine) -> None:
    real = al.home / "dotfiles.json"
    real.write_text("{}")
    al.settings.symlink_to(Path("..") / "dotfiles.json")
    await al.set_up()
    assert al.settings.is_symlink()
    assert "SessionEnd" in real.read_text()


async def test_a_wrong_key_changes_nothing(al: Machine) -> None:
    al.key = "0" * 64
    done = await al.set_up()
    assert done.status == 1
    assert "does not know this key; nothing was changed" in done.err
    assert not al.settings.exists()
    assert not al.folder.exists()


async def _eventually(server: RunningServer, key: str, session: str, expected: bytes) -> None:
    for _ in range(200):
        answer = await server.client.get(conversation(session), headers={"X-API-Key": key})
        if answer.content == expected:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{len(answer.content)} bytes instead of {len(expected)}")


def _said(session: str) -> str:
    return json.dumps({"session_id": session, "hook_event_name": "Stop", "cwd": "/x"})


async def test_the_hook_returns_at_once_and_two_at_once_send_the_last_state(
    server: RunningServer, al: Machine
) -> None:
    await al.set_up()
    al.fill(3)
    session = session_id(0)
    place = next(al.projects.glob(f"*/{session}.jsonl"))
    command = json.loads(al.settings.read_text())["hooks"]["Stop"][0]["hooks"][0]["command"]
    data = place.read_bytes()
    al.calls()
    for turn in range(dial(3, 30)):
        data += transcript(turn, 3_000)
        place.write_bytes(data)
        began = time.monotonic()
        # Both wait for their output to end, which a job that holds it open would put off.
        done = await asyncio.gather(*(al.run(command, stdin=_said(session)) for _ in range(2)))
        assert time.monotonic() - began < dial(24, 3)
        assert {(d.status, d.out) for d in done} == {(0, "")}
        if turn % 2:
            await asyncio.sleep(1.2)
    await _eventually(server, al.key, session, data)
    for _ in range(200):
        kept = await server.client.get(
            f"/api/sessions/{session}/files", headers={"X-API-Key": al.key}
        )
        if len(kept.json()["files"]) == 4:
            break
        await asyncio.sleep(0.1)
    assert len(kept.json()["files"]) == 4
    listed = (await server.client.get("/api/sessions", headers={"X-API-Key": al.key})).json()
    assert [item["session_id"] for item in listed] == [session]
    versions = await server.client.get(
        f"{conversation(session)}/versions", headers={"X-API-Key": al.key}
    )
    assert len(versions.json()["versions"]) == 1
    await asyncio.sleep(1.5)
    assert not list((al.folder / "state").glob("*.lock"))
    assert not list((al.folder / "state").glob("run.*"))


async def test_what_is_said_while_an_upload_runs_is_sent_after_it(
    server: RunningServer, al: Machine
) -> None:
    await al.set_up()
    al.fill(1)
    session = session_id(0)
    place = next(al.projects.glob(f"*/{session}.jsonl"))
    command = 'bash "$HOME/.config/teamlore/sync.sh" --hook'
    slow = {"SLOW": "1", "TEAMLORE_SETTLE": "0"}
    await al.run(command, slow, _said(session))
    await asyncio.sleep(1.5)  # the list has been asked for, the transcript is on its way
    data = place.read_bytes() + transcript(7, 3_000)
    place.write_bytes(data)
    await al.run(command, slow, _said(session))
    await _eventually(server, al.key, session, data)


async def test_a_lock_of_somebody_gone_is_taken_over(server: RunningServer, al: Machine) -> None:
    await al.set_up()
    al.fill(1)
    session = session_id(0)
    (al.folder / "state" / f"{session}.lock").symlink_to("999999999")
    await al.run('bash "$HOME/.config/teamlore/sync.sh" --hook', stdin=_said(session))
    place = next(al.projects.glob(f"*/{session}.jsonl"))
    await _eventually(server, al.key, session, place.read_bytes())


async def test_restoring_never_takes_away_what_is_longer_or_different_here(
    al: Machine, bo: Machine
) -> None:
    al.fill(4)
    await al.set_up()
    longer, different, shorter = (
        bo.projects / encoded(f"/home/al/work/my_app.v{n}") / f"{session_id(n)}.jsonl"
        for n in range(3)
    )
    original = al.files()
    for place in (longer, different, shorter):
        place.parent.mkdir()
    source = {place: al.projects / place.relative_to(bo.projects) for place in (longer, shorter)}
    longer.write_bytes(source[longer].read_bytes() + b"more\n")
    different.write_bytes(b"something else\n")
    shorter.write_bytes(source[shorter].read_bytes()[:500])
    done = await bo.restore("--all")
    assert done.status == 0, done.err
    assert "2 kept, 0 failed" in done.out
    assert longer.read_bytes().endswith(b"more\n")
    assert different.read_bytes() == b"something else\n"
    assert shorter.read_bytes() == source[shorter].read_bytes()
    after = bo.files()
    assert len(after) == len(original)
    assert sum(after[path] != digest for path, digest in original.items()) == 2


async def test_one_session_is_restored_and_its_folders_rewritten_on_request(
    al: Machine, bo: Machine
) -> None:
    al.fill(3)
    await al.set_up()
    done = await bo.restore(f"{session_id(0)} --map=/home/al=/Users/b.o --rewrite-cwd")
    assert done.status == 0, done.err
    names = {path.split("/")[1].removesuffix(".jsonl") for path in bo.files()}
    assert names == {session_id(0)}
    place = bo.projects / encoded("/Users/b.o/work/my_app.v0") / f"{session_id(0)}.jsonl"
    first = json.loads(place.read_bytes().splitlines()[0])
    assert first["cwd"] == "/Users/b.o/work/my_app.v0"
    done = await bo.restore("--list")
    assert len(done.out.splitlines()) == 3
    assert (await bo.restore("no-such-session")).status == 1


async def test_a_restore_during_an_outage_leaves_every_file_as_it_was(
    server: RunningServer, al: Machine, bo: Machine
) -> None:
    al.fill(4)
    await al.set_up()
    await bo.restore("--all")
    for number, place in enumerate(bo.projects.rglob("*.jsonl")):
        place.write_bytes(place.read_bytes()[: 100 * number])
    before = bo.files()
    script = (SCRIPTS / "restore.sh").read_text()
    (bo.home / "restore.sh").write_text(script)
    manifest = await asyncio.to_thread(_manifest, server, al)
    for url in ("http://127.0.0.1:9", await _ill_server(), await _ill_server(manifest)):
        env = {"TEAMLORE_URL": url, "TEAMLORE_KEY": bo.key, "TEAMLORE_RETRIES": "0"}
        done = await bo.run("bash restore.sh --all", env)
        assert done.status == 1
        assert bo.files() == before
    assert not list(bo.projects.rglob(".teamlore*"))


def _manifest(server: RunningServer, machine: Machine) -> bytes:
    return subprocess.run(
        ["/usr/bin/curl", "-fsS", "-H", f"X-API-Key: {machine.key}", f"{server.url}/api/manifest"],
        capture_output=True,
        check=True,
    ).stdout


async def _ill_server(manifest: bytes | None = None) -> str:
    """A server that answers everything, but perhaps the manifest, with an error and a long body."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        status, body = b"500 Oops", b"<html>" + b"x" * 100_000
        if manifest is not None and b"/api/manifest" in request:
            status, body = b"200 OK", manifest
        head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        writer.write(head % (status, len(body)) + body)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    port: int = listening.sockets[0].getsockname()[1]
    return f"http://127.0.0.1:{port}"


async def test_the_address_is_quoted_and_odd_ones_refused(server: RunningServer) -> None:
    for name in ("setup.sh", "sync.sh", "restore.sh", "obsidian.sh"):
        answer = await server.client.get(f"/{name}")
        assert answer.headers["content-type"].startswith("text/x-shellscript")
        assert f"SERVED_BY={server.url}\n" in answer.text
        assert "@TEAMLORE" not in answer.text
        odd = await server.client.get(f"/{name}", headers={"Host": "x$(touch /tmp/x);y"})
        assert "$(touch" not in odd.text


async def test_the_manifest_shows_only_ones_own(server: RunningServer, al: Machine) -> None:
    al.fill(2)
    await al.set_up()
    other = await register(server.client, "other")
    assert (await server.client.get("/api/manifest", headers=other)).text == ""
    asked = f"/api/manifest?session_id={session_id(0)}"
    assert (await server.client.get(asked, headers=other)).text == ""
    mine = await server.client.get(asked, headers={"X-API-Key": al.key})
    assert {json.loads(line)["session_id"] for line in mine.text.splitlines()} == {session_id(0)}
    assert (await server.client.get("/api/manifest")).status_code == 401
