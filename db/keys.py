"""API keys: kept as digests, listed, revoked, and what is noted of their use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.rows import AnyRow, AnySelect
from db.tables import accounts, api_keys

_SHOWN = (
    api_keys.c.id,
    api_keys.c.prefix,
    api_keys.c.label,
    api_keys.c.created_at,
    api_keys.c.last_used_at,
    api_keys.c.scopes,
    api_keys.c.expires_at,
    api_keys.c.last_address,
    api_keys.c.last_program,
)


class KeyPlace(NamedTuple):
    """Where a key stands in the list of its account's keys."""

    created_at: datetime
    id: UUID


def usable() -> ColumnElement[bool]:
    """The condition that a key is neither revoked nor expired."""
    endless = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > func.now())
    return and_(api_keys.c.revoked_at.is_(None), endless)


def _own(account_id: UUID) -> ColumnElement[bool]:
    return and_(api_keys.c.account_id == account_id, api_keys.c.revoked_at.is_(None))


async def add(
    connection: AsyncConnection,
    *,
    key_id: UUID,
    account_id: UUID,
    digest: bytes,
    prefix: str,
    label: str,
    scopes: Collection[str],
    expires_at: datetime | None,
) -> AnyRow:
    """Keep a new key's digest; returns the key as it is listed."""
    query = (
        insert(api_keys)
        .values(
            id=key_id,
            account_id=account_id,
            digest=digest,
            prefix=prefix,
            label=label,
            scopes=list(scopes),
            expires_at=expires_at,
        )
        .returning(*_SHOWN)
    )
    return (await connection.execute(query)).one()


async def holds(
    connection: AsyncConnection, account_id: UUID, key_id: UUID | None, epoch: int | None
) -> bool:
    """Whether a credential is still good, which nobody can change until the transaction ends."""
    query = select(accounts.c.token_epoch).where(accounts.c.id == account_id)
    current = (await connection.execute(query.with_for_update(read=True))).scalar_one_or_none()
    if current is None or (epoch is not None and epoch != current):
        return False
    if key_id is None:
        return True
    key = select(api_keys.c.id).where(api_keys.c.id == key_id, usable()).with_for_update(read=True)
    return (await connection.execute(key)).one_or_none() is not None


async def touch(
    connection: AsyncConnection, key_id: UUID, address: str | None, program: str | None
) -> None:
    """Note that a key was used now, and from where."""
    await connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id)
        .values(last_used_at=func.now(), last_address=address, last_program=program)
    )


def paged(
    account_id: UUID,
    *,
    limit: int,
    after: KeyPlace | None = None,
    before: KeyPlace | None = None,
    backward: bool = False,
) -> AnySelect:
    """Select an account's keys that are not revoked, oldest first; never a digest.

    `backward` turns the order round.
    """
    place = tuple_(api_keys.c.created_at, api_keys.c.id)
    query = select(*_SHOWN).where(_own(account_id)).limit(limit)
    if after is not None:
        query = query.where(place > tuple_(*after))
    if before is not None:
        query = query.where(place < tuple_(*before))
    order = (api_keys.c.created_at, api_keys.c.id)
    return query.order_by(*((column.desc() for column in order) if backward else order))


async def page(
    connection: AsyncConnection,
    account_id: UUID,
    *,
    limit: int,
    after: KeyPlace | None = None,
    before: KeyPlace | None = None,
    backward: bool = False,
) -> Sequence[AnyRow]:
    """The rows of `paged`, oldest first."""
    query = paged(account_id, limit=limit, after=after, before=before, backward=backward)
    found = (await connection.execute(query)).all()
    return found[::-1] if backward else found


def counted(account_id: UUID) -> AnySelect:
    """Select how many keys of an account are not revoked."""
    return select(func.count()).select_from(api_keys).where(_own(account_id))


async def count(connection: AsyncConnection, account_id: UUID) -> int:
    """How many keys of the account are not revoked."""
    total: int = (await connection.execute(counted(account_id))).scalar_one()
    return total


async def one(connection: AsyncConnection, account_id: UUID, key_id: UUID) -> AnyRow | None:
    """A key of the account's that is not revoked."""
    query = select(*_SHOWN).where(_own(account_id), api_keys.c.id == key_id)
    return (await connection.execute(query)).one_or_none()


async def newest(connection: AsyncConnection, account_id: UUID) -> AnyRow | None:
    """The account's newest key that is not revoked."""
    newest_first = (api_keys.c.created_at.desc(), api_keys.c.id.desc())
    query = select(*_SHOWN).where(_own(account_id)).order_by(*newest_first).limit(1)
    return (await connection.execute(query)).one_or_none()


async def label(
    connection: AsyncConnection, account_id: UUID, key_id: UUID, text: str
) -> AnyRow | None:
    """Call a key something else; None when there is no such key."""
    query = update(api_keys).where(_own(account_id), api_keys.c.id == key_id)
    return (await connection.execute(query.values(label=text).returning(*_SHOWN))).one_or_none()


async def revoke(connection: AsyncConnection, account_id: UUID, key_id: UUID) -> bool:
    """Make a key of the account useless; False when there is no such key."""
    query = update(api_keys).where(_own(account_id), api_keys.c.id == key_id)
    return (await connection.execute(query.values(revoked_at=func.now()))).rowcount == 1


async def revoke_all(
    connection: AsyncConnection, account_id: UUID, *, but: UUID | None = None
) -> int:
    """Make every key of the account useless, but perhaps one; returns how many."""
    query = update(api_keys).where(_own(account_id)).values(revoked_at=func.now())
    if but is not None:
        query = query.where(api_keys.c.id != but)
    return (await connection.execute(query)).rowcount
