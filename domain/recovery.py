"""Passwords that change, and what ends with the old one: every token, and keys by choice."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from db import accounts as rows
from db import keys as key_rows
from db.claims import System
from db.engine import Connection
from db.errors import DuplicateError
from db.rows import AnyRow
from domain import audit, keys, letters
from domain.accounts import EMAIL_TAKEN, Account, Password, account_of
from domain.actor import Actor
from domain.errors import Conflict, Invalid, NotFound, Unauthenticated
from domain.inputs import Input, Storable
from domain.names import EmailAddress, email_key, username_key
from domain.policy import require_key
from domain.services import Services

GENERATED_BYTES = 15
_OPERATOR = System("an operator's recovery")


class PasswordChange(Input):
    """The password so far, and the one to come."""

    current_password: Annotated[Storable, StringConstraints(max_length=128)]
    new_password: Password
    revoke_keys: bool = False


class FirstPassword(Input):
    """What an account that has only a username shall log in with."""

    email: EmailAddress
    password: Password


class SignOut(Input):
    """What ends besides the tokens, and what does not end."""

    revoke_keys: bool = False
    keep_this_session: bool = False


@dataclass(frozen=True, slots=True)
class Renewed:
    """The account with a token that is good after all others ended."""

    account: Account
    token: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the operator hands on: a password or, without an e-mail address, a key."""

    account: Account
    password: str | None
    api_key: str | None


async def change_password(services: Services, actor: Actor, data: PasswordChange) -> Renewed:
    """Replace the password; every token made so far ends at once and, by choice, every key.

    Raises Invalid for the wrong password (counted as a failed log-in: RateLimited), and for an
    account that has none; Conflict when it was changed meanwhile.
    """
    require_key(actor, "admin")
    row = await _account(services, actor)
    if row.password_hash is None:
        raise Invalid.at("currentPassword", "this account has no password: set one first")
    await prove(services, actor, row, data.current_password, "currentPassword")
    hashed = await services.passwords.hash(data.new_password)
    async with services.db.begin(actor) as connection:
        changed = await rows.replace_password(connection, row.id, row.password_hash, hashed)
        if changed is None:
            raise Conflict("The password was changed meanwhile")
        revoked = await _end_keys(connection, actor, data.revoke_keys)
        await audit.record(connection, actor, "password_changed", revokedKeys=revoked)
    return _renewed(services, changed)


async def set_first_password(services: Services, actor: Actor, data: FirstPassword) -> Renewed:
    """Give an account that has no password an e-mail address and a password to log in with.

    Raises Conflict when it has a password, or when the address is another account's.
    """
    require_key(actor, "admin")
    hashed = await services.passwords.hash(data.password)
    values = {"email": data.email, "email_key": email_key(data.email)}
    try:
        async with services.db.begin(actor) as connection:
            row = await rows.replace_password(connection, actor.account_id, None, hashed, values)
            if row is None:
                raise Conflict("This account has a password: change that one")
            await audit.record(connection, actor, "password_set")
    except DuplicateError:
        raise Conflict(EMAIL_TAKEN) from None
    letters.post(services, data.email, "verify_email")
    return _renewed(services, row)


async def sign_out_everywhere(
    services: Services, actor: Actor, data: SignOut
) -> tuple[Account, str | None]:
    """Make every token made so far useless and, by choice, every key.

    To keep this session means: a fresh token for who came with a token; for who came with a key,
    that key stays.
    """
    require_key(actor, "admin")
    async with services.db.begin(actor) as connection:
        if not await rows.hold(connection, actor.account_id):
            raise Unauthenticated
        epoch = await rows.advance_epoch(connection, actor.account_id)
        kept = actor.key_id if data.keep_this_session else None
        revoked = 0
        if data.revoke_keys:
            revoked = await key_rows.revoke_all(connection, actor.account_id, but=kept)
        await audit.record(connection, actor, "signed_out_everywhere", revokedKeys=revoked)
        row = await rows.by_id(connection, actor.account_id)
        assert row is not None  # noqa: S101 - it is held
    fresh = data.keep_this_session and actor.key_id is None
    return account_of(row), services.tokens.sign(row.id, epoch) if fresh else None


async def reset_password(services: Services, name: str, *, revoke_keys: bool) -> Recovered:
    """For the server's operator: let somebody in again who is known by e-mail address or username.

    A new password is made up, or an API key for an account that has no e-mail address to log in
    with. Every token ends. Raises NotFound, and Conflict when the password changes meanwhile.
    """
    password, row = secrets.token_urlsafe(GENERATED_BYTES), await account_named(services, name)
    hashed = await services.passwords.hash(password)
    async with services.db.begin(_OPERATOR) as connection:
        if revoke_keys:
            await key_rows.revoke_all(connection, row.id)
        await audit.record_of_operator(connection, "password_reset", row.id)
        if row.email is None:
            await rows.advance_epoch(connection, row.id)
            minted = await keys.insert(connection, row.id, keys.NewKey(label="recovery"))
            return Recovered(account_of(row), None, minted.secret)
        if await rows.replace_password(connection, row.id, row.password_hash, hashed) is None:
            raise Conflict("The password was changed meanwhile")
    return Recovered(account_of(row), password, None)


async def account_named(services: Services, name: str) -> AnyRow:
    """The account of an e-mail address or a username, for the operator. Raises NotFound."""
    async with services.db.read(_OPERATOR) as connection:
        row = await rows.by_email(connection, email_key(name))
        row = row or await rows.by_username(connection, username_key(name))
    if row is None:
        raise NotFound("There is no account of that name")
    return row


async def _account(services: Services, actor: Actor) -> AnyRow:
    async with services.db.read(actor) as connection:
        row = await rows.by_id(connection, actor.account_id)
    if row is None:
        raise Unauthenticated
    return row


async def prove(services: Services, actor: Actor, row: AnyRow, password: str, field: str) -> None:
    """Raises Invalid, naming the field, unless it is the account's password; or RateLimited."""
    who, address = row.email_key or str(row.id), actor.origin.address or "unknown"
    await services.logins.begin(who, address)
    if not await services.passwords.verify(password, row.password_hash):
        await audit.record_failure(services.db, who, actor.origin, during="a change of the account")
        raise Invalid.at(field, "is not your password")
    await services.logins.succeeded(who, address)


async def _end_keys(connection: Connection, actor: Actor, wanted: bool) -> int:
    return await key_rows.revoke_all(connection, actor.account_id) if wanted else 0


def _renewed(services: Services, row: AnyRow) -> Renewed:
    return Renewed(account_of(row), services.tokens.sign(row.id, row.token_epoch))
