"""Thousands of sockets in a process of their own, so that their work is not the server's.

`python tests/support/crowd.py` reads one JSON object from standard input (see `Crowd.start`), says
`ready` when all have subscribed, and after each further line on standard input says what they have
got. It speaks just enough WebSocket (RFC 6455) to cost little: no extensions, no fragments.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import resource
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

AT_ONCE = 50
SECONDS = 60
_MARK = re.compile(rb"push (\d+)!")
_CLOSE, _PING, _PONG = 8, 9, 10

Json = dict[str, Any]


class Crowd:
    """The process, as a test drives it."""

    patience: ClassVar[float] = SECONDS
    """How long it may take until all have subscribed."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls, url: str, *, readers: list[Json], silent: list[Json], document: str, **variables: str
    ) -> Crowd:
        """Connect a socket for each `connection_init` payload.

        Everybody subscribes to `document`, whose variables have to bring "push 0!" at once: with it
        a socket is ready, and the silent read nothing from then on. Later events are told apart by
        the "push 7!" that each contains.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, stdin=PIPE, stdout=PIPE, limit=2**26
        )
        crowd = cls(process)
        request = {"query": document, "variables": variables}
        task = {"url": url, "readers": readers, "silent": silent, "request": request}
        assert await crowd._ask(task, cls.patience) == "ready"
        return crowd

    async def report(self) -> Json:
        """`arrivals` (of each push, when each reader got it, by `time.monotonic`), `closed` (how
        many readers were, by code) and `twice` (how many messages came again).
        """
        found: Json = await self._ask("report")
        return found

    async def end_of_silence(self) -> dict[str, int]:
        """Let the silent read what there is: how many found themselves closed, by code."""
        found: dict[str, int] = await self._ask("listen")
        return found

    async def _ask(self, what: object, seconds: float = SECONDS) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        async with asyncio.timeout(seconds):
            return json.loads(await self._process.stdout.readline())

    async def end(self) -> None:
        """Drop all sockets."""
        self._process.kill()
        await self._process.wait()


class LeanSocket(asyncio.Protocol):
    """One subscriber, which reads nothing more after "push 0!" when it is silent."""

    def __init__(
        self, host: str, payload: Json, request: Json, *, silent: bool, pongs: bool = True
    ) -> None:
        self._host, self._payload, self._request = host, payload, request
        self._silent, self._pongs = silent, pongs
        self._buffer = b""
        self._upgraded = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()
        self.code = 1006
        self.seen: dict[int, float] = {}
        self.twice = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /graphql HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._buffer += data
        if not self._upgraded:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head.split(b"\r\n")[0], head
            self._upgraded, self._buffer = True, rest
            self._say({"type": "connection_init", "payload": self._payload})
        while (frame := self._frame()) is not None:
            self._take(*frame, now)

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._buffer) < 2:
            return None
        start, size = 2, self._buffer[1]
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(self._buffer) < start:
                return None
            size = int.from_bytes(self._buffer[2:start], "big")
        if len(self._buffer) < start + size:
            return None
        opcode, payload = self._buffer[0] & 15, self._buffer[start : start + size]
        self._buffer = self._buffer[start + size :]
        return opcode, payload

    def _take(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == _CLOSE:
            self.code = int.from_bytes(payload[:2], "big")
            self._write(_CLOSE, payload[:2])
        elif opcode == _PING:
            if self._pongs:
                self._write(_PONG, payload)
        elif mark := _MARK.search(payload):
            number = int(mark[1])
            self.twice += number in self.seen
            self.seen.setdefault(number, now)
            if number == 0:
                self.ready.set_result(None)
                if self._silent:
                    self.transport.pause_reading()
        elif b"connection_ack" in payload:
            self._say({"id": "1", "type": "subscribe", "payload": self._request})
        elif not self.ready.done() and b'"type":"error"' in payload:
            self.ready.set_exception(ConnectionError(payload.decode()))

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"closed with {self.code}"))

    def _say(self, message: Json) -> None:
        self._write(1, json.dumps(message).encode())

    def _write(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        # A mask of zeros leaves the payload as it is.
        self.transport.write(bytes([0x80 | opcode]) + length + bytes(4) + payload)


async def _main() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    task = await _line()
    address = urlsplit(task["url"])
    gate = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()

    async def connect(payload: Json, *, silent: bool) -> LeanSocket:
        async with gate:
            _transport, socket = await loop.create_connection(
                lambda: LeanSocket(address.netloc, payload, task["request"], silent=silent),
                address.hostname,
                address.port,
            )
            await socket.ready
        return socket

    readers = await asyncio.gather(*(connect(p, silent=False) for p in task["readers"]))
    silent = await asyncio.gather(*(connect(p, silent=True) for p in task["silent"]))
    _answer("ready")
    while (asked := await _line()) is not None:
        _answer(_report(readers) if asked == "report" else await _listen(silent))


def _report(readers: list[LeanSocket]) -> Json:
    arrivals: dict[int, list[float]] = {}
    for socket in readers:
        for number, at in socket.seen.items():
            arrivals.setdefault(number, []).append(at)
    closed = Counter(socket.code for socket in readers if socket.ended.is_set())
    return {
        "arrivals": {number: sorted(times) for number, times in arrivals.items()},
        "closed": closed,
        "twice": sum(socket.twice for socket in readers),
    }


async def _listen(silent: list[LeanSocket]) -> Counter[int]:
    for socket in silent:
        if not socket.ended.is_set():
            socket.transport.resume_reading()
    await asyncio.wait([asyncio.create_task(socket.ended.wait()) for socket in silent], timeout=10)
    return Counter(socket.code if socket.ended.is_set() else 0 for socket in silent)


async def _line() -> Any:
    text = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(text) if text else None


def _answer(content: object) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_main())
