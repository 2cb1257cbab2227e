"""The second wall: PostgreSQL itself shows nobody a row without a claim to it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from db.claims import NOBODY, Claimant
from db.engine import Database
from db.errors import DatabaseUnavailableError
from db.migrate import upgrade
from db.scope import Access
from db.server_role import SERVER_ROLE
from db.tables import COMMUNITY, metadata
from domain.scope_reader import ScopeReader
from tests.support.postgres import TESTING, execute, fresh_database
from tests.support.process import ROOT

OF_NOBODY = {
    "patterns": "what the community shows, to everybody",
    "contributions": "kept under digests, so that not even the server knows whose they are",
    "contributors": "digests, for their number alone",
    "privacy_ledger": "what draws have cost, of nobody in particular",
    "budgets": "digests of who asks, for the rate limits, which come before anybody is known",
    "login_attempts": "digests, for the same reason",
    "alembic_version": "the schema's own, and the server's role has no right to it",
}
"""Tables without row-level security, and why."""

AL, BO, TEAM = uuid4(), uuid4(), uuid4()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    db = Database(database_url, pool_size=1)
    yield db
    await db.close()


async def test_every_table_is_forced_or_says_why_not(db: Database) -> None:
    query = """
        SELECT relname, relrowsecurity AND relforcerowsecurity AS forced,
            EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid) AS has_policy
        FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
    """
    async with db.read(NOBODY) as connection:
        found = {row.relname: row for row in await connection.execute(text(query))}
    open_ones = {name for name, row in found.items() if not (row.forced and row.has_policy)}
    assert open_ones == set(OF_NOBODY)
    assert set(found) == set(metadata.tables) | {"alembic_version"}


PROTECTED = [t for t in metadata.sorted_tables if t.name not in OF_NOBODY]


@pytest.mark.parametrize("table", PROTECTED, ids=lambda table: table.name)
async def test_only_who_has_a_claim_sees_the_rows(db: Database, table: Table) -> None:
    await _fill(db.dsn, table)
    assert await _seen(db, TESTING, table) >= {AL, BO, TEAM} - _NEVER.get(table.name, set())
    assert await _seen(db, NOBODY, table) <= {COMMUNITY}
    assert await _seen(db, Access(uuid4(), (AL, BO, TEAM)), table) <= {COMMUNITY}
    assert await _seen(db, Access(BO, (AL, BO, TEAM)), table) <= {BO, COMMUNITY}
    assert AL in await _seen(db, Access(AL, ()), table)
    members = await _seen(db, Access(AL, ()), table) - {COMMUNITY}
    assert members == {AL, TEAM} - _NEVER.get(table.name, set())
    if table.name not in _NEVER:
        assert await _seen(db, ScopeReader(TEAM), table) - {COMMUNITY} == {TEAM}


_NEVER = {name: {TEAM} for name in ("api_keys", "accounts", "mail_tokens", "public_keys")}
"""A team is no account."""


async def _fill(dsn: str, table: Table) -> None:
    """A row of Al's, of Bo's and of a team that Al is in; of other tables only what these need."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET session_replication_role = replica")  # no foreign keys
    member = "INSERT INTO memberships (scope_id, account_id, role) VALUES ($1, $2, 'owner')"
    for scope, account in ((AL, AL), (BO, BO), (TEAM, AL)):
        await connection.execute(member, scope, account)
    for owner in (AL, BO, TEAM):
        if table.name != "memberships" and owner not in _NEVER.get(table.name, set()):
            values = {column.name: _value(column, owner) for column in _needed(table)}
            names = ", ".join(values)
            places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
            statement = f"INSERT INTO {table.name} ({names}) VALUES ({places})"
            await connection.execute(statement, *values.values())
    await connection.close()


def _owner(table: Table) -> Any:
    for name in ("scope_id", "account_id", "team_id"):
        if name in table.c and table.name != "audit":
            return table.c[name]
    return (
        func.coalesce(table.c.team_id, table.c.account_id) if "team_id" in table.c else table.c.id
    )


def _needed(table: Table) -> list[Any]:
    of_owner = {"team_id", "account_id"} if table.name == "audit" else set()
    return [
        column
        for column in table.c
        if column.name in of_owner
        or (not column.nullable and column.server_default is None and column.computed is None)
    ]


def _value(column: Any, owner: UUID) -> Any:
    if column.table.name == "audit" and column.name in {"team_id", "account_id"}:
        return owner if (column.name == "team_id") == (owner == TEAM) else None
    if column.name in {"scope_id", "account_id", "owner_id", "author_id"}:
        return owner
    if column.name == "id" and column.table.name in {"scopes", "accounts"}:
        return owner
    if column.name in {"kind", "role", "purpose"}:
        return {
            "scopes": "person",
            "memberships": "member",
            "invitations": "member",
            "mail_tokens": "verify_email",
        }.get(column.table.name, "x")
    return _OF_TYPE[column.type.__class__.__name__]()


_OF_TYPE: dict[str, Any] = {
    "Uuid": uuid4,
    "Text": lambda: "x",
    "BigInteger": lambda: 1,
    "Integer": lambda: 1,
    "LargeBinary": lambda: uuid4().bytes,
    "DateTime": lambda: datetime.now(UTC),
    "Boolean": lambda: False,
    "ARRAY": list,
    "JSONB": lambda: "{}",
    "TSVECTOR": lambda: "x",
}


async def _seen(db: Database, who: Claimant, table: Table) -> set[UUID]:
    async with db.read(who) as connection:
        return set((await connection.execute(select(_owner(table)))).scalars())


