"""Custody beside a plain copy with fsync, rsync and restic, on one corpus in one run.

    .venv/bin/python -m bench.custody --megabytes 1000 --sessions 2000 --rounds 20

A first sync of everything, then rounds in which 5% of the files grow by 10 kB. After each round
every tool is given all files again. The server runs as a process of its own with its own
PostgreSQL, both fsync. It is measured twice: with our own sync.sh, which asks what is there and
sends what is new (what rsync and restic do), and with every file sent whole by PUT, which is what
the published scripts cost it and takes so long that only the first rounds and the last have it.
Conversations are read behind their uploads; that is waited for
before others are measured, and is a figure of its own. rsync and restic come from the distribution.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import psutil

from bench import corpus
from tests.support.process import ROOT, ServerProcess
from tests.support.registry import conversation, register

UPLOADS_AT_ONCE: Final = 4
FIRST_ROUNDS: Final = 2
GRACE_SECONDS: Final = 1
QUIET_AFTER_SECONDS: Final = 2.0
QUIET_CPU_SECONDS: Final = 0.1


class Tool(ABC):
    """Something that keeps copies of files."""

    name: str
    every_round = True

    def __init__(self, place: Path) -> None:
        self.place = place

    @abstractmethod
    def sync(self, source: Path) -> None:
        """Bring the copy up to date and onto the disk."""

    def stored(self) -> int:
        """Bytes that the copy takes up."""
        return tree_size(self.place)

    def collect(self) -> None:  # noqa: B027 - a plain copy has nothing to delete
        """Delete what the current state of the files does not need, if anything is kept of it."""


class Copy(Tool):
    """Every file read, written whole and synced."""

    name = "copy + fsync"

    def sync(self, source: Path) -> None:
        for path in files_of(source):
            to = self.place / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as original, to.open("wb") as copy:
                shutil.copyfileobj(original, copy, 1024 * 1024)
                copy.flush()
                os.fsync(copy.fileno())


class Rsync(Tool):
    """rsync by its quick check of size and time, then a sync of the file system."""

    name = "rsync"

    def sync(self, source: Path) -> None:
        run("rsync", "-a", "--fsync", f"{source}/", f"{self.place}/")


class Restic(Tool):
    """restic with its own compression; unchanged files are recognised by size and times."""

    name = "restic"

    def _environ(self) -> dict[str, str]:
        cache = str(self.place.with_name("restic-cache"))
        where = {"RESTIC_REPOSITORY": str(self.place), "RESTIC_CACHE_DIR": cache}
        return {**where, "RESTIC_PASSWORD": "bench"}

    def sync(self, source: Path) -> None:
        environ = self._environ()
        if not self.place.exists():
            run("restic", "init", "--quiet", **environ)
        run("restic", "backup", "--quiet", str(source), **environ)

    def collect(self) -> None:
        environ = self._environ()
        run("restic", "forget", "--quiet", "--keep-last", "1", "--prune", **environ)


class Teamlore(Tool):
    """This server over HTTP, every file sent whole each time."""

    name = "teamlore, every file by PUT"
    every_round = False

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        place.mkdir()
        self.environ = {"TEAMLORE_DATA": str(place / "data"), "RATE_LIMIT_MAX": "10000000"}
        self.server = ServerProcess({**self.environ, "PORT": "0"}, place)
        self.server.wait_ready()
        self.headers = asyncio.run(self._register())

    async def _register(self) -> dict[str, str]:
        async with httpx.AsyncClient(base_url=self.server.url) as client:
            return await register(client)

    def sync(self, source: Path) -> None:
        asyncio.run(self._sync(files_of(source)))

    async def _sync(self, files: list[Path]) -> None:
        async with httpx.AsyncClient(
            base_url=self.server.url, headers=self.headers, timeout=600
        ) as client:
            slots = asyncio.Semaphore(UPLOADS_AT_ONCE)
            await asyncio.gather(*(self._send(client, slots, path) for path in files))

    async def _send(self, client: httpx.AsyncClient, slots: asyncio.Semaphore, path: Path) -> None:
        async with slots:
            data = await asyncio.to_thread(path.read_bytes)
            (await client.put(conversation(path.stem), content=data)).raise_for_status()

    def stored(self) -> int:
        return tree_size(self.place / "data" / "blobs")

    def collect(self) -> None:
        time.sleep(GRACE_SECONDS + 1)
        run(sys.executable, "-m", "cli", "gc", "--grace", f"{GRACE_SECONDS}s", **self.environ)

    def cpu_seconds(self) -> float:
        """Processor time of the server and its PostgreSQL so far."""
        main = psutil.Process(self.server.pid)
        times = [process.cpu_times() for process in (main, *main.children(recursive=True))]
        return sum(t.user + t.system + t.children_user + t.children_system for t in times)

    def settle(self) -> None:
        """Wait until the conversations are read: the server has nothing more to do."""
        before = -1.0
        while self.cpu_seconds() - before > QUIET_CPU_SECONDS:
            before = self.cpu_seconds()
            time.sleep(QUIET_AFTER_SECONDS)


class Script(Teamlore):
    """This server and our own sync.sh."""

    name = "teamlore, sync.sh"
    every_round = True

    def sync(self, source: Path) -> None:
        home = self.place / "home"
        environ = {
            "TEAMLORE_URL": self.server.url,
            "TEAMLORE_KEY": self.headers["X-API-Key"],
            "TEAMLORE_HOME": str(home),
            "CLAUDE_CONFIG_DIR": str(source.parent),
        }
        run("bash", str(ROOT / "clients" / "scripts" / "sync.sh"), **environ)


def run(*command: str, **environ: str) -> None:
    """Run a program to its end. Raises CalledProcessError."""
    subprocess.run(
        command,
        env={**os.environ, **environ},
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def files_of(folder: Path) -> list[Path]:
    """All files under `folder`."""
    return [path for path in folder.rglob("*") if path.is_file()]


def tree_size(folder: Path) -> int:
    """Bytes of all files under `folder`, as they are written, not as blocks of the disk."""
    return sum(path.stat().st_size for path in files_of(folder))


def timed(work: Callable[[], None]) -> float:
    """Seconds that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def tools(folder: Path) -> Iterator[list[Tool]]:
    """Everything that is measured."""
    servers: list[Teamlore] = []
    try:
        servers.append(Script(folder / "script"))
        servers.append(Teamlore(folder / "every"))
        others = (Rsync(folder / "rsync"), Restic(folder / "restic"))
        yield [*servers, Copy(folder / "copy"), *(tool for tool in others if exists(tool))]
    finally:
        for server in servers:
            server.server.terminate()


