"""Requests that are answered from the protocol's callbacks: as all others, whatever clients do."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from db.dsn import to_libpq_dsn
from db.engine import Database
from db.reads import Question
from direct import BODY_BYTES, Again, Answered, DirectProtocol
from domain import recent
from graph.plan import planner
from tests.conftest import ServeProcess
from tests.graph.client import Caller, Json, newcomer
from tests.support.dial import dial
from tests.support.server import RunningServer

MINE = "query Mine($first: Int) { knowledge(first: $first) { nodes { summary } } }"


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> list[Answered | Again]:
    """What was answered directly, and what had to go the ordinary way after all."""
    told: list[Answered | Again] = []
    whole = DirectProtocol._answered

    def note(
        protocol: DirectProtocol, at_once: Any, request: bytes, answered: Answered | Again
    ) -> None:
        told.append(answered)
        whole(protocol, at_once, request, answered)

    monkeypatch.setattr(DirectProtocol, "_answered", note)
    monkeypatch.setattr(recent, "GOOD_SECONDS", 60.0)
    unchanging = property(lambda _db: 0, lambda _db, _commits: None)
    monkeypatch.setattr(Database, "commits", unchanging, raising=False)
    return told


@pytest.fixture
async def reader(server: RunningServer, direct: list[Answered | Again]) -> Caller:
    """Somebody with three entries, whose requests for them are known."""
    caller = await newcomer(server)
    for number in range(3):
        await caller.write(f"entry {number}")
    for first in (1, 2, 3):
        await caller.ask(MINE, first=first)
    await learned(caller)
    direct.clear()
    return caller


async def learned(caller: Caller) -> None:
    """Let the server see what the heads of `request` are like."""
    async with plug(caller.server.url) as (incoming, outgoing):
        outgoing.write(request(caller, 1))
        await answer(incoming)


def request(caller: Caller, first: int, *more: str, ending: str = "\r\n") -> bytes:
    """The bytes of a request for so many entries."""
    body = json.dumps({"query": MINE, "variables": {"first": first}}, separators=(",", ":"))
    head = [
        "POST /graphql HTTP/1.1",
        "host: here",
        "content-type: application/json",
        f"authorization: Bearer {caller.token}",
        f"user-agent: {caller.server.client.headers['user-agent']}",
        f"content-length: {len(body)}",
        *more,
    ]
    return ("\r\n".join(head) + "\r\n" + ending + body).encode()


@asynccontextmanager
async def plug(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    async with asyncio.timeout(20):
        yield reader, writer
    writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[dict[str, str], Json]:
    """The head and the body of the next answer."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    head = dict(line.split(": ", 1) for line in lines[1:] if line)
    body: Json = json.loads(await reader.readexactly(int(head["content-length"])))
    return head, body


def entries(content: Json) -> int:
    """How many entries an answer has."""
    return len(content["data"]["knowledge"]["nodes"])


async def test_the_answer_is_that_of_the_ordinary_way(
    reader: Caller, direct: list[Answered | Again]
) -> None:
    at_once = await reader.post(MINE, {"first": 2})
    assert len(direct) == 1
    forwarded = {**reader.headers, "x-forwarded-for": "127.0.0.1"}
    body = {"query": MINE, "variables": {"first": 2}}
    ordinary = await reader.server.client.post("/graphql", json=body, headers=forwarded)
    assert len(direct) == 1
    changing = ("date", "ratelimit-remaining", "ratelimit-reset")
    heads = [
        {name: value for name, value in response.headers.items() if name not in changing}
        for response in (at_once, ordinary)
    ]
    assert heads[0] == heads[1]
    assert at_once.content == ordinary.content


async def test_requests_that_are_sent_together_are_answered_in_order(
    reader: Caller, direct: list[Answered | Again]
) -> None:
    async with plug(reader.server.url) as (incoming, outgoing):
        for _ in range(5):
            outgoing.write(b"".join(request(reader, first) for first in (3, 1, 2)))
            assert [entries((await answer(incoming))[1]) for _ in range(3)] == [3, 1, 2]
    assert len(direct) == 15
    assert not any(isinstance(told, Again) for told in direct)


