"""A bundle holds every byte of the sessions under the names that Claude Code gives them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.registry import conversation, register
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

ONE, TWO = session_id(1), session_id(2)
LONG = "tool-results/" + "é" * 90 + ".txt"


@pytest.fixture
async def al(server: RunningServer) -> dict[str, str]:
    header = await register(server.client)
    for number, name in ((1, ONE), (2, TWO)):
        data = transcript(number, 600_000, "/home/al/my_app.v2")
        await server.client.put(conversation(name), headers=header, content=data)
    for path, content in (("subagents/agent-1.jsonl", b"{}\n"), (LONG, b"\x00\xff")):
        address = f"/api/sessions/{ONE}/files/{path}"
        await server.client.put(address, headers=header, content=content)
    return header


def unpacked(answer: httpx.Response, place: Path) -> dict[str, bytes]:
    """The files of a bundle, as `tar` and `zstd` unpack them."""
    assert answer.status_code == 200, answer.text
    place.mkdir()
    plain = subprocess.run(["zstd", "-dc"], input=answer.content, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(place)], input=plain.stdout, check=True)
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=place, check=True)
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }


async def test_a_bundle_unpacks_to_what_was_uploaded(
    server: RunningServer, al: dict[str, str], tmp_path: Path
) -> None:
    folder = "-home-al-my-app-v2"
    one = {
        f"{folder}/{ONE}.jsonl": transcript(1, 600_000, "/home/al/my_app.v2"),
        f"{folder}/{ONE}/subagents/agent-1.jsonl": b"{}\n",
        f"{folder}/{ONE}/{LONG}": b"\x00\xff",
    }
    two = {f"{folder}/{TWO}.jsonl": transcript(2, 600_000, "/home/al/my_app.v2")}
    answer = await server.client.get(f"/api/sessions/{ONE}/bundle", headers=al)
    assert unpacked(answer, tmp_path / "one") == one
    answer = await server.client.get("/api/bundle", headers=al)
    assert unpacked(answer, tmp_path / "all") == one | two


async def test_nobody_gets_the_bundle_of_another(server: RunningServer, al: dict[str, str]) -> None:
    bo = await register(server.client, "bo")
    for address in ("/api/bundle", f"/api/sessions/{ONE}/bundle"):
        assert (await server.client.get(address, headers=bo)).status_code == 404
        assert (await server.client.get(address)).status_code == 401


async def test_a_damaged_block_ends_the_bundle_or_refuses_it(
    server: RunningServer, al: dict[str, str]
) -> None:
    for block in (server.settings.data_dir / "blobs").rglob("*"):
        if block.is_file() and block.stat().st_size > 1_000:
            data = bytearray(block.read_bytes())
            data[len(data) // 2] ^= 1
            block.write_bytes(data)
    try:
        answer = await server.client.get("/api/bundle", headers=al)
    except httpx.HTTPError:
        return
    assert answer.status_code >= 500
