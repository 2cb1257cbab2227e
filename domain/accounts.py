"""Accounts: register, log in, find out who is asking."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, cast
from uuid import UUID, uuid4

from pydantic import StringConstraints

from db import accounts as rows
from db import keys as key_rows
from db import who_asks
from db.claims import System
from db.errors import DuplicateError
from db.rows import AnyRow
from db.who_asks import Holder
from domain import audit, keys, letters, tokens
from domain.actor import NOWHERE, Actor, KeyScope, Origin, Role
from domain.errors import Conflict, Unauthenticated
from domain.inputs import Input, Storable
from domain.names import EmailAddress as EmailAddress
from domain.names import Username, username_key
from domain.names import email_key as email_key
from domain.services import Services

KEY_USE_NOTED_EVERY = timedelta(minutes=1)
NOTING_SECONDS = 0.01
"""What noting a failed log-in seems to take, also where there is no account to note it for."""
EMAIL_TAKEN = "This e-mail address is already registered"
_KEY = re.compile(r"[0-9a-f]{64}")

Password = Annotated[Storable, StringConstraints(min_length=8, max_length=128)]


class RegisterEmail(Input):
    """Registration as the Cloud API does it."""

    email: EmailAddress
    password: Password


class RegisterUsername(Input):
    """Registration as the Registry API does it."""

    username: Username


class Credentials(Input):
    """What a person logs in with."""

    email: Annotated[Storable, StringConstraints(max_length=255)]
    password: Annotated[Storable, StringConstraints(max_length=128)]


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its owner sees it."""

    id: UUID
    email: str | None
    username: str | None
    tier: str
    created_at: datetime
    email_verified_at: datetime | None = None
    """When a code that was sent to the address came back."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A new account with its first credentials; the key is shown this once."""

    account: Account
    token: str
    api_key: str


async def register_email(
    services: Services, data: RegisterEmail, origin: Origin = NOWHERE
) -> Registration:
    """Open an account for an e-mail address. Raises Conflict when it has one already."""
    values = {
        "email": data.email,
        "email_key": email_key(data.email),
        "password_hash": await services.passwords.hash(data.password),
    }
    made = await _register(services, data.email, values, EMAIL_TAKEN, origin)
    letters.post(services, data.email, "verify_email")
    return made


async def register_username(
    services: Services, data: RegisterUsername, origin: Origin = NOWHERE
) -> Registration:
    """Open an account for a username, without a password. Raises Conflict when it is taken."""
    values = {"username": data.username, "username_key": username_key(data.username)}
    return await _register(
        services, data.username, values, "This username is already taken", origin
    )


async def _register(
    services: Services, name: str, values: dict[str, Any], taken: str, origin: Origin
) -> Registration:
    account_id = uuid4()
    actor = Actor(account_id, {account_id: "owner"}, origin=origin)
    try:
        async with services.db.begin(System("registration")) as connection:
            created_at = await rows.create(connection, account_id, name, values)
            await audit.record(connection, actor, "registered")
            minted = await keys.add(connection, actor, keys.NewKey(label="registration"))
    except DuplicateError:
        raise Conflict(taken) from None
    account = Account(account_id, values.get("email"), values.get("username"), "free", created_at)
    return Registration(account, services.tokens.sign(account_id, 0), minted.secret)


async def log_in(services: Services, data: Credentials, origin: Origin) -> tuple[Account, str]:
    """The account and a fresh token, for the right password.

    An unknown address costs the same time as a wrong password, and both raise Unauthenticated; too
    many attempts raise RateLimited.
    """
    who, address = email_key(data.email), origin.address or "unknown"
    await services.logins.begin(who, address)
    async with services.db.read(System("log-in")) as connection:
        row = await rows.by_email(connection, who)
    right = await services.passwords.verify(data.password, row.password_hash if row else None)
    if row is None or not right:
        noted = audit.record_failure(services.db, who, origin)
        await asyncio.gather(noted, asyncio.sleep(NOTING_SECONDS))
        raise Unauthenticated("Invalid credentials")
    await services.logins.succeeded(who, address)
    actor = Actor(row.id, {row.id: "owner"}, origin=origin)
    async with services.db.begin(actor) as connection:
        if not await key_rows.holds(connection, row.id, None, row.token_epoch):
            raise Unauthenticated("Invalid credentials")
        await audit.record(connection, actor, "logged_in")
    return account_of(row), services.tokens.sign(row.id, row.token_epoch)


async def authenticate(services: Services, credential: str, origin: Origin = NOWHERE) -> Actor:
    """Who a credential belongs to: with a dot in it a token, otherwise an API key.

    Raises Unauthenticated when it is malformed, unknown, expired or revoked.
    """
    return await services.recent.actor(
        credential, origin, lambda: _authenticated(services, credential, origin)
    )


async def _authenticated(services: Services, credential: str, origin: Origin) -> Actor:
    if "." in credential:
        return await _by_token(services, credential, origin)
    if not _KEY.fullmatch(credential):
        raise Unauthenticated("The API key is not valid")
    holder = await who_asks.by_key_digest(services.reads, tokens.digest(credential))
    if holder is None or holder.key_id is None:
        raise Unauthenticated("The API key is not valid")
    used = holder.last_used_at
    if used is None or datetime.now(UTC) - used > KEY_USE_NOTED_EVERY:
        async with services.db.begin(System("who asks"), quiet=True) as connection:
            await key_rows.touch(connection, holder.key_id, origin.address, origin.program)
    return replace(
        _actor(holder, origin),
        key_id=holder.key_id,
        key_scopes=frozenset(cast(Sequence[KeyScope], holder.scopes)),
        expires_at=holder.expires_at.timestamp() if holder.expires_at else None,
    )


async def _by_token(services: Services, token: str, origin: Origin) -> Actor:
    claims = services.tokens.read(token)
    holder = await who_asks.by_id(services.reads, claims.account_id)
    if holder is None or holder.token_epoch != claims.epoch:
        raise Unauthenticated("The token has been revoked: log in again")
    return replace(_actor(holder, origin), token_epoch=claims.epoch, expires_at=claims.expires_at)


async def me(services: Services, actor: Actor) -> Account:
    """The actor's own account. Raises Unauthenticated when it was deleted meanwhile."""
    async with services.db.read(actor) as connection:
        row = await rows.by_id(connection, actor.account_id)
    if row is None:
        raise Unauthenticated
    return account_of(row)


def account_of(row: AnyRow) -> Account:
    """An account from its row."""
    return Account(row.id, row.email, row.username, row.tier, row.created_at, row.email_verified_at)


def _actor(holder: Holder, origin: Origin) -> Actor:
    roles = cast(dict[UUID, Role], holder.roles)
    return Actor(holder.id, roles, holder.email, holder.username, origin=origin)
