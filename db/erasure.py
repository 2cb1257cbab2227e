"""An account that goes: at once what it is known by and gets in with, then all that it kept.

First its scope is marked deleted and the account's row deleted, which ends keys, tokens and
memberships. What lives in the scope then goes in batches, whichever process does them, and last the
scope itself. So an account of any size can be erased, and a server that dies half-way leaves
something that the next one finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    TextClause,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)

from db.engine import Connection
from db.rows import AnyRow
from db.tables import (
    accounts,
    invitations,
    key_epochs,
    knowledge,
    memberships,
    metadata,
    public_keys,
    scopes,
    sealed_entries,
    session_shares,
    summaries,
    wrapped_keys,
)

_LOCK: Final = 0x7EA3E8A5
SCOPED: Final = tuple(
    table.name
    for table in reversed(metadata.sorted_tables)
    if "scope_id" in table.c and table.name != "memberships"
)
"""Every table whose rows live in a scope, those first that refer to others."""


async def teams(connection: Connection, account_id: UUID) -> Sequence[AnyRow]:
    """`id, name, role, members` of each living team that the account is in."""
    others = memberships.alias("others")
    members = (
        select(func.count())
        .where(others.c.scope_id == memberships.c.scope_id)
        .scalar_subquery()
        .label("members")
    )
    query = (
        select(scopes.c.id, scopes.c.name, memberships.c.role, members)
        .join(memberships, memberships.c.scope_id == scopes.c.id)
        .where(
            memberships.c.account_id == account_id,
            scopes.c.kind == "team",
            scopes.c.deleted_at.is_(None),
        )
        .order_by(scopes.c.name, scopes.c.id)
    )
    return (await connection.execute(query)).all()


async def end_scopes(connection: Connection, scope_ids: Sequence[UUID]) -> None:
    """Mark scopes as deleted and nameless; what is in them is seen by nobody from then on."""
    query = update(scopes).where(scopes.c.id.in_(list(scope_ids)))
    await connection.execute(query.values(deleted_at=func.clock_timestamp(), name=""))
    await connection.execute(delete(memberships).where(memberships.c.scope_id.in_(list(scope_ids))))


async def end_account(connection: Connection, account_id: UUID, email_key: str | None) -> None:
    """Delete the account with its keys and memberships, and what teams hold that names it."""
    await connection.execute(delete(accounts).where(accounts.c.id == account_id))
    made = (invitations.c.created_by == account_id) & invitations.c.accepted_at.is_(None)
    theirs = or_(made, invitations.c.email_key == email_key) if email_key else made
    await connection.execute(delete(invitations).where(theirs))
    query = update(session_shares).where(session_shares.c.owner_id == account_id)
    await connection.execute(query.values(title=None, note=None))


async def ended(connection: Connection, limit: int) -> list[UUID]:
    """Accounts that were deleted and of which something is still there."""
    query = (
        select(scopes.c.id)
        .where(scopes.c.kind == "person", scopes.c.deleted_at.is_not(None))
        .order_by(scopes.c.deleted_at)
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())


async def ended_with(connection: Connection, account_id: UUID) -> list[UUID]:
    """The scopes that end with an account: its own, and the teams that had nobody else."""
    alone = ~select(memberships).where(memberships.c.scope_id == scopes.c.id).exists()
    query = select(scopes.c.id).where(
        scopes.c.owner_id == account_id, scopes.c.deleted_at.is_not(None), alone
    )
    return list((await connection.execute(query)).scalars())


async def alone(connection: Connection, account_id: UUID) -> bool:
    """Take the right to erase an account in this transaction; False when somebody else does it."""
    query = text("SELECT pg_try_advisory_xact_lock(:key, hashtext(CAST(:account AS text)))")
    values = {"key": _LOCK, "account": str(account_id)}
    return bool((await connection.execute(query, values)).scalar_one())


def _batch(table: str) -> TextClause:
    statement = text(
        f"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE scope_id = :scope LIMIT :limit))
        """  # noqa: S608 - the interpolated part is a declared table's name
    )
    return statement.bindparams(bindparam("scope", type_=Uuid), bindparam("limit", type_=Integer))


async def erase_some(connection: Connection, scope_id: UUID, limit: int) -> int:
    """Delete up to `limit` rows of a scope; how many that were, 0 when it is empty."""
    for table in SCOPED:
        values = {"scope": scope_id, "limit": limit}
        if done := (await connection.execute(_batch(table), values)).rowcount:
            return int(done)
    return 0


_BURIED = (
    update(knowledge).values(
        summary="",
        project=None,
        session_id=None,
        details=None,
        tags=[],
        related_files=[],
        sameness=b"",
    ),
    update(summaries).values(session_id="", project=None, summary={}),
)


async def empty_tombstones(connection: Connection, account_id: UUID) -> None:
    """Take the text out of what the account wrote into teams and deleted; nobody can restore it."""
    for statement in _BURIED:
        table = statement.table
        buried = and_(
            table.c.author_id == account_id,
            table.c.scope_id != account_id,
            table.c.deleted_at.is_not(None),
        )
        await connection.execute(statement.where(buried))


async def forget_public_keys(connection: Connection, account_id: UUID) -> None:
    """Delete the account's public keys, unless a team checks with them what the account made."""
    made = (
        exists().where(key_epochs.c.created_by == account_id),
        exists().where(wrapped_keys.c.wrapped_by == account_id),
        exists().where(sealed_entries.c.author_id == account_id),
    )
    query = delete(public_keys).where(public_keys.c.account_id == account_id, ~or_(*made))
    await connection.execute(query)


async def end_scope(connection: Connection, scope_id: UUID) -> None:
    """Delete a scope in which nothing is left."""
    await connection.execute(delete(scopes).where(scopes.c.id == scope_id))
