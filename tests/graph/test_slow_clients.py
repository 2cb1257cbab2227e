"""Clients that read slowly, or never: told to resume, and nothing is kept for them."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
import threading
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

import serving
from domain.feed import Follower, Hub
from graph import sse, websocket
from settings import Settings
from tests.conftest import Serve
from tests.faults.test_many_sockets import DEAF, beginning
from tests.graph.client import Caller, raw_socket, socket_of, team_of_two
from tests.support.crowd import LeanSocket
from tests.support.dial import dial
from tests.support.server import RunningServer

ENOUGH = "x" * 30_000


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the server follows nothing any more for somebody."""
    event = threading.Event()
    forget = Hub.forget

    def record(hub: Hub, follower: Follower) -> None:
        forget(hub, follower)
        event.set()

    monkeypatch.setattr(Hub, "forget", record)
    return event


@asynccontextmanager
async def deaf_socket(
    caller: Caller, team_id: str, *, pongs: bool = True
) -> AsyncIterator[LeanSocket]:
    """A socket that reads nothing after the event "push 0!"."""
    address = urlsplit(caller.server.url)
    request = {"query": DEAF, "variables": {"team": team_id, "after": beginning(team_id)}}
    payload = {"authorization": f"Bearer {caller.token}"}
    plug = socket.create_connection((address.hostname, address.port))
    transport, lean = await asyncio.get_running_loop().create_connection(
        lambda: LeanSocket(address.netloc, payload, request, silent=True, pongs=pongs), sock=plug
    )
    async with asyncio.timeout(5):
        await lean.ready
    yield lean
    transport.abort()


async def fill(writer: Caller, team_id: str) -> None:
    """Write more than the system takes for somebody who reads nothing."""
    for number in range(1, 6):
        await writer.write(f"push {number}!", team_id, details=ENOUGH)
    await asyncio.sleep(0.3)


async def code_of(lean: LeanSocket) -> int:
    """What a socket that reads again finds itself closed with."""
    lean.transport.resume_reading()
    async with asyncio.timeout(5):
        await lean.ended.wait()
    return lean.code


async def test_who_reads_nothing_is_told_to_resume(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, forgotten: threading.Event
) -> None:
    monkeypatch.setattr(serving.BoundedSocketProtocol, "stall_seconds", 0.5)
    monkeypatch.setattr(serving, "WS_LINGER_SECONDS", 0.2)
    owner, member, team_id = await team_of_two(server)
    await owner.write("push 0!", team_id)
    async with deaf_socket(member, team_id) as lean:
        await fill(owner, team_id)
        assert await asyncio.to_thread(forgotten.wait, 2)
        await asyncio.sleep(0.5)  # until the server has nothing more to do with it
        assert await code_of(lean) == serving.WS_TOO_SLOW
        assert sorted(lean.seen) == list(range(len(lean.seen))), "what came has no gap"
        assert len(lean.seen) < 6


async def test_who_reads_slowly_is_not_sent_away(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving.BoundedSocketProtocol, "stall_seconds", 0.5)
    owner, member, team_id = await team_of_two(server)
    await owner.write("push 0!", team_id)
    async with deaf_socket(member, team_id) as lean:
        await fill(owner, team_id)
        for _ in range(20):
            lean.transport.resume_reading()
            await asyncio.sleep(0.01)
            lean.transport.pause_reading()
            await asyncio.sleep(0.1)
        lean.transport.resume_reading()
        await asyncio.sleep(0.5)
        assert not lean.ended.is_set()
        assert sorted(lean.seen) == list(range(6))


async def test_revocation_ends_a_socket_that_is_stuck_within_a_second(
    server: RunningServer, forgotten: threading.Event
) -> None:
    owner, member, team_id = await team_of_two(server)
    await owner.write("push 0!", team_id)
    async with deaf_socket(member, team_id) as lean:
        await fill(owner, team_id)
        assert not forgotten.is_set()
        began = time.monotonic()
        await owner.do("removeMember", {"teamId": team_id, "userId": member.id}, "removedId")
        assert await asyncio.to_thread(forgotten.wait, 2)
        assert time.monotonic() - began < dial(8, 1)
        assert await code_of(lean) == websocket.FORBIDDEN


