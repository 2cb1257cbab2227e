"""The server's memory stays flat, however much is sent to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.conftest import ServeProcess
from tests.support.dial import dial
from tests.support.process import ServerProcess
from tests.support.registry import conversation, register
from tests.support.transcripts import session_id, stream, transcript

GROWTH_MAX = 64 * 1024 * 1024
SIZE = dial(256 * 1024**2, 1024**3)
PARTS = dial(500, 2_000)
STEP = dial(640, 97)
"""How many conversations, and by how many bytes each is longer than the one before."""


class Peak:
    """The most memory that a process held while it was watched."""

    def __init__(self, start: int) -> None:
        self.start = self.most = start

    @property
    def growth(self) -> int:
        return self.most - self.start


@asynccontextmanager
async def watched(server: ServerProcess) -> AsyncIterator[Peak]:
    """Sample the server's memory every few milliseconds."""
    peak = Peak(server.resident_bytes())

    async def sample() -> None:
        while True:
            peak.most = max(peak.most, server.resident_bytes())
            await asyncio.sleep(0.02)

    task = asyncio.create_task(sample())
    try:
        yield peak
    finally:
        task.cancel()


async def pieces(whole: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in whole:
        yield piece
        await asyncio.sleep(0)


@pytest.mark.slow
async def test_a_large_transcript_stays_flat(serve_process: ServeProcess) -> None:
    server = serve_process()
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:
        al = await register(client)
        await client.put(conversation("warm-up"), headers=al, content=transcript(9, 1_000_000))
        async with watched(server) as peak:
            headers = {**al, "Content-Length": str(SIZE)}
            body = pieces(stream(1, SIZE))
            answer = await client.put(conversation(session_id(1)), headers=headers, content=body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["conversation_size"] == SIZE
        assert peak.growth < GROWTH_MAX, f"{peak.growth / 1e6:.0f} MB"

        async with watched(server) as peak:
            received = 0
            path = conversation(session_id(1))
            async with client.stream("GET", path, headers=al) as download:
                async for chunk in download.aiter_raw():
                    received += len(chunk)
        assert received == SIZE
        assert peak.growth < GROWTH_MAX, f"{peak.growth / 1e6:.0f} MB"


def multipart() -> Iterator[bytes]:
    """A body with PARTS conversations that become longer, and their manifest."""
    sessions = [{"session_id": session_id(n), "project_name": "p"} for n in range(PARTS)]
    yield part("manifest", json.dumps({"sessions": sessions}).encode())
    text = transcript(5, 1_000 + PARTS * STEP)
    for number in range(PARTS):
        own = f'{{"number":{number}}}\n'.encode()
        yield part(f"conversation_{session_id(number)}", own + text[: 1_000 + number * STEP])
    yield b"--frontier--\r\n"


def part(name: str, content: bytes) -> bytes:
    head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
    return head.encode() + content + b"\r\n"


@pytest.mark.slow
async def test_very_many_parts_stay_flat(serve_process: ServeProcess) -> None:
    server = serve_process()
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:
        al = await register(client)
        await client.put(conversation("warm-up"), headers=al, content=transcript(9, 1_000_000))
        kind = {"Content-Type": "multipart/form-data; boundary=frontier"}
        async with watched(server) as peak:
            answer = await client.post(
                "/api/sessions/sync", headers={**al, **kind}, content=pieces(multipart())
            )
        assert answer.status_code == 200, answer.text
        counts = {"synced": PARTS, "created": PARTS, "updated": 0, "conversations": PARTS}
        assert answer.json() == {**counts, "failed": []}
        assert peak.growth < GROWTH_MAX, f"{peak.growth / 1e6:.0f} MB"

        async with watched(server) as peak:
            size = 0
            async with client.stream("GET", "/api/sessions/export/obsidian", headers=al) as notes:
                async for chunk in notes.aiter_raw():
                    size += len(chunk)
        assert size > PARTS * 500
        assert peak.growth < GROWTH_MAX, f"{peak.growth / 1e6:.0f} MB"