async def test_a_request_in_pieces_is_answered(
    reader: Caller, direct: list[Answered | Again]
) -> None:
    whole = request(reader, 2)
    async with plug(reader.server.url) as (incoming, outgoing):
        for cut in (5, whole.index(b"\r\n\r\n") + 4, len(whole) - 3):
            outgoing.write(whole[:cut])
            await asyncio.sleep(0.05)
            outgoing.write(whole[cut:])
            assert entries((await answer(incoming))[1]) == 2
        outgoing.write(request(reader, 3))
        assert entries((await answer(incoming))[1]) == 3
    assert len(direct) == 3  # but for the one whose head came in pieces


@pytest.mark.parametrize("seed", range(dial(5, 100)))
async def test_whatever_is_sent_in_whatever_pieces_is_answered_in_order(
    reader: Caller, direct: list[Answered | Again], seed: int
) -> None:
    chance = random.Random(seed)

    def some(first: int) -> bytes:
        if first == 0:
            return b"GET /health HTTP/1.1\r\nhost: here\r\n\r\n"
        if chance.random() < 0.2:
            return request(reader, first, f"x-number: {chance.random()}")
        return request(reader, first)

    async def send(outgoing: asyncio.StreamWriter, left: bytes) -> None:
        while left:
            size = chance.choice((1, 30, 400, 700, 2_000, 6_000))
            outgoing.write(left[:size])
            left = left[size:]
            await asyncio.sleep(chance.choice((0, 0, 0.001, 0.01)))

    async with plug(reader.server.url) as (incoming, outgoing):
        for _ in range(40):
            wanted = [chance.randrange(4) for _ in range(chance.choice((1, 1, 2, 5)))]
            sending = asyncio.create_task(send(outgoing, b"".join(map(some, wanted))))
            for first in wanted:
                _head, content = await answer(incoming)
                assert "status" in content if first == 0 else entries(content) == first
            await sending
    assert direct
    assert not any(isinstance(told, Again) for told in direct)


@pytest.mark.parametrize(
    "odd",
    [
        b"POST /graphql HTTP/1.1\n",
        b"\r\nPOST /graphql HTTP/1.1\r\n",
        b"POST /graphql HTTP/1.1\r\nx-folded: one\r\n two\r\n",
        b"POST /graphql HTTP/1.1\r\nuser-agent: other\r\n",
        b"POST /graphql HTTP/1.0\r\nconnection: keep-alive\r\n",
        b"POST /graphql?x=y HTTP/1.1\r\nx-forwarded-for: 10.0.0.1\r\n",
    ],
)
async def test_heads_that_can_be_read_in_two_ways_are_read_each_time(
    reader: Caller, direct: list[Answered | Again], odd: bytes
) -> None:
    whole = odd + request(reader, 2).split(b"\r\n", 1)[1]
    for _ in range(2):
        async with plug(reader.server.url) as (incoming, outgoing):
            outgoing.write(whole)
            line = await incoming.readline()
            assert line.split()[1] in (b"200", b"400")
    assert direct == []


@pytest.mark.parametrize("more", ["connection: close", "expect: 100-continue"])
async def test_what_the_protocol_has_to_say_is_said(
    reader: Caller, direct: list[Answered | Again], more: str
) -> None:
    for _ in range(2):  # the head has been seen by then
        async with plug(reader.server.url) as (incoming, outgoing):
            outgoing.write(request(reader, 1, more))
            if "100" in more:
                assert await incoming.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            head, content = await answer(incoming)
            assert entries(content) == 1
            if "close" in more:
                assert head["connection"] == "close"
                assert await incoming.read() == b""
    assert direct == []


async def test_what_rows_do_not_answer_is_answered_after_all_and_charged_once(
    reader: Caller, direct: list[Answered | Again], monkeypatch: pytest.MonkeyPatch
) -> None:
    def left(response: httpx.Response) -> int:
        return int(response.headers["ratelimit-remaining"])

    usual = [left(await reader.post(MINE, {"first": 2})) for _ in range(2)]
    monkeypatch.setattr(planner, "_built", lambda plan, rows: None)
    again = await reader.post(MINE, {"first": 2})
    assert isinstance(direct[-1], Again)
    assert entries(again.json()) == 2
    assert left(again) - usual[1] == usual[1] - usual[0]


