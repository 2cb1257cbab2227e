"""What a read costs the server in bytecode instructions: a figure that no neighbour changes.

    python -m bench.instructions [entry|page20|page100|nested|sessions]

Asks the server of this process, on the benchmark's database, for things that it was asked before,
one after the other, and counts what Python executes for an answer, function by function. What C
code does (parsing, the driver's decoding, JSON) and the system calls are not in it.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from urllib.parse import urlsplit

import click

from bench.load import request_bytes
from bench.place import ROOT, Place
from bench.seeding import seed
from bench.shapes import JWT_SECRET, SHAPES, Shape, token
from bench.world import FULL
from domain import recent
from settings import Settings
from tests.support.server import running_server

QUESTIONS = 8
WARM_UP, TURNS = 30, 20
SHOWN = 40
SITE = "site-packages/"


class Counts:
    """Instructions and calls by function, while it is `on`."""

    def __init__(self) -> None:
        self.on = False
        self.instructions: Counter[CodeType] = Counter()
        self.calls: Counter[CodeType] = Counter()

    def called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """For `sys.settrace`: a function is entered."""
        if not self.on:
            return None
        self.calls[frame.f_code] += 1
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._stepped

    def _stepped(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "opcode":
            self.instructions[frame.f_code] += 1
        return self._stepped


def ask(url: str, requests: Sequence[bytes], turns: int) -> None:
    """Send every request so many times, each when the one before is answered."""
    address = urlsplit(url)
    plug = socket.create_connection((address.hostname or "", address.port or 80))
    with plug, plug.makefile("rb") as answers:
        for request in [*requests] * turns:
            plug.sendall(request)
            if b" 200 " not in answers.readline():
                raise click.ClickException("the server refuses")
            size = 0
            while (line := answers.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            answers.read(size)


async def count(settings: Settings, shape: Shape) -> tuple[Counts, int]:
    """What was counted, and for how many answers."""
    counts = Counts()
    threading.settrace(counts.called)  # of threads to come: the server's
    recent.GOOD_SECONDS = 3600.0
    async with running_server(settings) as server:
        host = urlsplit(server.url).netloc
        requests = [
            request_bytes(host, "/graphql", shape.body(question), token(question.person))
            for question in shape.questions(FULL, QUESTIONS)
        ]
        ask(server.url, requests, WARM_UP)
        counts.on = True
        ask(server.url, requests, TURNS)
        counts.on = False
    return counts, TURNS * QUESTIONS


def report(counts: Counts, answers: int) -> None:
    """Print what an answer costs, and the dearest files and functions."""
    instructions, calls = counts.instructions.total(), counts.calls.total()
    print(f"{instructions / answers:.0f} instructions and {calls / answers:.0f} calls an answer")
    files: Counter[str] = Counter()
    for code, number in counts.instructions.items():
        files[_place(code)] += number
    for place, number in files.most_common(SHOWN):
        print(f"{number / answers:8.1f}  {place}")
    print()
    for code, number in counts.instructions.most_common(SHOWN):
        each = number / answers, counts.calls[code] / answers
        print(f"{each[0]:8.1f} {each[1]:6.2f}  {code.co_name}  {_place(code)}")


def _place(code: CodeType) -> str:
    return code.co_filename.removeprefix(f"{ROOT}/").rpartition(SITE)[2]


async def run(shape: Shape) -> None:
    """Start what is needed, count and report."""
    place = Place()
    try:
        dsn = await place.database(FULL.name, lambda draft: seed(draft, FULL))
        with tempfile.TemporaryDirectory(prefix="teamlore-bench-") as folder:
            settings = Settings(
                data_dir=Path(folder),
                database_url=dsn,
                jwt_secret=JWT_SECRET,
                rate_limit_max=10**9,
            )
            report(*await count(settings, shape))
    finally:
        place.close()


@click.command(help=__doc__)
@click.argument("shape", type=click.Choice([shape.name for shape in SHAPES]), default="entry")
def main(shape: str) -> None:
    """Count for a shape of read."""
    asyncio.run(run(next(one for one in SHAPES if one.name == shape)))


if __name__ == "__main__":
    main()
