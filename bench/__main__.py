"""`./dev bench`: measures this checkout beside its peers and writes `docs/performance.md`."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import growth, report
from bench.contestants import CONTESTANTS, OURS, PEERS, Contestant, start_floor
from bench.place import KEPT, ROOT, Place, run
from bench.processes import OTHER_CORE, Process, pin
from bench.report import Findings
from bench.rounds import FLOOR, Effort, Rounds, compare
from bench.seeding import seed
from bench.sockets import crowd, say_ours, say_theirs
from bench.world import FULL, SMALL, World
from bench.writes import PAUSE_SECONDS, Rest, search_ms

LIVE_PEERS = tuple(
    Contestant(name, name, peer=f"{name}.js") for name in ("mercurius-live", "yoga-live")
)


@dataclass(frozen=True, slots=True)
class Mode:
    """How much is measured."""

    world: World
    effort: Effort
    sizes: tuple[int, ...]
    sockets: tuple[int, ...]
    pushes: int


MODES = {
    "full": Mode(
        FULL,
        Effort(rounds=3, seconds=1.0, warm=0.2),
        (1_000, 10_000, 100_000, 1_000_000),
        (1_000, 5_000),
        20,
    ),
    "short": Mode(SMALL, Effort(1, 0.3, 0.1, (4, 32)), (1_000, 10_000), (200,), 5),
}


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a minute, to see that it works")
    parser.add_argument("--servers", help="only these, by name, separated by commas")
    parser.add_argument("--only", help="only these parts: reads, rest, live, growth")
    parser.add_argument("--output", type=Path, help="where the page goes; docs/ unless given")
    given = parser.parse_args()
    names = given.servers.split(",") if given.servers else [c.name for c in CONTESTANTS]
    parts = given.only.split(",") if given.only else ["reads", "rest", "live", "growth"]
    output = given.output or (KEPT / "short" if given.short else ROOT / "docs")
    run(_run(MODES["short" if given.short else "full"], names, parts, output, given.short))


async def _run(mode: Mode, names: list[str], parts: list[str], output: Path, short: bool) -> None:
    begin = time.monotonic()
    modules = _install() if any(c.peer for c in CONTESTANTS if c.name in names) else PEERS
    findings = Findings(mode.world, mode.effort.connections, short=short)
    place = Place()
    pin(OTHER_CORE)
    place.pin(OTHER_CORE)
    try:
        with tempfile.TemporaryDirectory(prefix="teamlore-bench-") as name:
            bench = _Bench(mode, place, Path(name), modules, findings)
            await bench.run(names, parts)
    finally:
        place.close()
    findings.seconds = time.monotonic() - begin
    print(f"wrote {report.write(findings, output)}")


def _install() -> Path:
    """Install the peers' packages, when their lock file is new; returns the folder they are in."""
    folder = KEPT / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (PEERS / "package-lock.json").read_bytes()
    marker = folder / "node_modules" / ".installed-lock"
    for file in PEERS.glob("*.js*"):
        (folder / file.name).write_bytes(file.read_bytes())
    if not marker.exists() or marker.read_bytes() != lock:
        print("installing the peers' packages, once", flush=True)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, env=dict(os.environ))
        marker.write_bytes(lock)
    return folder


class _Bench:
    """One run."""

    def __init__(
        self, mode: Mode, place: Place, folder: Path, modules: Path, findings: Findings
    ) -> None:
        self._mode, self._place, self._folder = mode, place, folder
        self._modules, self._findings = modules, findings

    async def run(self, names: list[str], parts: list[str]) -> None:
        """Seed, then measure what was asked for."""
        world = self._mode.world
        print("seeding, unless an earlier run has", flush=True)
        dsn = await self._place.database(world.name, lambda draft: seed(draft, world))
        if "reads" in parts:
            await self._reads(dsn, names)
        if "rest" in parts or "live" in parts:
            copy = await self._place.copy(dsn, "written")
            if "rest" in parts:
                await self._rest(copy)
            if "live" in parts:
                await self._live(copy, with_peers="mercurius" in names)
            await self._place.drop("written")
        if "growth" in parts:
            sizes = self._mode.sizes
            name = growth.name_of_growth(sizes)
            dsn = await self._place.database(name, lambda draft: growth.fill(draft, sizes))
            found = await growth.measure(self._place, dsn, self._folder, sizes)
            self._findings.growth = found
            print("growth done", flush=True)

    async def _reads(self, dsn: str, names: list[str]) -> None:
        answers = self._folder / "answers"
        answers.mkdir()
        with contextlib.ExitStack() as stack:
            servers: dict[str, Process] = {}
            for contestant in CONTESTANTS:
                if contestant.name in names:
                    server = contestant.start(dsn, self._folder, self._modules)
                    stack.callback(server.stop)
                    servers[contestant.name] = server
            self._findings.compared = await compare(servers, self._mode.world, answers)
            print(f"{self._findings.compared} answers of each are equal", flush=True)
            servers[FLOOR] = start_floor(answers, self._folder)
            stack.callback(servers[FLOOR].stop)
            rounds = Rounds(servers, self._place, self._mode.world)
            await rounds.run(self._mode.effort)
            self._findings.cells = rounds.cells
            self._findings.memory = {name: server.usage() for name, server in servers.items()}

    async def _rest(self, dsn: str) -> None:
        server = OURS.start(dsn, self._folder, self._modules)
        try:
            rest = Rest(server, self._place, self._mode.world)
            turns = self._mode.pushes
            page = await rest.page(turns * 5)  # before whoever asks has written ten thousand more
            measured = [
                await rest.push(turns, PAUSE_SECONDS),
                await rest.push(turns),
                page,
                await rest.pull(turns),
            ]
            self._findings.rest = measured
            self._findings.search_ms = await search_ms(dsn)
        finally:
            server.stop()
        print("REST done", flush=True)

    async def _live(self, dsn: str, *, with_peers: bool) -> None:
        for sockets in self._mode.sockets:
            for contestant in (OURS, *(LIVE_PEERS if with_peers else ())):
                say = say_ours if contestant is OURS else say_theirs
                server = contestant.start(dsn, self._folder, self._modules)
                try:
                    live = await crowd(
                        server,
                        contestant.name,
                        self._mode.world,
                        sockets,
                        self._mode.pushes // 2,
                        say,
                    )
                    self._findings.live.append(live)
                finally:
                    server.stop()
            print(f"{sockets} sockets done", flush=True)


if __name__ == "__main__":
    main()
