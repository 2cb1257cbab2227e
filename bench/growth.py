"""What a list costs as its team grows: from 10^3 to 10^6 entries, and from 1 to 1,000 members.

The entries are copies of a few real ones. Their search columns are copied too, as computing them a
million times would take ten minutes; lists do not read them. How PostgreSQL finds the page is
taken from its own log (auto_explain), so it is the statement that the server really sends.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench.contestants import start_own
from bench.place import Place, name_of
from bench.seeding import seed
from bench.shapes import SHAPES, token
from bench.world import World, uuid_of
from graph.schema import ids

READS = 60
MODEL = World(people=1_000, teams=8, entries=200, sessions=0, teams_each=1)
"""Copied from. Its teams get other members and entries: four grow by entries, four by members."""
MEMBERS = (1, 10, 100, 1_000)
_KEPT_LINE = re.compile(r"Scan|Rows Removed|Buffers|Sort|Cond")
_NOISE = re.compile(r"^-> +| \(cost=[^)]*\)|actual time=\S+ | loops=\d+|'[^']*'::")

_MULTIPLY = """
INSERT INTO knowledge (scope_id, id, author_id, type, timestamp, summary, project, details, tags,
                       related_files, sameness, version, created_at, updated_at, search, fuzzy)
SELECT $1, gen_random_uuid(), $2, m.type, m.timestamp + n * 1000, m.summary, m.project, m.details,
       m.tags, m.related_files, sha256(int8send(n)), n,
       m.created_at + n * interval '1 second', m.created_at + n * interval '1 second',
       m.search, m.fuzzy
FROM generate_series(1, $3) AS n
JOIN (SELECT *, row_number() OVER (ORDER BY timestamp) AS place FROM model) AS m
  ON m.place = 1 + n % (SELECT count(*) FROM model)
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """One size: what a page and a nested page cost there."""

    entries: int
    members: int
    first_ms: float
    """Median milliseconds of the first page of 20."""
    deep_ms: float
    """The same for the page behind the middle of the list."""
    database_us: float
    """Processor time that PostgreSQL took for each of the first pages."""
    plan: tuple[str, ...]
    """How the page was found: the lines of the plan that name scans and buffers."""


def name_of_growth(sizes: Sequence[int]) -> str:
    """The name of the database for these sizes."""
    return f"growth_{max(sizes)}_{MODEL.name}"


async def fill(dsn: str, sizes: Sequence[int]) -> None:
    """Fill a migrated database: team `i` has `sizes[i]` entries; four more, MEMBERS members."""
    await seed(dsn, MODEL)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TEMP TABLE model AS SELECT * FROM knowledge")
        for column in ("search", "fuzzy"):
            await connection.execute(f"ALTER TABLE knowledge ALTER {column} DROP EXPRESSION")
        await connection.execute(
            "TRUNCATE knowledge; DROP INDEX knowledge_search_idx, knowledge_fuzzy_idx, "
            "knowledge_same_idx"
        )
        await _enlist(connection, len(sizes))
        grown = [*sizes, *(1_000 for _ in MEMBERS)]
        for team, size in enumerate(grown):
            values = (uuid_of("team", team), uuid_of("person", 0), size)
            await connection.execute(_MULTIPLY, *values)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _enlist(connection: asyncpg.Connection[Any], first: int) -> None:
    """Give the teams their members; person 0 belongs to all."""
    await connection.execute("DELETE FROM memberships WHERE scope_id <> account_id")
    people = [*(1 for _ in range(first)), *MEMBERS]
    for team, count in enumerate(people):
        await connection.executemany(
            "INSERT INTO memberships (scope_id, account_id, role, joined_at) "
            "VALUES ($1, $2, 'member', now() + $3 * interval '1 second')",
            [(uuid_of("team", team), uuid_of("person", n), n) for n in range(count)],
        )


