"""A disk that is really full: the blocks' and the database's, each on a small file system."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from db.embedded import EmbeddedPostgres
from db.migrate import upgrade
from settings import Settings
from tests.conftest import Serve
from tests.support.mcp_client import McpClient, entry
from tests.support.registry import conversation, register
from tests.support.tails import Growth, body, statuses
from tests.support.transcripts import session_id, transcript

S = session_id(1)
DATA = transcript(1, 300_000)


def mounted(folder: Path, size: str) -> None:
    """Put a small file system at `folder`."""
    folder.mkdir(parents=True, mode=0o755)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"a file system can be mounted by root only: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    folder = tmp_path / "disk"
    mounted(folder, "4m")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Take all the room there is, but for `leave` bytes."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
        except OSError:
            pass
    os.truncate(filler, max(0, filler.stat().st_size - leave))
    return filler


async def test_a_full_disk_of_blocks_refuses_uploads_and_keeps_the_rest(
    serve: Serve, settings: Settings, small_disk: Path
) -> None:
    server = await serve(settings.model_copy(update={"blob_url": str(small_disk / "blobs")}))
    al = await register(server.client)
    assert (await server.client.put(conversation(S), headers=al, content=DATA)).status_code == 201
    filler = fill(small_disk)
    more = DATA + os.urandom(500_000)
    for _ in range(2):
        refused = await server.client.put(conversation(S), headers=al, content=more)
        assert (refused.status_code, "full" in refused.json()["error"]) == (507, True)
        new = await server.client.put(conversation("new"), headers=al, content=more)
        assert new.status_code == 507
        files = (Growth(S, more, len(DATA)), Growth("small", b"x" * 100), Growth("new", more))
        tails = await server.client.post("/api/tails", headers=al, content=body(*files))
        assert tails.status_code == 507
        unchanged = await server.client.put(conversation(S), headers=al, content=DATA)
        assert unchanged.status_code == 200
        assert (await server.client.get(conversation(S), headers=al)).content == DATA
        assert (await server.client.get(conversation("new"), headers=al)).status_code == 404
    filler.unlink()
    assert await statuses(server.client, al, *files) == [200, 201, 201]
    kept = await server.client.put(conversation(S), headers=al, content=more)
    assert kept.status_code == 200
    assert (await server.client.get(conversation(S), headers=al)).content == more


@pytest.fixture
def small_database(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A PostgreSQL whose tables are on a small file system of their own."""
    folder = tmp_path / "database"
    mounted(folder, "120m")
    server = EmbeddedPostgres(
        folder,
        settings={"fsync": "off", "max_wal_size": "32MB", "min_wal_size": "32MB"},
    )
    try:
        yield server.start(), folder
    finally:
        (folder / "filler").unlink(missing_ok=True)
        server.stop()
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
async def test_a_full_disk_of_the_database_refuses_writes_and_goes_on_reading(
    serve: Serve, settings: Settings, small_database: tuple[str, Path]
) -> None:
    dsn, disk = small_database
    await upgrade(dsn)
    server = await serve(settings.model_copy(update={"database_url": dsn}))
    al = await register(server.client)
    ada = await McpClient.register(server.client)
    await server.client.put(conversation(S), headers=al, content=DATA)
    filler = fill(disk, leave=100_000)

    refused: httpx.Response | None = None
    pushed = 0
    for number in range(400):
        body = {
            "entries": [entry(f"{number} {i}", details=os.urandom(4_000).hex()) for i in range(5)]
        }
        answer = await server.client.post(
            "/api/sync/push/knowledge", headers=ada.headers, json=body
        )
        if answer.status_code != 200:
            refused = answer
            break
        pushed += 5
    assert refused is not None
    assert (refused.status_code, refused.json()["error"]) == (
        507,
        "The server's disk is full: nothing was stored",
    )
    upload = await server.client.put(conversation("new"), headers=al, content=DATA)
    assert upload.status_code in {201, 507}, upload.text
    assert (await server.client.get(conversation(S), headers=al)).content == DATA
    assert (await ada.call("GET", "/api/knowledge"))["total"] == pushed

    filler.unlink()
    await ada.push([entry("after")])
    assert (await ada.call("GET", "/api/knowledge"))["total"] == pushed + 1
    upload = await server.client.put(conversation("new"), headers=al, content=DATA)
    assert upload.status_code in {200, 201}
