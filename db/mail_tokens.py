"""Links in mails: kept as digests, good once and until they expire."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update

from db.engine import Connection
from db.rows import AnyRow
from db.tables import accounts, mail_tokens

Purpose = Literal["verify_email", "reset_password"]


async def add(
    connection: Connection,
    account_id: UUID,
    digest: bytes,
    purpose: Purpose,
    email_key: str,
    lifetime: timedelta,
) -> None:
    """Keep a link's digest. What the account has for the same purpose, or expired, goes."""
    stale = or_(mail_tokens.c.purpose == purpose, mail_tokens.c.expires_at <= func.now())
    await connection.execute(
        delete(mail_tokens).where(mail_tokens.c.account_id == account_id, stale)
    )
    await connection.execute(
        insert(mail_tokens).values(
            account_id=account_id,
            digest=digest,
            purpose=purpose,
            email_key=email_key,
            expires_at=func.now() + lifetime,
        )
    )


def _good(digest: bytes, purpose: Purpose) -> ColumnElement[bool]:
    return and_(
        mail_tokens.c.digest == digest,
        mail_tokens.c.purpose == purpose,
        mail_tokens.c.expires_at > func.now(),
    )


async def is_good(connection: Connection, digest: bytes, purpose: Purpose) -> bool:
    """Whether a link could be used now."""
    query = select(mail_tokens.c.account_id).where(_good(digest, purpose))
    return (await connection.execute(query)).one_or_none() is not None


async def use(connection: Connection, digest: bytes, purpose: Purpose) -> AnyRow | None:
    """Use a link up; `account_id` and `email_key` of it, None when it is not good any more."""
    query = (
        delete(mail_tokens)
        .where(_good(digest, purpose))
        .returning(mail_tokens.c.account_id, mail_tokens.c.email_key)
    )
    return (await connection.execute(query)).one_or_none()


async def note_verified(connection: Connection, account_id: UUID, email_key: str) -> bool:
    """Note that the account's owner reads what is sent to the address, if it is still its own."""
    query = (
        update(accounts)
        .where(accounts.c.id == account_id, accounts.c.email_key == email_key)
        .values(email_verified_at=func.coalesce(accounts.c.email_verified_at, func.now()))
    )
    return (await connection.execute(query)).rowcount == 1
