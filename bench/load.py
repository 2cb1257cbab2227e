"""A load generator: so many connections, each of which asks again as soon as it was answered.

Its own because it has to send a thousand different bodies and cost next to nothing: requests are
bytes made beforehand, answers are parsed by httptools (in C) and not looked at. Against the bare
route it shows how much it can drive.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import cast
from urllib.parse import urlsplit

import httptools


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: answers a second, and how long they took in milliseconds."""

    seconds: float
    latencies: Sequence[float]
    """Of every answer that came within the time, in order of size."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, part: float) -> float:
        """How long that part of the answers took at most."""
        if not self.latencies:
            return float("nan")
        return self.latencies[min(int(part * len(self.latencies)), len(self.latencies) - 1)]


class Failed(Exception):  # noqa: N818 - what happened, to the reader of a benchmark
    """The server did not answer as it should."""


class _Run:
    """What the connections of one run share."""

    def __init__(self, requests: Iterator[bytes], begin: float, end: float) -> None:
        self.requests = requests
        self.begin, self.end = begin, end
        self.latencies: list[float] = []
        self.failure: str | None = None
        self.over = False


class _Asker(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._asked = 0.0
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(next(self._run.requests))

    def data_received(self, data: bytes) -> None:
        """Some of an answer."""
        if b'"errors"' in data:
            self._run.failure = data[-2000:].decode(errors="replace")
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """A whole answer: note how long it took, and ask again."""
        now, run = time.perf_counter(), self._run
        if self._parser.get_status_code() != 200:
            run.failure = f"status {self._parser.get_status_code()}"
        if run.begin <= now < run.end:
            run.latencies.append((now - self._asked) * 1000)
        if now < run.end:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed by the server while it was wanted."""
        if not self._run.over:
            self._run.failure = f"the server hung up: {exc}"


async def drive(
    url: str, requests: Sequence[bytes], *, connections: int, warm: float, seconds: float
) -> Load:
    """Load the server at `url`; what happens in the first `warm` seconds does not count.

    Raises Failed when an answer was no success.
    """
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    host, port = address.hostname or "", address.port or 80
    begin = time.perf_counter() + warm
    run = _Run(cycle(requests), begin, begin + seconds)
    transports = [
        (await loop.create_connection(lambda: _Asker(run), host, port))[0]
        for _ in range(connections)
    ]
    await asyncio.sleep(max(0.0, run.end - time.perf_counter()))
    run.over = True
    for transport in transports:
        transport.abort()
    await asyncio.sleep(0)
    if run.failure:
        raise Failed(run.failure)
    return Load(seconds, sorted(run.latencies))


def request_bytes(host: str, path: str, body: bytes, token: str) -> bytes:
    """A POST as a client library would send it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
