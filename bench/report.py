"""`docs/performance.md`: what a run measured, as tables and plots, and what falls short."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench import plots
from bench.contestants import CONTESTANTS, MERCURIUS, OURS
from bench.growth import MEMBERS, Growth
from bench.processes import Usage, can_pin
from bench.rounds import FLOOR, Cell
from bench.shapes import SHAPES
from bench.sockets import Live
from bench.world import World
from bench.writes import Cost

KIB = 1024
IDLE_KIB, PUSH_MS, FLOOR_SHARE, AHEAD = 32, 40, 0.7, 2.0


@dataclass
class Findings:
    """Everything that one run has measured."""

    world: World
    connections: tuple[int, ...]
    compared: int = 0
    cells: dict[tuple[str, str, int], Cell] = field(default_factory=dict)
    memory: dict[str, Usage] = field(default_factory=dict)
    rest: list[Cost] = field(default_factory=list)
    search_ms: float = 0.0
    live: list[Live] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    seconds: float = 0.0
    short: bool = False

    @property
    def measured(self) -> list[str]:
        """The servers that took part, ours first."""
        return list(dict.fromkeys(name for name, _shape, _connections in self.cells))


TITLES = {contestant.name: contestant.title for contestant in CONTESTANTS} | {
    FLOOR: "the floor (a bare route)",
    "mercurius-live": "Mercurius 16",
    "yoga-live": "Yoga 5 with graphql-ws",
}


def write(findings: Findings, folder: Path) -> Path:
    """Write the page and its plots into `folder`; returns where the page is."""
    pictures = folder / "performance"
    pictures.mkdir(parents=True, exist_ok=True)
    middle = findings.connections[len(findings.connections) // 2]
    throughput = {
        shape.title: {
            TITLES[name]: findings.cells[name, shape.name, middle].rate
            for name in findings.measured
        }
        for shape in SHAPES
    }
    title = f"Answers a second at {middle} connections"
    (pictures / "reads.svg").write_text(plots.bars(title, throughput, "/s"))
    parts = [_head(findings), _verdict(findings), _reads(findings, middle)]
    if findings.rest:
        parts.append(_rest(findings))
    if findings.live:
        parts.append(_sockets(findings))
    if findings.growth:
        (pictures / "growth.svg").write_text(_growth_plot(findings))
        parts.append(_growing(findings))
    page = folder / "performance.md"
    page.write_text("\n".join(parts))
    return page


def _head(findings: Findings) -> str:
    world = findings.world
    pinned = (
        "the measured server is bound to one core, PostgreSQL and the load generator to the other"
        if can_pin()
        else "nothing is bound to a core, as this machine does not let us"
    )
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    length = "the short mode, which only shows that it works" if findings.short else "full length"
    return f"""# Performance

Written by `./dev bench` on {datetime.now(UTC):%Y-%m-%d} ({length}, {findings.seconds / 60:.0f}
minutes), on {os.cpu_count()} cores of a {platform.machine()} machine under {platform.system()},
Python {platform.python_version()}; load average at the end {load}. Run it again for your machine.

