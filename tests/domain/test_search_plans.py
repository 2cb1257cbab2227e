"""Search goes through indexes, however many rows there are."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from db import knowledge_search
from db.engine import Database
from db.knowledge_list import Filter
from db.knowledge_search import AnyCompound
from db.scope import Access
from tests.support.postgres import TESTING, execute

ROWS = 20_000
FILL = """
INSERT INTO knowledge (scope_id, id, author_id, type, timestamp, summary, sameness, version,
                       created_at, updated_at)
SELECT :scope, gen_random_uuid(), :scope, 'decision', n, 'Entry number ' || n || ' 第' || n || '号',
       decode(md5(n::text), 'hex'), n, now(), now() FROM generate_series(1, :rows) AS n
"""


async def plan(db: Database, access: Access, query: AnyCompound) -> str:
    """How PostgreSQL would run it."""
    compiled = query.compile(dialect=postgresql.asyncpg.dialect())  # type: ignore[no-untyped-call]
    async with db.read(access) as connection:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        values = [compiled.params[name] for name in compiled.positiontup or ()]
        rows = await driver.fetch(f"EXPLAIN {compiled}", *values)
    return "\n".join(row[0] for row in rows)


WORDS = ("number 12345", "数据库", "第1234", "Numbre 1234", "-entry walrus", "walrus or b")


async def test_a_search_in_20000_rows_scans_no_table(db: Database) -> None:
    scope = await filled(db)
    access = Access(scope, (scope,))
    for words in WORDS:
        matching = knowledge_search.matching(access, words, Filter())
        resembling = knowledge_search.resembling(access, words, Filter())
        for query in (matching, resembling):
            if query is not None:
                shown = await plan(db, access, query)
                assert "Seq Scan" not in shown, (words, shown)
                assert "_search_idx" in shown or "_fuzzy_idx" in shown, (words, shown)


async def filled(db: Database) -> UUID:
    """A person's scope with that many rows in it."""
    scope = uuid4()
    async with db.begin(TESTING) as connection:
        person = (
            "INSERT INTO scopes (id, kind, name, owner_id) VALUES (:scope, 'person', 'x', :scope)"
        )
        await connection.execute(text(person), {"scope": scope})
        await connection.execute(text(FILL), {"scope": scope, "rows": ROWS})
    await execute(db.dsn, "VACUUM ANALYZE knowledge")
    return scope