def exists(tool: Tool) -> bool:
    """Whether the program is installed."""
    if shutil.which(tool.name) is None:
        print(f"{tool.name} is not installed: left out", file=sys.stderr)
        return False
    return True


def measure(folder: Path, sessions: int, megabytes: int, rounds: int) -> dict[str, object]:
    """All figures of one run."""
    source = folder / "projects"
    source.mkdir()
    say("writing the corpus")
    files = corpus.make(source, sessions, megabytes * 1_000_000)
    raw = tree_size(source)
    with tools(folder) as all_:
        results = {tool.name: first(tool, source, raw) for tool in all_}
        spent: dict[str, list[float]] = {tool.name: [] for tool in all_}
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            corpus.grow(files, number)
            some = number < FIRST_ROUNDS or number == rounds - 1
            for tool in (tool for tool in all_ if some or tool.every_round):
                spent[tool.name].append(timed(lambda tool=tool: tool.sync(source)))  # type: ignore[misc]
                settle(tool)
        now = tree_size(source)
        for tool in all_:
            results[tool.name] |= later(tool, sorted(spent[tool.name]), now)
            if isinstance(tool, Teamlore):
                results[tool.name]["server CPU s per unchanged GB"] = unchanged_cpu(tool, source)
            tool.collect()
            results[tool.name]["stored when collected, % of raw"] = percent(tool, now)
    sizes = {"sessions": sessions, "bytes": raw, "bytes at the end": now, "rounds": rounds}
    return {"corpus": sizes, "tools": results}


def first(tool: Tool, source: Path, raw: int) -> dict[str, object]:
    """The figures of a first sync."""
    say(f"first sync: {tool.name}")
    seconds = timed(lambda: tool.sync(source))
    found: dict[str, object] = {"first sync MB/s": round(raw / 1e6 / seconds, 1)}
    found["stored after it, % of raw"] = percent(tool, raw)
    if isinstance(tool, Teamlore):
        found["server CPU s until then"] = round(tool.cpu_seconds(), 1)
        found["conversations read after another s"] = round(timed(tool.settle), 1)
    return found


def later(tool: Tool, ordered: list[float], now: int) -> dict[str, object]:
    """The figures of the rounds, whose times are given in order."""
    return {
        "later round, median s": round(ordered[len(ordered) // 2], 2),
        "later round, worst s": round(ordered[-1], 2),
        "stored at the end, % of raw": percent(tool, now),
    }


def percent(tool: Tool, raw: int) -> float:
    """What is stored, of so many bytes."""
    return round(100 * tool.stored() / raw, 1)


def settle(tool: Tool) -> None:
    """Let nothing that a tool has left to do run while others are measured."""
    if isinstance(tool, Teamlore):
        tool.settle()


def say(what: str) -> None:
    """Say what is being done."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


def unchanged_cpu(tool: Teamlore, source: Path) -> float:
    """Processor time of the server for a gigabyte that it has already."""
    before = tool.cpu_seconds()
    tool.sync(source)
    return round((tool.cpu_seconds() - before) / (tree_size(source) / 1e9), 2)


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="where to work; otherwise a temporary one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        figures = measure(Path(folder), given.sessions, given.megabytes, given.rounds)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