async def test_what_the_resolvers_refuse_is_charged_once(
    reader: Caller, direct: list[Answered | Again], monkeypatch: pytest.MonkeyPatch
) -> None:
    lefts = []
    for _ in range(3):
        response = await reader.post(MINE, {"first": 2})
        lefts.append(int(response.headers["ratelimit-remaining"]))
        if len(lefts) == 2:
            monkeypatch.setattr(planner.Bound, "arguments", lambda bound, actor: None)
            direct.clear()
    assert direct == []
    assert lefts[0] - lefts[1] == lefts[1] - lefts[2]


async def test_whoever_hangs_up_is_not_waited_for(
    reader: Caller,
    direct: list[Answered | Again],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = asyncio.Event()
    whole, loop = Question.leave, asyncio.get_running_loop()

    def leave(question: Question) -> None:
        whole(question)
        loop.call_soon_threadsafe(left.set)

    monkeypatch.setattr(Question, "leave", leave)
    async with _locked(database_url), plug(reader.server.url) as (_incoming, outgoing):
        outgoing.write(request(reader, 1))
        await _until_asked(database_url)
        outgoing.close()
        await left.wait()
    assert entries((await reader.post(MINE, {"first": 1})).json()) == 1
    assert len(direct) == 1


async def test_who_is_being_answered_when_the_server_ends_gets_the_answer(
    serve_process: ServeProcess, database_url: str
) -> None:
    process = serve_process()
    async with httpx.AsyncClient(base_url=process.url) as client:
        made = await client.post(
            "/api/auth/register", json={"email": "one@example.org", "password": "long enough"}
        )
        caller = Caller(RunningServer(process.url, None, client), token=made.json()["token"])  # type: ignore[arg-type]
        for _ in range(2):
            await caller.ask(MINE, first=1)
        await learned(caller)
        async with plug(process.url) as (incoming, outgoing):
            async with _locked(database_url):
                outgoing.write(request(caller, 1))
                await _until_asked(database_url)
                process.process.send_signal(signal.SIGTERM)
                await asyncio.sleep(0.5)
            head, content = await answer(incoming)
            assert entries(content) == 0
            assert head["connection"] == "close"
            async with asyncio.timeout(5):  # long before the server gives it up
                assert await incoming.read() == b""
        assert await asyncio.to_thread(process.terminate) == 0
    assert "Traceback" not in process.output()


async def test_a_connection_is_kept_for_as_long_as_it_is_used(
    reader: Caller, direct: list[Answered | Again], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = DirectProtocol.__init__

    def impatient(protocol: DirectProtocol, *arguments: Any, **named: Any) -> None:
        begin(protocol, *arguments, **named)
        protocol.timeout_keep_alive = 0.5  # type: ignore[assignment]

    monkeypatch.setattr(DirectProtocol, "__init__", impatient)
    async with plug(reader.server.url) as (incoming, outgoing):
        for _ in range(12):
            outgoing.write(request(reader, 1))
            await answer(incoming)
            await asyncio.sleep(0.15)
        assert len(direct) == 12
        async with asyncio.timeout(10):
            assert await incoming.read() == b""


async def test_a_large_request_goes_the_ordinary_way(
    reader: Caller, direct: list[Answered | Again]
) -> None:
    body = {"query": MINE, "variables": {"first": 1}, "extensions": {"x": "y" * BODY_BYTES}}
    for _ in range(2):
        response = await reader.server.client.post("/graphql", json=body, headers=reader.headers)
        assert entries(response.json()) == 1
    assert direct == []


@asynccontextmanager
async def _locked(database_url: str) -> AsyncIterator[None]:
    """Nobody reads an entry meanwhile."""
    connection = await asyncpg.connect(to_libpq_dsn(database_url))
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE knowledge IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def _until_asked(database_url: str) -> None:
    """Wait until a reader waits for the lock."""
    connection = await asyncpg.connect(to_libpq_dsn(database_url))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
    waiting += "application_name = 'teamlore reads' AND wait_event_type = 'Lock'"
    try:
        async with asyncio.timeout(10):
            while not await connection.fetchval(waiting):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
    finally:
        await connection.close()
