"""Accounts: register, log in, find out who is asking, keys."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, StringConstraints

from db import accounts as rows
from db.engine import Connection
from db.errors import DuplicateError
from db.rows import AnyRow
from domain import tokens
from domain.actor import Actor
from domain.errors import Conflict, NotFound, Unauthenticated
from domain.inputs import Input, Storable
from domain.services import Services

KEY_USE_NOTED_EVERY = timedelta(minutes=1)
_KEY = re.compile(r"[0-9a-f]{64}")
_USERNAME = re.compile(r"\w[\w.@+\-]{0,63}")


def normal_email(address: str) -> str:
    """The address as it is kept. Raises ValueError with a sentence about what is wrong."""
    try:
        checked = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(f"must be an e-mail address: {error}") from None
    return checked.normalized


def email_key(address: str) -> str:
    """What two spellings of one address have in common."""
    return unicodedata.normalize("NFKC", address).casefold()


def _normal_username(name: str) -> str:
    normal = unicodedata.normalize("NFKC", name)
    if not _USERNAME.fullmatch(normal):
        raise ValueError(
            "must be 1 to 64 letters, digits or . _ - @ +, beginning with a letter or digit"
        )
    return normal


EmailAddress = Annotated[Storable, StringConstraints(max_length=255), AfterValidator(normal_email)]
Username = Annotated[Storable, AfterValidator(_normal_username)]
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


class NewKey(Input):
    """A new API key, with a name that tells its owner what it is for."""

    label: Annotated[Storable, StringConstraints(max_length=100)] = ""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its owner sees it."""

    id: UUID
    email: str | None
    username: str | None
    tier: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Registration:
    """A new account with its first credentials; the key is shown this once."""

    account: Account
    token: str
    api_key: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed: never the secret itself."""

    id: UUID
    prefix: str
    label: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key with its secret, shown this once."""

    key: ApiKey
    secret: str


async def register_email(services: Services, data: RegisterEmail) -> Registration:
    """Open an account for an e-mail address. Raises Conflict when it has one already."""
    values = {
        "email": data.email,
        "email_key": email_key(data.email),
        "password_hash": await services.passwords.hash(data.password),
    }
    return await _register(
        services, data.email, values, "This e-mail address is already registered"
    )


async def register_username(services: Services, data: RegisterUsername) -> Registration:
    """Open an account for a username, without a password. Raises Conflict when it is taken."""
    values = {"username": data.username, "username_key": data.username.casefold()}
    return await _register(services, data.username, values, "This username is already taken")


async def _register(
    services: Services, name: str, values: dict[str, Any], taken: str
) -> Registration:
    account_id = uuid4()
    try:
        async with services.db.begin() as connection:
            created_at = await rows.create(connection, account_id, name, values)
            minted = await _mint(connection, account_id, "registration")
    except DuplicateError:
        raise Conflict(taken) from None
    account = Account(account_id, values.get("email"), values.get("username"), "free", created_at)
    return Registration(account, services.tokens.sign(account_id, 0), minted.secret)


async def log_in(services: Services, data: Credentials, address: str) -> tuple[Account, str]:
    """The account and a fresh token, for the right password.

    An unknown address costs the same time as a wrong password, and both raise Unauthenticated;
    too many failures raise RateLimited. `address` is the network address that asks.
    """
    who = email_key(data.email)
    await services.throttle.check_login(who, address)
    async with services.db.read() as connection:
        row = await rows.by_email(connection, who)
    right = await services.passwords.verify(data.password, row.password_hash if row else None)
    if row is None or not right:
        await services.throttle.failed_login(who, address)
        raise Unauthenticated("Invalid credentials")
    return _account(row), services.tokens.sign(row.id, row.token_epoch)


async def authenticate(services: Services, credential: str) -> Actor:
    """Who a credential belongs to: with a dot in it a token, otherwise an API key.

    Raises Unauthenticated when it is malformed, unknown, expired or revoked.
    """
    if "." in credential:
        return await _by_token(services, credential)
    if not _KEY.fullmatch(credential):
        raise Unauthenticated("The API key is not valid")
    async with services.db.read() as connection:
        row = await rows.by_key_digest(connection, tokens.digest(credential))
        if row is None:
            raise Unauthenticated("The API key is not valid")
        used = row.last_used_at
        if used is None or datetime.now(UTC) - used > KEY_USE_NOTED_EVERY:
            await rows.touch_key(connection, row.key_id)
    return _actor(row, row.key_id)


async def _by_token(services: Services, token: str) -> Actor:
    claims = services.tokens.read(token)
    async with services.db.read() as connection:
        row = await rows.by_id_with_roles(connection, claims.account_id)
    if row is None or row.token_epoch != claims.epoch:
        raise Unauthenticated("The token has been revoked: log in again")
    return replace(_actor(row, None), token_epoch=claims.epoch, expires_at=claims.expires_at)


async def me(services: Services, actor: Actor) -> Account:
    """The actor's own account. Raises Unauthenticated when it was deleted meanwhile."""
    async with services.db.read() as connection:
        row = await rows.by_id(connection, actor.account_id)
    if row is None:
        raise Unauthenticated
    return _account(row)


async def mint_key(services: Services, actor: Actor, data: NewKey) -> MintedKey:
    """One more API key; no earlier one is replaced."""
    async with services.db.begin() as connection:
        return await _mint(connection, actor.account_id, data.label)


async def keys(services: Services, actor: Actor) -> list[ApiKey]:
    """The actor's living keys, oldest first."""
    async with services.db.read() as connection:
        return [ApiKey(*row) for row in await rows.keys_of(connection, actor.account_id)]


async def revoke_key(services: Services, actor: Actor, key_id: UUID) -> None:
    """End one of the actor's keys at once. Raises NotFound when it has no such key."""
    async with services.db.begin() as connection:
        if not await rows.revoke_key(connection, actor.account_id, key_id):
            raise NotFound


async def sign_out_everywhere(services: Services, actor: Actor) -> None:
    """Make every token that was signed for the actor so far useless. Keys stay."""
    async with services.db.begin() as connection:
        await rows.advance_epoch(connection, actor.account_id)


async def _mint(connection: Connection, account_id: UUID, label: str) -> MintedKey:
    secret, key_id = tokens.new_key(), uuid4()
    prefix = secret[: tokens.PREFIX_LENGTH]
    created_at = await rows.add_key(
        connection, key_id, account_id, tokens.digest(secret), prefix, label
    )
    return MintedKey(ApiKey(key_id, prefix, label, created_at, None), secret)


def _account(row: AnyRow) -> Account:
    return Account(row.id, row.email, row.username, row.tier, row.created_at)


def _actor(row: AnyRow, key_id: UUID | None) -> Actor:
    roles = {UUID(scope): role for scope, role in (row.roles or {}).items()}
    return Actor(row.id, roles, row.email, row.username, key_id)
