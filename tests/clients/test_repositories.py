"""One repository, cloned to different folders of two machines, is one project to our scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients.machine import Machine, contents, write
from tests.support.registry import register
from tests.support.server import RunningServer
from tests.support.transcripts import session_id

SECRET = "ghp_0123456789abcdef"


@pytest.fixture
async def key(server: RunningServer) -> str:
    return (await register(server.client))["X-API-Key"]


async def remotes(server: RunningServer, key: str) -> dict[str, str | None]:
    answer = await server.client.get("/api/manifest", headers={"X-API-Key": key})
    found = (json.loads(line) for line in answer.text.splitlines())
    return {item["session_id"]: item["git_remote"] for item in found}


async def test_a_clone_elsewhere_gets_its_sessions_back_where_it_is(
    server: RunningServer, key: str, tmp_path: Path
) -> None:
    al, bo = Machine(tmp_path / "al", server, key), Machine(tmp_path / "bo", server, key)
    one, two, three = (session_id(number) for number in range(3))
    at = await al.clone(al.home / "app", f"https://al:{SECRET}@github.com/Al/App.git")
    write(at / f"{one}.jsonl", contents(0, str(al.home / "app")))
    write(at / one / "subagents" / "agent-a.jsonl", contents(0, "/x"))
    elsewhere = al.projects / "-home-al-else"
    write(elsewhere / f"{three}.jsonl", contents(0, "/home/al/else"))
    done = await al.set_up()
    assert done.status == 0, done.err
    assert await remotes(server, key) == {one: "github.com/al/app", three: None}

    there = await bo.clone(bo.home / "src" / "my app", "git@github.com:al/app.git")
    done = await bo.run(
        f"cd 'src/my app' && curl -fsS {server.url}/restore.sh"
        f" | TEAMLORE_KEY={key} bash -s -- --here"
    )
    assert (done.status, done.out) == (0, "Restore: 2 restored, 0 the same, 0 kept, 0 failed.\n")
    assert set(bo.files().values()) == {al.files()[p] for p in al.files() if one in p}
    assert (there / f"{one}.jsonl").is_file()

    write(there / f"{two}.jsonl", contents(1, str(bo.home / "src" / "my app")))
    assert (await bo.set_up()).status == 0
    assert await remotes(server, key) == dict.fromkeys((one, two), "github.com/al/app") | {
        three: None
    }
    outside = await bo.run(
        f"curl -fsS {server.url}/restore.sh | TEAMLORE_KEY={key} bash -s -- --here"
    )
    assert outside.status == 1
    assert "this is no repository" in outside.err


async def test_sessions_from_before_are_told_of_their_repository_and_secrets_stay_here(
    server: RunningServer, key: str, tmp_path: Path
) -> None:
    al = Machine(tmp_path / "al", server, key)
    one, two = session_id(0), session_id(1)
    at = await al.clone(al.home / "app", f"https://al:{SECRET}@git.example.org/al/app")
    write(at / f"{one}.jsonl", contents(0, str(al.home / "app")))
    await al.run(f"git -C '{al.home / 'app'}' remote rename origin away")
    assert (await al.set_up()).status == 0
    assert await remotes(server, key) == {one: None}
    await al.run(f"git -C '{al.home / 'app'}' remote rename away origin")
    write(at / f"{two}.jsonl", contents(1, str(al.home / "app")))
    trace = 'bash -x "$HOME/.config/teamlore/sync.sh"'
    done = await al.run(trace)
    assert "Sync: 1 uploaded, 0 grown, 1 unchanged, 0 failed." in done.out
    assert await remotes(server, key) == dict.fromkeys((one, two), "git.example.org/al/app")
    assert SECRET not in done.err
