"""A world stored by COPY as its own operations would have left it: heads, versions, log, search."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import asyncpg

from bench.world import World, uuid_of
from db.log import Head


async def seed(dsn: str, world: World) -> None:
    """Fill a migrated, empty database."""
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        async with connection.transaction():
            await _Seeding(connection, world).run()
    finally:
        await connection.close()
    await _analyse(dsn)


async def _analyse(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("VACUUM (FREEZE, ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


class _Seeding:
    """The state of one seeding: how far each scope's log has come."""

    def __init__(self, connection: asyncpg.Connection[Any], world: World) -> None:
        self._connection = connection
        self._world = world
        self._people = [uuid_of("person", number) for number in range(world.people)]
        self._teams = [uuid_of("team", number) for number in range(world.teams)]
        self._heads: dict[UUID, Head] = {}
        self._log: list[tuple[Any, ...]] = []

    async def run(self) -> None:
        """Store everything."""
        await self._scopes()
        await self._memberships()
        indexes = await self._without_indexes()
        await self._knowledge()
        for definition in indexes:
            await self._connection.execute(definition)
        await self._sessions()
        await self._flush()
        await self._connection.executemany(
            "UPDATE scopes SET head = $2, head_at = $3 WHERE id = $1",
            [(head.scope_id, head.next - 1, head.at) for head in self._heads.values()],
        )

    async def _copy(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        await self._connection.copy_records_to_table(table, records=rows, columns=columns.split())

    async def _scopes(self) -> None:
        world = self._world
        born = world.founded_at(-1)
        people = [(id_, "person", world.email(n), id_, born) for n, id_ in enumerate(self._people)]
        owners = {m.team: self._people[m.person] for m in world.memberships if m.role == "owner"}
        teams = [
            (id_, "team", world.team_name(n), owners[n], world.founded_at(n))
            for n, id_ in enumerate(self._teams)
        ]
        await self._copy("scopes", "id kind name owner_id created_at", people + teams)
        accounts = [
            (id_, world.email(number), world.email(number), born)
            for number, id_ in enumerate(self._people)
        ]
        await self._copy("accounts", "id email email_key created_at", accounts)

    async def _memberships(self) -> None:
        world = self._world
        born = world.founded_at(-1)
        own = [(id_, id_, "owner", born) for id_ in self._people]
        shared = []
        for m in world.memberships:
            team, person = self._teams[m.team], self._people[m.person]
            shared.append((team, person, m.role, m.joined_at))
            kind, subject = (
                ("team_created", team) if m.role == "owner" else ("member_joined", person)
            )
            self._note(team, kind, subject, person, m.joined_at)
        await self._copy("memberships", "scope_id account_id role joined_at", own + shared)

    async def _without_indexes(self) -> list[str]:
        """Drop what can be built faster afterwards; returns how it is built again."""
        rows = await self._connection.fetch(
            "SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition "
            "FROM pg_index WHERE indrelid = 'knowledge'::regclass AND NOT indisprimary"
        )
        for row in rows:
            await self._connection.execute(f"DROP INDEX {row['name']}")
        return [row["definition"] for row in rows]

    async def _knowledge(self) -> None:
        columns = (
            "scope_id id author_id type timestamp summary project details tags related_files "
            "sameness version created_at updated_at"
        )
        await self._copy("knowledge", columns, self._entries())

    def _entries(self) -> Iterator[tuple[Any, ...]]:
        world = self._world
        for number, author, team in world.entries_by():
            person = self._people[author]
            scope = person if team is None else self._teams[team]
            entry, at = world.entry(number), world.stored_at(number)
            said = "\0".join((entry["type"], entry["project"], entry["summary"]))
            version = self._note(scope, "knowledge_created", entry["id"], person, at)
            yield (
                scope,
                entry["id"],
                person,
                entry["type"],
                entry["timestamp"],
                entry["summary"],
                entry["project"],
                entry["details"],
                entry["tags"],
                entry["related_files"],
                hashlib.sha256(said.encode()).digest(),
                version,
                at,
                at,
            )

    async def _sessions(self) -> None:
        world, rows = self._world, []
        for number in range(world.sessions):
            person, at = self._people[number % world.people], world.changed_at(number)
            session = world.session(number)
            version = self._note(person, "session_created", session["id"], person, at)
            rows.append((person, *session.values(), version, at, at))
        columns = (
            "scope_id id session_id name project_name working_directory git_branch version "
            "created_at updated_at"
        )
        await self._copy("sessions", columns, rows)

    def _note(self, scope: UUID, kind: str, subject: UUID, actor: UUID, at: Any) -> int:
        head = self._heads.setdefault(scope, Head(scope, 1, at))
        head.at = at
        version = head.take()
        self._log.append((scope, version, at, kind, subject, actor))
        return version

    async def _flush(self) -> None:
        columns = "scope_id version at kind subject_id actor_id"
        await self._copy("log", columns, self._log)