async def test_nobody_writes_into_a_scope_that_is_not_theirs(db: Database) -> None:
    stars = metadata.tables["stars"]
    await _fill(db.dsn, metadata.tables["scopes"])

    async def write(who: Claimant, scope: UUID) -> None:
        async with db.begin(who) as connection:
            await connection.execute(insert(stars).values(scope_id=scope, entry_id=uuid4()))

    await write(Access(AL, ()), TEAM)
    for who in (Access(BO, (TEAM,)), NOBODY):
        with pytest.raises(DBAPIError, match="row-level security"):
            await write(who, TEAM)


ENDS = ("commit", "raise", "fail", "cut")
CLAIMS: list[Claimant] = [Access(AL, ()), Access(BO, ()), NOBODY, TESTING, ScopeReader(TEAM)]
SEES = [{AL, TEAM}, {BO}, set(), {AL, BO, TEAM}, {TEAM}]


async def test_a_claim_ends_with_its_transaction(db: Database) -> None:
    stars = metadata.tables["stars"]
    await _fill(db.dsn, stars)

    class BlockError(Exception): ...

    async def use(index: int, end: str, writes: bool) -> None:
        opened = db.begin(CLAIMS[index]) if writes else db.read(CLAIMS[index])
        async with opened as connection:
            found = set((await connection.execute(select(stars.c.scope_id))).scalars())
            assert found == SEES[index]
            if end == "raise":
                raise BlockError
            if end == "fail":
                await connection.execute(text("SELECT 1 / 0"))
            if end == "cut":
                await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    steps = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(ENDS), st.booleans()), max_size=8)

    @settings(max_examples=10, deadline=None, database=None)
    @given(steps)
    def run(chosen: list[tuple[int, str, bool]]) -> None:
        orders.append(chosen)

    orders: list[list[tuple[int, str, bool]]] = []
    run()
    for order in orders:
        for index, end, writes in order:
            try:
                await use(index, end, writes)
            except (BlockError, DBAPIError, DatabaseUnavailableError):
                assert end != "commit"
            else:
                assert end == "commit"


async def test_tables_of_any_size_can_be_read(db: Database) -> None:
    """The policies' functions make claims, which nothing may in the midst of a parallel plan."""
    for table in metadata.sorted_tables:
        async with db.read(Access(AL, (AL,))) as connection:
            for setting in ("parallel_setup_cost", "parallel_tuple_cost"):
                await connection.execute(text(f"SET LOCAL {setting} = 0"))
            await connection.execute(text("SET LOCAL min_parallel_table_scan_size = 0"))
            await connection.execute(text("SET LOCAL debug_parallel_query = on"))
            await connection.execute(select(func.count()).select_from(table))


async def test_the_server_acts_as_a_role_that_may_only_read_and_change_rows(db: Database) -> None:
    async with db.begin(NOBODY) as connection:
        role = (
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname=current_user"
        )
        assert tuple((await connection.execute(text(role))).one()) == (SERVER_ROLE, False, False)
        await connection.execute(text("RESET ALL"))
        assert (await connection.execute(text("SELECT current_user"))).scalar_one() == SERVER_ROLE
        with pytest.raises(DBAPIError, match="must be owner"):
            await connection.execute(text("ALTER TABLE stars NO FORCE ROW LEVEL SECURITY"))


async def test_a_login_that_no_policy_binds_is_refused(database_url: str) -> None:
    db = Database(database_url, role="no_such_role")
    with pytest.raises(DatabaseUnavailableError):
        async with db.read(NOBODY):
            pass
    await db.close()


@pytest.mark.parametrize("may", ["NOCREATEROLE", "CREATEROLE"])
async def test_a_login_that_is_no_superuser_is_bound_too(migrated_postgres: str, may: str) -> None:
    """By the role where it can make one, else as the owner of the tables."""
    owner, role = f"owner_{uuid4().hex}", f"role_{uuid4().hex}"
    async with fresh_database(migrated_postgres, template="template0") as dsn:
        database = dsn.split("@/")[1].split("?")[0]
        await execute(dsn, f"CREATE ROLE {owner} LOGIN {may}")
        await execute(dsn, f"ALTER DATABASE {database} OWNER TO {owner}")
        own = dsn.replace("://teamlore@", f"://{owner}@")
        for _start in range(2):
            await upgrade(own, role)
        db, stars = Database(own, role=role), metadata.tables["stars"]
        await _fill(dsn, stars)
        assert [await _seen(db, who, stars) for who in CLAIMS] == SEES
        async with db.read(NOBODY) as connection:
            bound = (await connection.execute(text("SELECT current_user"))).scalar_one()
        assert bound == (role if may == "CREATEROLE" else owner)
        await db.close()
        for left in (role, owner) if may == "CREATEROLE" else (owner,):
            await execute(dsn, f"REASSIGN OWNED BY {left} TO teamlore; DROP OWNED BY {left}")
            await execute(dsn, f"DROP ROLE {left}")


def test_the_servers_own_work_is_on_the_list() -> None:
    """Whatever sees everything has a name, and the decision says why it has to."""
    named: set[str] = set()
    for folder in ("db", "domain", "graph", "rest_compat"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "claims.py":
                source = path.read_text(encoding="utf-8")
                calls = re.findall(r"\bSystem\(\s*([^)]*)\)", source)
                assert all(re.fullmatch(r'"[^"]+"', call) for call in calls), path
                named |= {call.strip('"') for call in calls}
    decision = ROOT / "docs/decisions/0004-row-level-security.md"
    listed = re.findall(r"^\| `([^`]+)` \|", decision.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(named)
