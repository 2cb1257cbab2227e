"""What the disk does to a conversation is never hidden and never spreads."""

from __future__ import annotations

import errno
import os

import httpx
import pytest

from db import block_folder
from settings import Settings
from tests.support.places import Place
from tests.support.registry import conversation, register, state
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

S = session_id(1)
DATA = transcript(1, 700_000)
SIZE = len(DATA)
EDGE = 128 * 1024


@pytest.fixture
def settings(settings: Settings, blocks: Place) -> Settings:
    return blocks.used_by(settings)


@pytest.fixture
async def al(server: RunningServer) -> dict[str, str]:
    return await register(server.client)


@pytest.fixture
async def kept(server: RunningServer, al: dict[str, str]) -> dict[str, str]:
    """The header of an account that has DATA as its session S."""
    answer = await server.client.put(conversation(S), headers=al, content=DATA)
    assert answer.status_code == 201
    return al


def damage(blocks: Place, number: int) -> None:
    """Flip a bit in the largest blocks, all or just one."""
    for name in blocks.names()[-number:]:
        blocks.flip(name, len(blocks.read(name)) * 4)


async def test_a_damaged_first_block_is_an_error(
    server: RunningServer, kept: dict[str, str], blocks: Place
) -> None:
    damage(blocks, -(-SIZE // EDGE))
    answer = await server.client.get(conversation(S), headers=kept)
    assert answer.status_code == 500
    assert set(answer.json()) == {"error"}


@pytest.mark.on_s3
async def test_a_download_never_gives_wrong_bytes(
    server: RunningServer, al: dict[str, str], blocks: Place
) -> None:
    """The damage lies in the second block; the first has gone out by then."""
    noise = bytes(i * i % 251 for i in range(EDGE)) + transcript(3, EDGE)[:EDGE] + b"end"
    await server.client.put(conversation(S), headers=al, content=noise)
    damage(blocks, 1)
    received = bytearray()

    async def download() -> None:
        async with server.client.stream("GET", conversation(S), headers=al) as answer:
            assert answer.status_code == 200
            async for chunk in answer.aiter_raw():
                received.extend(chunk)

    with pytest.raises(httpx.RemoteProtocolError):
        await download()
    assert noise.startswith(received)
    assert len(received) < len(noise)
    exported = await server.client.get("/api/sessions/export/obsidian", headers=al)
    assert "cannot be read" in exported.json()[0]["content"]


async def test_a_full_disk_is_a_507_and_changes_nothing(
    server: RunningServer, kept: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = await state(server.settings)
    with monkeypatch.context() as patch:
        patch.setattr(block_folder, "_write_all", full)
        answer = await server.client.put(conversation(S), headers=kept, content=DATA * 2)
        assert (answer.status_code, set(answer.json())) == (507, {"error"})
        assert (await server.client.get(conversation(S), headers=kept)).content == DATA
        unchanged = await server.client.put(conversation(S), headers=kept, content=DATA)
        assert unchanged.status_code == 200
    assert await state(server.settings) == before
    answer = await server.client.put(conversation(S), headers=kept, content=DATA * 2)
    assert answer.json()["conversation_size"] == SIZE * 2
