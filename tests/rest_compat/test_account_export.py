"""An account's copy of everything: complete, verifiable, its own, and made in little memory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ServeProcess
from tests.graph.client import Caller, newcomer
from tests.graph.test_accounts import with_key
from tests.rest_compat.test_bundle import unpacked
from tests.rest_compat.test_memory import GROWTH_MAX, pieces, watched
from tests.support.dial import PROVING
from tests.support.estate import WORD, estate
from tests.support.registry import conversation, register
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, stream

ADDRESS = "/api/account/export"
SIZE = 1024**3


async def exported(caller: Caller, place: Path) -> dict[str, bytes]:
    answer = await caller.server.client.get(ADDRESS, headers=caller.headers)
    assert answer.headers["content-type"] == "application/zstd"
    assert 'filename="account.tar.zst"' in answer.headers["content-disposition"]
    return unpacked(answer, place)


def lines(files: dict[str, bytes], section: str) -> list[dict[str, Any]]:
    parts = [data for name, data in sorted(files.items()) if name.startswith(f"{section}/")]
    return [json.loads(line) for part in parts for line in part.splitlines()]


async def test_an_export_holds_everything_and_nothing_of_others(
    server: RunningServer, tmp_path: Path
) -> None:
    left = await estate(server)
    await left.mate.write("By the mate", left.team_id)
    other = {"Content-Type": "application/x-ndjson", **left.owner.headers}
    diverged = b'{"type":"user","another":"way"}\n' * 2
    address = conversation(WORD)
    assert (await server.client.put(address, content=diverged, headers=other)).is_success
    files = await exported(left.owner, tmp_path / "all")
    (profile,) = lines(files, "profile")
    assert (profile["email"], "password_hash" in profile) == (left.owner.email, False)
    assert {key["label"] for key in lines(files, "keys")} == {"registration", f"{WORD} laptop"}
    assert {team["name"] for team in lines(files, "teams")} == {f"Only {WORD}", "The mate's"}
    written = {entry["summary"]: entry for entry in lines(files, "knowledge")}
    assert set(written) == {f"Private {WORD}", "What the team learned"}
    assert written[f"Private {WORD}"]["details"] == f"The long version of {WORD}"
    assert [star["entry_id"] for star in lines(files, "stars")] == [
        written[f"Private {WORD}"]["id"]
    ]
    assert [s["summary"] for s in lines(files, "summaries")] == [{"goal": WORD}]
    (session,) = lines(files, "sessions")
    assert (session["name"], session["notes"]) == (f"{WORD} name", f"{WORD} notes")
    assert [share["note"] for share in lines(files, "shared-sessions")] == [f"{WORD} note"]
    assert [said["tags"] for said in lines(files, "contributions")] == [[WORD]]
    kinds = [event["kind"] for event in lines(files, "audit")]
    assert {"registered", "login_failed", "logged_in", "key_minted", "member_joined"} <= set(kinds)
    assert "knowledge_created" in {entry["kind"] for entry in lines(files, "activity")}
    kept = {(v["path"], v["number"]): v["digest"] for v in lines(files, "versions")}
    assert len(kept) == 4
    transcripts = {
        name: data for name, data in files.items() if name.startswith(("projects/", "earlier/"))
    }
    tops = [name.split("/")[0] for name in sorted(transcripts)]
    assert tops == ["earlier", "earlier", "projects", "projects"]
    assert diverged in transcripts.values()
    whole = b"".join(files.values()).decode()
    assert "By the mate" not in whole
    assert str(left.owner.api_key) not in whole


async def test_parts_follow_one_another(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.account_export.BATCH", 3)
    person = await newcomer(server)
    wanted = {f"Entry {number}" for number in range(7)}
    for summary in wanted:
        await person.write(summary)
    files = await exported(person, tmp_path / "all")
    assert [name for name in sorted(files) if name.startswith("knowledge")] == [
        f"knowledge/000{number}.jsonl" for number in (1, 2, 3)
    ]
    assert {entry["summary"] for entry in lines(files, "knowledge")} == wanted
    assert len(lines(files, "audit")) == 2
    assert set(files) >= {"README.txt", "profile/0001.jsonl"}


async def test_it_takes_a_credential_that_may_administer(server: RunningServer) -> None:
    person = await newcomer(server)
    assert (await server.client.get(ADDRESS)).status_code == 401
    for scope, status in (("WRITE", 403), ("ADMIN", 200)):
        key = await with_key(person, scope)
        assert (await server.client.get(ADDRESS, headers=key.headers)).status_code == status
    stale = replace(person, token="f" * 64)
    assert (await server.client.get(ADDRESS, headers=stale.headers)).status_code == 401


@pytest.mark.slow
@pytest.mark.skipif(not PROVING, reason="`./dev prove` uploads and exports a gigabyte")
async def test_a_large_account_is_exported_in_little_memory(serve_process: ServeProcess) -> None:
    server = serve_process()
    async with httpx.AsyncClient(base_url=server.url, timeout=300) as client:
        al = await register(client)
        path = conversation(session_id(1))
        answer = await client.put(path, headers=al, content=pieces(stream(1, SIZE)))
        assert answer.status_code == 201, answer.text
        async with watched(server) as peak, client.stream("GET", ADDRESS, headers=al) as export:
            received = 0
            async for chunk in export.aiter_raw():
                received += len(chunk)
        assert received > SIZE / 1000
        assert peak.growth < GROWTH_MAX, f"{peak.growth / 1e6:.0f} MB"
