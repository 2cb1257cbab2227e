"""The role that the server's connections take, so that row-level security binds them.

Superusers and whoever has BYPASSRLS pass by every policy, and the embedded PostgreSQL logs in as a
superuser. So each connection takes a role with no rights but to read and change rows. Where the
log-in may make no roles, it keeps its own: as the tables' owner it is bound by FORCE.
"""

from __future__ import annotations

import logging
from typing import Final

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from db.errors import DatabaseUnavailableError
from db.tables import metadata

SERVER_ROLE: Final = "teamlore_server"
_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"

_TAKE = """
SELECT set_config('role', $1, false)
WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(session_user, oid, 'MEMBER'))
"""
_UNBOUND = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"

_logger = logging.getLogger(__name__)


async def assume(connection: asyncpg.Connection, role: str) -> None:
    """Have a new connection act as `role`, or as its log-in where there is no such role.

    Raises DatabaseUnavailableError for a connection that row-level security would not bind.
    """
    await connection.execute(_TAKE, role)
    if await connection.fetchval(_UNBOUND):
        _logger.error("Refused: row-level security does not bind this log-in; run the migrations")
        raise DatabaseUnavailableError


def prepare(connection: Connection, role: str) -> bool:
    """Make the role where there is none and let it use every table; whether it can be taken.

    To be called after each migration, as the owner of the tables. False where the log-in may make
    no roles: then the server is bound as their owner.
    """
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    try:
        with connection.begin_nested():
            _make(connection, role, quoted)
            for table in metadata.sorted_tables:
                _grant(connection, role, quoted, table.name)
            schema = connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
            connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}"))
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != "42501":  # insufficient_privilege
            raise
        _logger.warning(
            "No role %s: %s. The server is bound as the tables' owner", role, error.orig
        )
        return False
    return True


_LEAKPROOF = ("ts_match_vq(tsvector, tsquery)", "word_similarity_commutator_op(text, text)")
"""What the searches ask their indexes with. PostgreSQL checks policies before any function that it
does not know to keep secrets, so that such an index would be of no use; these two tell nothing of
their arguments but the answer. A dump does not carry it."""


def let_searches_use_indexes(connection: Connection) -> bool:
    """Mark the functions that searches need, as a superuser may; whether that was possible."""
    superuser = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if not connection.execute(superuser).scalar_one():
        return False
    for function in _LEAKPROOF:
        known = text("SELECT NOT proleakproof FROM pg_proc WHERE oid = to_regprocedure(:function)")
        if connection.execute(known, {"function": function}).scalar():
            connection.execute(text(f"ALTER FUNCTION {function} LEAKPROOF"))
    return True


def _make(connection: Connection, role: str, quoted: str) -> None:
    # Of several databases of one PostgreSQL that are migrated at once, one makes it.
    make = f"""
        DO $$ BEGIN
            CREATE ROLE {quoted} NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END $$
    """
    known = text("SELECT count(*) FROM pg_roles WHERE rolname = :role")
    if not connection.execute(known, {"role": role}).scalar_one():
        connection.execute(text(make))
    superuser = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if not connection.execute(superuser).scalar_one():
        connection.execute(text(f"GRANT {quoted} TO CURRENT_USER"))


def _grant(connection: Connection, role: str, quoted: str, table: str) -> None:
    has = text("SELECT has_table_privilege(:role, :table, 'DELETE')")
    if not connection.execute(has, {"role": role, "table": table}).scalar_one():
        connection.execute(text(f"GRANT {_RIGHTS} ON {table} TO {quoted}"))