PostgreSQL holds {world.people} people in {world.teams} teams, {world.entries:,} entries and
{world.sessions:,} sessions. Every server is one process with at most 20 connections to PostgreSQL;
{pinned}. Everybody asks with a token of their own (HS256), and every server lets them see what is
theirs or their teams'. The peers are written for this in [`bench/peers`](../bench/peers): prepared
statements, DataLoaders that read a page of several teams in one statement, the fastest HTTP layer
of each. {findings.compared} questions were asked of all of them first, and the answers were equal
as JSON (PostGraphile's cursors apart, which are its own). Then all servers are measured in turn,
several rounds of it, each beginning with another server; figures are medians of the rounds.

The load generator keeps so many connections busy and sends {world.people} people's different
requests. *The floor* is what the same uvicorn does with the same bytes from a route that reads the
body and does nothing else.
"""


def _verdict(findings: Findings) -> str:
    rows = ["## What was to be shown\n", "| | |", "|---|---|"]
    cells, peers = findings.cells, [n for n in findings.measured if n not in (OURS.name, FLOOR)]
    for shape in SHAPES:
        behind = [
            f"{TITLES[peer]} at {count}"
            for count in findings.connections
            for peer in peers
            if not _ahead(cells[OURS.name, shape.name, count], cells[peer, shape.name, count])
        ]
        text = "yes" if not behind else f"no: behind {', '.join(behind)}"
        rows.append(f"| {shape.title}: ahead of every peer in throughput and p99 | {text} |")
    if MERCURIUS.name in peers:
        for shape in SHAPES:
            ratios = [
                cells[OURS.name, shape.name, count].rate
                / max(cells[MERCURIUS.name, shape.name, count].rate, 1e-9)
                for count in findings.connections
            ]
            shown = ", ".join(f"{ratio:.1f}" for ratio in ratios)
            text = _yes(min(ratios) >= AHEAD)
            rows.append(f"| {shape.title}: at least twice Mercurius | {text}: {shown} times |")
    if FLOOR in findings.measured:
        shares = [
            cells[OURS.name, "entry", count].rate / max(cells[FLOOR, "entry", count].rate, 1e-9)
            for count in findings.connections
        ]
        shown = ", ".join(f"{share:.0%}" for share in shares)
        text = _yes(min(shares) >= FLOOR_SHARE)
        rows.append(f"| Point reads: at least 70% of the floor | {text}: {shown} |")
    rows += [
        f"| A push of 500 within {PUSH_MS} ms of server time | {_yes(push.median <= PUSH_MS)}: "
        f"{push.median:.0f} ms from the request to its answer; of processor time the server took "
        f"{push.server_cpu:.0f} ms and PostgreSQL {push.database_cpu:.0f} ms |"
        for push in findings.rest[:1]
    ]
    own = [live for live in findings.live if live.server == OURS.name]
    if own:
        kib = max(live.idle_bytes for live in own) / KIB
        rows.append(
            f"| An idle socket within {IDLE_KIB} KiB | {_yes(kib <= IDLE_KIB)}: {kib:.1f} |"
        )
    return "\n".join(rows) + "\n"


def _ahead(ours: Cell, theirs: Cell) -> bool:
    return ours.rate > theirs.rate and ours.quantile(0.99) < theirs.quantile(0.99)


def _yes(so: bool) -> str:
    return "yes" if so else "no"


def _reads(findings: Findings, middle: int) -> str:
    parts = [
        "## Reads\n",
        f"![Answers a second at {middle} connections](performance/reads.svg)\n",
        "Answers a second, milliseconds (median and 99th percentile), and microseconds of "
        "processor time an answer: the server's and PostgreSQL's.\n",
    ]
    for shape in SHAPES:
        parts.append(f"### {shape.title}\n")
        parts.append(f"[`{shape.document}.graphql`](../bench/documents/{shape.document}.graphql)\n")
        head = "| | connections | answers/s | of the floor | p50 ms | p99 ms | server µs | "
        parts += [f"{head}database µs |", "|---|---|---|---|---|---|---|---|"]
        for count in findings.connections:
            floor = findings.cells.get((FLOOR, shape.name, count))
            for name in findings.measured:
                cell = findings.cells[name, shape.name, count]
                parts.append(_row(name, cell, floor))
        parts.append("")
    parts += ["Memory of the processes after all that:\n", "| | MiB |", "|---|---|"]
    parts += [
        f"| {TITLES[name]} | {usage.resident_bytes / KIB**2:.0f} |"
        for name, usage in findings.memory.items()
    ]
    return "\n".join(parts) + "\n"


def _row(name: str, cell: Cell, floor: Cell | None) -> str:
    share = f"{cell.rate / floor.rate:.0%}" if floor and floor.rate else ""
    server = sorted(cell.server_cpu)[len(cell.server_cpu) // 2]
    database = sorted(cell.database_cpu)[len(cell.database_cpu) // 2]
    return (
        f"| {TITLES[name]} | {cell.connections} | {cell.rate:,.0f} | {share} | "
        f"{cell.quantile(0.5):.1f} | {cell.quantile(0.99):.1f} | {server:,.0f} | "
        f"{database if name != FLOOR else 0:,.0f} |"
    )


def _rest(findings: Findings) -> str:
    rows = [
        "## REST\n",
        "One request after the other over one connection; processor time in milliseconds each.\n",
        "| | median ms | worst ms | server ms | database ms | the server grew by KiB |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {cost.name} | {cost.median:.1f} | {cost.worst:.1f} | {cost.server_cpu:.1f} | "
        f"{cost.database_cpu:.1f} | {cost.grown_bytes / KIB:.0f} |"
        for cost in findings.rest
    ]
    rows.append(
        f"\nOf a push, PostgreSQL takes {findings.search_ms:.0f} ms to compute what 500 entries "
        "are found by (words of any script, stems, identifiers, trigrams); the indexes over that "
        "come on top. It is done right behind the answer; searches read the texts of what still "
        "waits, so that what was pushed is found at once. A push that follows at once shares "
        "PostgreSQL with that work, and where much waits it does its own."
    )
    return "\n".join(rows) + "\n"


def _sockets(findings: Findings) -> str:
    rows = [
        "## Subscriptions\n",
        "So many sockets of one team's members follow it over graphql-transport-ws; entries are "
        "pushed one after the other. Ours goes through PostgreSQL and its log and can be resumed; "
        "the peers publish from memory. Milliseconds from the request that pushes, medians of the "
        "pushes.\n",
        "| | sockets | first had it | last had it | slowest push | server µs a delivery | "
        "idle socket KiB |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {TITLES[live.server]} | {live.sockets:,} | {live.first:.0f} | {live.last:.0f} | "
        f"{max(live.lasts):.0f} | {live.cpu:.0f} | {live.idle_bytes / KIB:.1f} |"
        for live in findings.live
    ]
    return "\n".join(rows) + "\n"


def _by_entries(findings: Findings) -> Sequence[Growth]:
    return findings.growth[: -len(MEMBERS)]


def _growth_plot(findings: Findings) -> str:
    grown = _by_entries(findings)
    series = {
        "first page": [(g.entries, g.first_ms) for g in grown],
        "page behind 500": [(g.entries, g.deep_ms) for g in grown],
    }
    return plots.lines("A page of 20 by the size of the team's list", series, "ms")


def _growing(findings: Findings) -> str:
    rows = [
        "## Growth\n",
        "![A page of 20 as the list grows](performance/growth.svg)\n",
        "The page of 20 of one team, one request at a time: the first page and the one behind the "
        "500th entry.\n",
        "| entries | members | first page ms | deep page ms | database µs |",
        "|---|---|---|---|---|",
    ]
    rows += [
        f"| {g.entries:,} | {g.members:,} | {g.first_ms:.2f} | {g.deep_ms:.2f} | "
        f"{g.database_us:.0f} |"
        for g in findings.growth
    ]
    rows.append("\nHow PostgreSQL found each of these first pages:\n\n```")
    for g in findings.growth:
        rows.append(f"{g.entries:,} entries, {g.members:,} members")
        rows += [f"  {line}" for line in g.plan]
    return "\n".join([*rows, "```"]) + "\n"