async def measure(place: Place, dsn: str, folder: Path, sizes: Sequence[int]) -> list[Growth]:
    """The cost at each size, one request after the other."""
    shapes = [(size, 1) for size in sizes] + [(1_000, count) for count in MEMBERS]
    found = []
    server = start_own(dsn, folder, "growth")
    try:
        async with _client(server.url) as client:
            for team, _shape in enumerate(shapes):
                found.append(await _costs(place, client, team))
    finally:
        server.stop()
    plans = await _plans(place, dsn, folder, len(shapes))
    return [
        Growth(entries, members, *costs, plan)
        for (entries, members), costs, plan in zip(shapes, found, plans, strict=True)
    ]


def _client(url: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token(0)}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=60)


async def _costs(place: Place, client: httpx.AsyncClient, team: int) -> tuple[float, float, float]:
    text = SHAPES[1].text.replace("$first: Int!", "$first: Int!, $after: Cursor")
    text = text.replace("first: $first", "first: $first, after: $after")
    variables = {"team": ids.encode("Team", uuid_of("team", team)), "first": 20}
    await _times(client, text, variables, 20)
    before = place.cpu_seconds()
    first = await _times(client, text, variables, READS)
    database = (place.cpu_seconds() - before) / READS * 1e6
    middle = await _middle(client, text, variables)
    deep = await _times(client, text, {**variables, "after": middle}, READS)
    return first, deep, database


async def _middle(client: httpx.AsyncClient, text: str, variables: dict[str, Any]) -> str:
    """A cursor some way down the list: behind its 500th entry."""
    after = None
    for _ in range(5):
        body = {"query": text, "variables": {**variables, "first": 100, "after": after}}
        answer = (await client.post("/graphql", json=body)).json()
        after = answer["data"]["team"]["knowledge"]["pageInfo"]["endCursor"] or after
    return str(after)


async def _times(
    client: httpx.AsyncClient, text: str, variables: dict[str, Any], count: int
) -> float:
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        answer = await client.post("/graphql", json={"query": text, "variables": variables})
        times.append((time.perf_counter() - begin) * 1000)
        assert "errors" not in answer.json(), answer.text
    return sorted(times)[len(times) // 2]


async def _plans(place: Place, dsn: str, folder: Path, teams: int) -> list[tuple[str, ...]]:
    """The plan of the first page of each team; nothing where there is no auto_explain."""
    if not await _explaining(dsn):
        return [()] * teams
    server = start_own(dsn, folder, "explained")
    plans = []
    try:
        async with _client(server.url) as client:
            for team in range(teams):
                variables = {"team": ids.encode("Team", uuid_of("team", team)), "first": 20}
                length = place.log.stat().st_size
                body = {"query": SHAPES[1].text, "variables": variables}
                await client.post("/graphql", json=body)
                with place.log.open("rb") as log:
                    log.seek(length)
                    plans.append(_relevant(log.read().decode(errors="replace")))
    finally:
        server.stop()
    return plans


async def _explaining(dsn: str) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("LOAD 'auto_explain'")
        name = name_of(dsn)
        for option, value in (
            ("session_preload_libraries", "auto_explain"),
            ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_buffers", "on"),
        ):
            await connection.execute(f"ALTER DATABASE \"{name}\" SET {option} = '{value}'")
    except asyncpg.PostgresError:
        return False
    finally:
        await connection.close()
    return True


def _relevant(log: str) -> tuple[str, ...]:
    """Of the statement that read entries: the lines about scans of them and what they touched."""
    for statement in reversed(log.split("Query Text:")):
        lines = statement.splitlines()
        for number, line in enumerate(lines):
            if "Scan" in line and " on knowledge" in line:
                kept = [_bare(line)]
                for following in lines[number + 1 : number + 6]:
                    if "->" in following:
                        break
                    if _KEPT_LINE.search(following):
                        kept.append(_bare(following))
                return tuple(kept)
    return ()


def _bare(line: str) -> str:
    """A plan's line without estimates, times and ids."""
    return _NOISE.sub("", line.strip())
