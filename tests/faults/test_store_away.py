"""The object store refuses, answers nothing, fails or is slow under a running server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Literal
from urllib.parse import urlsplit

import pytest

from settings import Settings
from tests.conftest import Serve
from tests.support.dial import dial
from tests.support.places import bucket_place
from tests.support.registry import conversation, register
from tests.support.s3 import S3
from tests.support.server import RunningServer
from tests.support.transcripts import transcript

Mood = Literal["well", "refuses", "silent", "fails", "slow"]
DATA = transcript(1, 300_000)
ANSWER_SECONDS = 30.0
FAILURE = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Door:
    """A door to the S3 server, which behaves as the `mood` says."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), int(parts.port or 0)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.mood: Mood = "well"
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def turn(self, mood: Mood) -> None:
        """Change the mood; connections that are open break."""
        self.mood = mood
        for writer in list(self._writers):
            writer.close()
        if mood == "refuses":
            await self.close()
        elif self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            if self.mood == "fails":
                await reader.readuntil(b"\r\n\r\n")
                writer.write(FAILURE)
                await writer.drain()
            elif self.mood == "silent":
                await reader.read()
            else:
                await self._pass_on(reader, writer)
        self._writers.discard(writer)
        writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_connection(self._host, self._port)
        self._writers.add(to_them)
        await asyncio.gather(self._copy(reader, to_them), self._copy(theirs, writer))
        self._writers.discard(to_them)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if self.mood == "slow":
                    await asyncio.sleep(0.05)
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
async def door(s3: S3) -> AsyncIterator[Door]:
    door = Door(s3.url)
    await door.turn("well")
    yield door
    await door.turn("refuses")


@pytest.fixture
async def server(
    serve: Serve, settings: Settings, s3: S3, door: Door, monkeypatch: pytest.MonkeyPatch
) -> RunningServer:
    """A server that reaches its bucket through the door, and waits little for it."""
    place = bucket_place(s3)
    for name, value in {**place.environ, "AWS_ENDPOINT": door.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_TIMEOUT", "2s")
    return await serve(place.used_by(settings))


def moods() -> list[Mood]:
    return dial(["refuses", "fails"], ["refuses", "silent", "fails"] * 5)


async def test_nothing_acknowledged_is_lost_while_the_store_is_away(
    server: RunningServer, door: Door
) -> None:
    al = {**await register(server.client), "Accept-Encoding": "identity"}
    kept = DATA
    assert (await server.client.put(conversation("s"), headers=al, content=kept)).is_success
    for mood in moods():
        await door.turn(mood)
        began = time.monotonic()
        answers = await asyncio.gather(
            server.client.put(conversation("s"), headers=al, content=kept + DATA),
            server.client.put(conversation("new"), headers=al, content=DATA),
            server.client.get(conversation("s"), headers=al),
        )
        assert [answer.status_code for answer in answers] == [503] * 3, mood
        assert all("try again" in answer.json()["error"] for answer in answers)
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
        assert time.monotonic() - began < ANSWER_SECONDS
        listed = await server.client.get("/api/sessions", headers=al)
        assert [item["conversation_size"] for item in listed.json()] == [len(kept)]
        await door.turn("well")
        assert (await server.client.get(conversation("s"), headers=al)).content == kept
        kept += DATA
        assert (await server.client.put(conversation("s"), headers=al, content=kept)).is_success
    assert (await server.client.get(conversation("s"), headers=al)).content == kept


async def test_a_slow_store_delays_and_loses_nothing(server: RunningServer, door: Door) -> None:
    al = {**await register(server.client), "Accept-Encoding": "identity"}
    await door.turn("slow")
    names = [f"s{number}" for number in range(dial(2, 20))]
    answers = await asyncio.gather(
        *(server.client.put(conversation(name), headers=al, content=DATA) for name in names)
    )
    assert all(answer.status_code == 201 for answer in answers)
    for name in names:
        assert (await server.client.get(conversation(name), headers=al)).content == DATA
