"""Who is measured: our server, the floor under it, and the peers of `bench/peers`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.place import ROOT, variables_of
from bench.processes import Process
from bench.shapes import JWT_SECRET

PEERS = ROOT / "bench" / "peers"
POOL_SIZE = 20
"""Connections to PostgreSQL that each server may have."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server that can be started on a database."""

    name: str
    title: str
    environ: Mapping[str, str] = field(default_factory=dict)
    peer: str = ""
    """The script of `bench/peers`; none for our own server."""
    documents: str = ""
    """The folder of documents in its own dialect, beside the common ones."""

    def start(self, dsn: str, folder: Path, modules: Path) -> Process:
        """Start it; `modules` is where the peers' packages are."""
        log = folder / f"{self.name}.log"
        if self.peer:
            environ = {
                **variables_of(dsn),
                "JWT_SECRET": JWT_SECRET,
                "POOL_SIZE": str(POOL_SIZE),
                "NODE_ENV": "production",
                "GRAPHILE_ENV": "production",
                **self.environ,
            }
            return Process(["node", self.peer], environ, modules, log)
        return start_own(dsn, folder, self.name, self.environ)


def start_own(
    dsn: str, folder: Path, name: str, environ: Mapping[str, str] | None = None
) -> Process:
    """Start our own server, as an operator would."""
    variables = {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": dsn,
        "DATABASE_POOL": str(POOL_SIZE),
        "JWT_SECRET": JWT_SECRET,
        "PORT": "0",
        "NODE_ENV": "production",
        "TEAMLORE_DATA": str(folder / name),
        "RATE_LIMIT_MAX": "1000000000",
        **(environ or {}),
    }
    command = [sys.executable, "-m", "cli", "serve"]
    return Process(command, variables, folder, folder / f"{name}.log")


def start_floor(answers: Path, folder: Path) -> Process:
    """Start the bare route over the files in `answers`."""
    command = [sys.executable, "-m", "bench.floor", str(answers)]
    return Process(command, {"PYTHONPATH": str(ROOT)}, folder, folder / "floor.log")


OURS = Contestant("teamlore", "Teamlore")
WITHOUT_PLAN = Contestant(
    "strawberry", "Strawberry, without the plan", environ={"QUERY_PLANS": "off"}
)
MERCURIUS = Contestant("mercurius", "Mercurius 16 (JIT)", peer="mercurius.js")
POSTGRAPHILE = Contestant("postgraphile", "PostGraphile 5", peer="postgraphile.js")
APOLLO = Contestant("apollo", "Apollo Server 5", peer="apollo.js")
YOGA = Contestant("yoga", "GraphQL Yoga 5", peer="yoga.js")
CONTESTANTS = (OURS, WITHOUT_PLAN, MERCURIUS, POSTGRAPHILE, APOLLO, YOGA)