async def test_who_never_answers_a_ping_is_told_to_resume(
    serve: Serve, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "WS_PING_SECONDS", 0.3)
    server = await serve(settings)
    owner, member, team_id = await team_of_two(server)
    await owner.write("push 0!", team_id)
    async with deaf_socket(member, team_id, pongs=False) as lean:
        assert await code_of(lean) == serving.WS_TOO_SLOW


async def test_who_only_pings_and_never_reads_is_hung_up_on(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, forgotten: threading.Event
) -> None:
    monkeypatch.setattr(serving, "WS_MESSAGE_BYTES", 64 * 1024)
    monkeypatch.setattr(serving.BoundedSocketProtocol, "stall_seconds", 60)
    owner, member, team_id = await team_of_two(server)
    await owner.write("push 0!", team_id)
    async with deaf_socket(member, team_id) as lean:
        for _ in range(400):
            if lean.ended.is_set() or forgotten.is_set():
                break
            for _ in range(100):
                lean._write(9, b"x" * 120)
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(forgotten.wait, 2)


async def test_who_never_says_who_it_is_is_closed(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.2)
    async with raw_socket(server) as lean:
        async with asyncio.timeout(2):
            await lean.raw.wait_closed()
        assert lean.raw.close_code == websocket.INIT_TIMEOUT


async def test_sockets_that_break_off_leave_no_coroutine_behind(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for i in range(30):
            async with socket_of(member) as socket:
                await socket.subscribe("{ teams { members(first: 5) { nodes { role } } } }", id="q")
                await socket.subscribe(DEAF, team=team_id, after=beginning(team_id))
                writing = asyncio.create_task(owner.write(f"Entry {i}", team_id))
                await asyncio.sleep(i / 1000)
                socket.raw.transport.abort()
                await writing
        await asyncio.sleep(0.3)
        gc.collect()
    assert [str(w.message) for w in warned if "never awaited" in str(w.message)] == []


@asynccontextmanager
async def deaf_stream(caller: Caller, team_id: str) -> AsyncIterator[asyncio.StreamReader]:
    """A response of events of which only the head is read."""
    address = urlsplit(caller.server.url)
    body = {"query": DEAF, "variables": {"team": team_id, "after": beginning(team_id)}}
    content = json.dumps(body)
    plug = socket.create_connection((address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=plug, limit=1024)
    writer.write(
        f"POST /graphql HTTP/1.1\r\nhost: {address.netloc}\r\naccept: text/event-stream\r\n"
        f"content-type: application/json\r\nauthorization: Bearer {caller.token}\r\n"
        f"content-length: {len(content)}\r\n\r\n{content}".encode()
    )
    assert b" 200 " in await reader.readline()
    yield reader
    writer.transport.abort()


async def fill_stream(writer: Caller, team_id: str) -> None:
    """The same for a response, for which the system takes some megabytes."""
    for number in range(1, 45):
        await writer.write(f"push {number}!", team_id, details=ENOUGH)
    await asyncio.sleep(0.3)


async def read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    """What a stream still holds, however it ends."""
    data = b""
    try:
        async with asyncio.timeout(5):
            while part := await reader.read(100_000):
                data += part
    except ConnectionError:
        pass
    return data


async def test_a_stream_that_is_stuck_is_broken_off(
    server: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
    forgotten: threading.Event,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sse, "STUCK_SECONDS", 0.5)
    owner, member, team_id = await team_of_two(server)
    async with deaf_stream(member, team_id) as reader:
        await fill_stream(owner, team_id)
        assert await asyncio.to_thread(forgotten.wait, 3)
        assert b"event: complete" not in await read_to_the_end(reader)
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_revocation_ends_a_stream_that_is_stuck_within_a_second(
    server: RunningServer, forgotten: threading.Event
) -> None:
    owner, member, team_id = await team_of_two(server)
    async with deaf_stream(member, team_id) as reader:
        await fill_stream(owner, team_id)
        assert not forgotten.is_set()
        began = time.monotonic()
        await owner.do("removeMember", {"teamId": team_id, "userId": member.id}, "removedId")
        assert await asyncio.to_thread(forgotten.wait, 2)
        assert time.monotonic() - began < dial(8, 1)
        await read_to_the_end(reader)
