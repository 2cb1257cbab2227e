"""Custody beside a plain copy with fsync, rsync and restic, on one corpus in one run.

    .venv/bin/python -m bench.custody --megabytes 1000 --sessions 2000 --rounds 20

A first sync of everything, then rounds in which 5% of the files grow by 10 kB. After each round
every tool is given all files again: what an unchanged file costs is what a hook after every turn
costs. The server runs as a process of its own with its own PostgreSQL, both fsync; the client reads
each file and sends it whole by PUT, as the published script does, and once more by HEAD first, as a
client does that compares digests. rsync and restic come from the distribution.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import random
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

from tests.support.process import ServerProcess
from tests.support.registry import conversation, register
from tests.support.transcripts import records, session_id

GROWING_SHARE: Final = 0.05
GROWTH_BYTES: Final = 10_000
UPLOADS_AT_ONCE: Final = 4


def make_corpus(folder: Path, sessions: int, size: int) -> list[Path]:
    """Write `sessions` transcripts of `size` bytes together; like real ones, most are short."""
    chance = random.Random(1)
    weights = [chance.paretovariate(1.2) for _ in range(sessions)]
    unit = size / sum(weights)
    files = []
    for number, weight in enumerate(weights):
        path = folder / f"{session_id(number)}.jsonl"
        with path.open("wb") as file:
            for line in records(number):
                if file.tell() >= weight * unit:
                    break
                file.write(line)
        files.append(path)
    return files


def grow(files: list[Path], number: int) -> int:
    """Let a share of the files grow; how many bytes came in."""
    chance = random.Random(number)
    added = 0
    for path in chance.sample(files, max(1, round(len(files) * GROWING_SHARE))):
        with path.open("ab") as file:
            before = file.tell()
            for line in records(chance.getrandbits(30)):
                if file.tell() - before >= GROWTH_BYTES:
                    break
                file.write(line)
            added += file.tell() - before
    return added


class Tool(ABC):
    """Something that keeps copies of files."""

    name: str

    def __init__(self, place: Path) -> None:
        self.place = place

    @abstractmethod
    def sync(self, source: Path) -> None:
        """Bring the copy up to date and onto the disk."""

    def stored(self) -> int:
        """Bytes that the copy takes up."""
        return tree_size(self.place)


class Copy(Tool):
    """Every file read, written whole and synced."""

    name = "copy + fsync"

    def sync(self, source: Path) -> None:
        self.place.mkdir(exist_ok=True)
        for path in source.iterdir():
            with path.open("rb") as original, (self.place / path.name).open("wb") as copy:
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

    def sync(self, source: Path) -> None:
        environ = {"RESTIC_PASSWORD": "bench", "RESTIC_REPOSITORY": str(self.place)}
        environ["RESTIC_CACHE_DIR"] = str(self.place.with_name("restic-cache"))
        if not self.place.exists():
            run("restic", "init", "--quiet", **environ)
        run("restic", "backup", "--quiet", str(source), **environ)


class Teamlore(Tool):
    """This server over HTTP: every file whole, or only those whose digest differs."""

    def __init__(self, place: Path, *, compares: bool) -> None:
        super().__init__(place)
        self.name = "teamlore, digests first" if compares else "teamlore, every file"
        self._compares = compares
        place.mkdir()
        environ = {"TEAMLORE_DATA": str(place / "data"), "PORT": "0", "RATE_LIMIT_MAX": "10000000"}
        self.server = ServerProcess(environ, place)
        self.server.wait_ready()
        self._headers: dict[str, str] = {}

    def sync(self, source: Path) -> None:
        asyncio.run(self._sync(list(source.iterdir())))

    async def _sync(self, files: list[Path]) -> None:
        async with httpx.AsyncClient(base_url=self.server.url, timeout=600) as client:
            self._headers = self._headers or await register(client)
            client.headers.update(self._headers)
            slots = asyncio.Semaphore(UPLOADS_AT_ONCE)
            await asyncio.gather(*(self._send(client, slots, path) for path in files))

    async def _send(self, client: httpx.AsyncClient, slots: asyncio.Semaphore, path: Path) -> None:
        async with slots:
            data = await asyncio.to_thread(path.read_bytes)
            where = conversation(path.stem)
            if self._compares:
                digest = await asyncio.to_thread(hashlib.sha256, data)
                head = await client.head(where, headers={"Accept-Encoding": "identity"})
                ours = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
                if head.headers.get("repr-digest") == ours:
                    return
            (await client.put(where, content=data)).raise_for_status()

    def stored(self) -> int:
        return tree_size(self.place / "data" / "blobs")

    def cpu_seconds(self) -> float:
        """Processor time of the server and its PostgreSQL so far."""
        main = psutil.Process(self.server.pid)
        times = [process.cpu_times() for process in (main, *main.children(recursive=True))]
        return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def run(*command: str, **environ: str) -> None:
    """Run a program to its end. Raises CalledProcessError."""
    subprocess.run(command, env={**os.environ, **environ}, check=True, stdout=subprocess.DEVNULL)


def tree_size(folder: Path) -> int:
    """Bytes of all files under `folder`, as they are written, not as blocks of the disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def timed(work: Callable[[], None]) -> float:
    """Seconds that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def tools(folder: Path) -> Iterator[list[Tool]]:
    """Everything that is measured."""
    servers = [
        Teamlore(folder / "every", compares=False),
        Teamlore(folder / "compares", compares=True),
    ]
    found: list[Tool] = [*servers, Copy(folder / "copy")]
    found += [tool for tool in (Rsync(folder / "rsync"), Restic(folder / "restic")) if exists(tool)]
    try:
        yield found
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
    source = folder / "corpus"
    source.mkdir()
    files = make_corpus(source, sessions, megabytes * 1_000_000)
    raw = tree_size(source)
    results: dict[str, dict[str, object]] = {}
    with tools(folder) as all_:
        for tool in all_:
            seconds = timed(lambda tool=tool: tool.sync(source))  # type: ignore[misc]
            results[tool.name] = {"first sync MB/s": round(raw / 1e6 / seconds, 1)}
            results[tool.name]["stored after it, % of raw"] = round(100 * tool.stored() / raw, 1)
        spent: dict[str, list[float]] = {tool.name: [] for tool in all_}
        for number in range(rounds):
            grow(files, number)
            for tool in all_:
                spent[tool.name].append(timed(lambda tool=tool: tool.sync(source)))  # type: ignore[misc]
        now = tree_size(source)
        for tool in all_:
            ordered = sorted(spent[tool.name])
            results[tool.name] |= {
                "later round, median s": round(ordered[len(ordered) // 2], 2),
                "later round, worst s": round(ordered[-1], 2),
                "stored at the end, % of raw": round(100 * tool.stored() / now, 1),
            }
            if isinstance(tool, Teamlore):
                results[tool.name]["server CPU s per unchanged GB"] = unchanged_cpu(tool, source)
    corpus = {"sessions": sessions, "bytes": raw, "bytes at the end": now, "rounds": rounds}
    return {"corpus": corpus, "tools": results}


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
