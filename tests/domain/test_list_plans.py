"""The list of one's own entries costs the same however many there are, in any number of scopes."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.dialects import postgresql

from db.engine import Database
from db.knowledge_list import Filter, Keyset, paged
from db.scope import Access
from tests.domain.test_feed import person, team
from tests.support.dial import dial
from tests.support.postgres import TESTING, execute

EVERYTHING = Filter()
ROWS = dial(20_000, 400_000)
# Not indexed for searches: that would take a hundred times as long, and lists do not read it.
FILL = text(
    """
    INSERT INTO knowledge (scope_id, id, author_id, type, timestamp, summary, sameness, version,
                           created_at, updated_at, indexed)
    SELECT (CAST(:scopes AS uuid[]))[1 + n % 3], gen_random_uuid(),
           CASE WHEN n % 2 = 0 THEN CAST(:mine AS uuid) ELSE CAST(:other AS uuid) END, 'decision',
           n, 'Entry ' || n, sha256(int8send(n)), n, now(), now(), false
    FROM generate_series(1, :rows) AS n
    """
).bindparams(bindparam("rows", ROWS))

ONE_SESSION = """
    INSERT INTO sessions (id, scope_id, session_id, conversation_size, conversation_lines, version,
                          created_at, updated_at)
    VALUES (gen_random_uuid(), :me, 'one', 0, 0, 1, now(), now())
"""


@pytest.mark.parametrize("after", [None, Keyset(ROWS // 2, uuid4())])
async def test_a_page_of_ones_own_entries_is_read_in_order(
    db: Database, after: Keyset | None
) -> None:
    ada, bob = await person(db), await person(db)
    first, (ada, bob) = await team(db, ada, bob)
    second, (ada, bob) = await team(db, ada, bob)
    scopes = [ada.account_id, first, second]
    async with db.begin(TESTING) as connection:
        values = {"scopes": scopes, "mine": ada.account_id, "other": bob.account_id}
        await connection.execute(FILL, values)
    await execute(db.dsn, "VACUUM ANALYZE knowledge")

    shown = await generic_plan(db, Access(ada.account_id, tuple(scopes)), after)
    assert "knowledge_own_idx" in shown, shown
    assert "Sort" not in shown, shown
    touched = [int(pages) for pages in re.findall(r"shared hit=(\d+)", shown.split("Planning:")[0])]
    assert max(touched) < 100, shown


@pytest.mark.parametrize("of", ["one of many", "the only one"])
async def test_a_page_of_a_teams_entries_is_read_in_order(db: Database, of: str) -> None:
    """However few PostgreSQL expects: sorting a whole team takes a hundred times as long."""
    ada = await person(db)
    scopes = [ada.account_id]
    for _ in range(8 if of == "one of many" else 1):
        team_id, (ada,) = await team(db, ada)
        scopes.append(team_id)
    async with db.begin(TESTING) as connection:
        home = [scopes[-1]] * 3 if of == "the only one" else scopes[-3:]
        values = {"scopes": home, "mine": ada.account_id, "other": ada.account_id}
        await connection.execute(FILL, values)
    await execute(db.dsn, "VACUUM ANALYZE knowledge")
    wanted = Filter(team_id=scopes[-1], only_team=True)
    shown = await generic_plan(db, Access(ada.account_id, tuple(scopes)), None, wanted)
    assert "knowledge_newest_idx" in shown, shown
    assert "Sort" not in shown, shown


@pytest.mark.parametrize(
    ("table", "elsewhere"),
    [
        ("sessions WHERE scope_id = {me}", "session_shares"),
        ("accounts WHERE id = {me}", "memberships"),
    ],
)
async def test_what_is_ones_own_is_not_looked_for_among_what_is_shared(
    db: Database, table: str, elsewhere: str
) -> None:
    ada = await person(db)
    async with db.begin(TESTING) as connection:
        await connection.execute(text(ONE_SESSION), {"me": ada.account_id})
    async with db.read(ada.access) as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        asked = table.format(me=f"'{ada.account_id}'")
        rows = await driver.fetch(f"EXPLAIN (ANALYZE) SELECT * FROM {asked}")
    lines = [line for (line,) in rows if elsewhere in line]
    assert lines
    assert all("(never executed)" in line for line in lines), lines
    assert "rows=1" in rows[0][0].split("actual")[1], rows


async def generic_plan(
    db: Database, access: Access, after: Keyset | None, wanted: Filter = EVERYTHING
) -> str:
    """How PostgreSQL runs the list's statement for whoever asks, under row-level security."""
    query = paged(access, wanted, limit=20, after=after)
    compiled = query.compile(dialect=postgresql.asyncpg.dialect())  # type: ignore[no-untyped-call]
    values = [compiled.params[name] for name in compiled.positiontup or ()]
    async with db.read(access) as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await driver.execute(f"PREPARE listed AS {compiled}")
        given = ", ".join(map(_literal, values))
        rows = await driver.fetch(f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE listed({given})")
        await driver.execute("DEALLOCATE listed")
    shown = "\n".join(row[0] for row in rows)
    assert "$1" in shown, shown
    return shown


def _literal(value: object) -> str:
    if isinstance(value, list):
        return "'{" + ",".join(map(str, value)) + "}'"
    return f"'{value}'" if isinstance(value, UUID) else str(value)
