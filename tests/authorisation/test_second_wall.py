"""With the application's scoping switched off, row-level security alone lets nothing through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from settings import Settings
from tests.authorisation.asking import ask, words_in
from tests.authorisation.snapshot import Snapshot
from tests.authorisation.table import Row, rows
from tests.authorisation.world import World, build
from tests.conftest import JWT_SECRET, Serve
from tests.db.test_row_level_security import OF_NOBODY
from tests.support.dial import PROVING
from tests.support.postgres import execute
from tests.support.process import ServerProcess
from tests.support.server import RunningServer

OUTSIDERS = ("stranger", "former member", "other team's owner")
TOLD = 20
"""So many operations, at the least, tell something of others when neither wall stands."""
BY_LINK = "acceptInvitation"
"""Whoever has the link has the right, so that is no way past the wall."""


@pytest.fixture
async def world(serve: Serve, settings: Settings, tmp_path: Path) -> AsyncIterator[World]:
    """A world made by a server as it is, then asked through one that scopes nothing."""
    world = await build(await serve(settings), (*OUTSIDERS, "member"))
    environ = {
        "DATABASE_URL": str(settings.database_url),
        "JWT_SECRET": JWT_SECRET,
        "TEAMLORE_DATA": str(settings.data_dir),
        "PORT": "0",
        "RATE_LIMIT_MAX": "1000000",
    }
    process = ServerProcess(environ, tmp_path, module="tests.authorisation.unscoped")
    try:
        url = process.wait_ready()
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            world.server = RunningServer(url, settings, client)
            yield world
    finally:
        process.terminate()


def cells() -> Iterator[tuple[Row, str, str]]:
    """All that outsiders may try; in the short form every operation by one of them."""
    for place, row in enumerate(rows()):
        targets = ("own",) if row.is_one else ("team", "foreign")
        for number, target in enumerate(targets):
            chosen = OUTSIDERS if PROVING else (OUTSIDERS[(place + number) % 3],)
            yield from ((row, actor, target) for actor in chosen)


async def leaks(world: World, row: Row, actor: str, target: str) -> set[str]:
    """The words of others that a cell tells."""
    answer = await ask(world, row, actor, target, 0.1)
    return words_in(answer.text, world.words - world.people[actor].may_see)


async def test_row_level_security_alone_lets_nothing_through(world: World) -> None:
    dsn = str(world.server.settings.database_url)
    kept = await Snapshot.take(dsn)
    reads = [cell for cell in cells() if _reads(cell[0])]
    wrong = [line for cell in reads if (line := await breach(world, kept, cell))]
    assert not wrong, "\n".join(wrong)
    # Without it the same server tells much: so its first wall is down indeed.
    await _wall(dsn, kept, "DISABLE")
    told = {row.name for row, who, target in reads if await leaks(world, row, who, target)}
    assert len(told) >= TOLD, sorted(told)
    await _wall(dsn, kept, "ENABLE")
    writes = [cell for cell in cells() if not _reads(cell[0])]
    wrong = [line for cell in writes if (line := await breach(world, kept, cell))]
    await kept.close()
    assert not wrong, "\n".join(wrong)


async def _wall(dsn: str, kept: Snapshot, what: str) -> None:
    for table in kept.tables:
        if what == "DISABLE" or table not in OF_NOBODY:
            await execute(dsn, f"ALTER TABLE {table} {what} ROW LEVEL SECURITY")


async def breach(world: World, kept: Snapshot, cell: tuple[Row, str, str]) -> str | None:
    """What came past the wall in a cell: words, or a change of what is others'."""
    row, actor, target = cell
    if row.operation == BY_LINK or row.name.endswith("/accept"):
        return None
    hermit = world.people["hermit"].things
    theirs = (world.team["team"], world.team["user"], hermit["team"], hermit["user"])
    place = f"{row.name} as {actor} for {target}"
    if told := await leaks(world, row, actor, target):
        return f"{place}: tells {sorted(told)}"
    if _reads(row):
        return None
    changed = await kept.digests(theirs) != await kept.digests(theirs, "kept")
    await kept.restore()
    return f"{place}: changes what is others'" if changed else None


def _reads(row: Row) -> bool:
    return row.kind in {"query", "subscription"} or row.name.startswith("GET")
