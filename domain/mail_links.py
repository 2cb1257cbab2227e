"""What is done by links in mails: a forgotten password, and an address that proves to be one's own.

Whoever asks gets one and the same answer at once, whether or not there is such an account: the
account is looked up when the mail is made, behind the request.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import StringConstraints

from db import accounts as rows
from db import keys as key_rows
from db import mail_tokens
from db.mail_tokens import Purpose
from db.rows import AnyRow
from domain import audit, letters, tokens
from domain.accounts import Password, account_of
from domain.actor import Actor, Origin
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.inputs import Input, Storable
from domain.names import EmailAddress, email_key
from domain.policy import require_key
from domain.recovery import Renewed
from domain.services import Services

ASKED_MAX: Final = 3
"""Mails of a kind that one address may ask for, for one account, in fifteen minutes."""
TOO_OFTEN: Final = "A mail was asked for too often: look for the last one, or wait"
_USED_UP: Final = "This link is unknown, used or expired: ask for a new one"
Token = Annotated[Storable, StringConstraints(min_length=1, max_length=200)]


class Forgotten(Input):
    """Whose password is forgotten."""

    email: EmailAddress


class Own(Input):
    """Where a proof shall be sent: nowhere but to the account's own address."""

    email: EmailAddress | None = None


class NewPassword(Input):
    """The code of a mail, and the password to come."""

    token: Token
    new_password: Password
    revoke_keys: bool = False


class Proof(Input):
    """The code of a mail."""

    token: Token


async def request_reset(services: Services, data: Forgotten, origin: Origin) -> None:
    """Have a link sent that lets the address's owner choose another password.

    Says nothing about whether there is such an account. Raises Forbidden where no mail is sent at
    all, RateLimited when it was asked for too often.
    """
    await _ask(services, data.email, origin, "reset_password")


async def request_verification(services: Services, actor: Actor, data: Own) -> str:
    """Have a link sent that proves the actor's address to be its own; the address.

    Raises Forbidden where no mail is sent, Conflict for an account without an address, Invalid for
    another's address, RateLimited.
    """
    require_key(actor, "admin")
    if actor.email is None:
        raise Conflict("This account has no e-mail address")
    if data.email is not None and email_key(data.email) != email_key(actor.email):
        raise Invalid.at(("input", "email"), "is not your address")
    await _ask(services, actor.email, actor.origin, "verify_email")
    return actor.email


async def _ask(services: Services, email: str, origin: Origin, purpose: Purpose) -> None:
    if services.outbox.smtp is None:
        raise Forbidden("This server sends no mail: ask who runs it")
    await services.mails.begin(f"{purpose} {email_key(email)}", origin.address or "unknown")
    letters.post(services, email, purpose)


async def reset_password(services: Services, data: NewPassword, origin: Origin) -> Renewed:
    """Replace the password of the account that a link was sent to; every token of it ends.

    The address is proven by that, too. Raises NotFound for a link that is no good.
    """
    digest = tokens.digest(data.token)
    async with services.db.read(letters.CODES) as connection:
        if not await mail_tokens.is_good(connection, digest, "reset_password"):
            raise NotFound(_USED_UP)
    hashed = await services.passwords.hash(data.new_password)
    async with services.db.begin(letters.CODES) as connection:
        used = await mail_tokens.use(connection, digest, "reset_password")
        row = None if used is None else await rows.by_id(connection, used.account_id)
        if used is None or row is None or row.email_key != used.email_key:
            raise NotFound(_USED_UP)
        changed = await rows.replace_password(connection, row.id, row.password_hash, hashed)
        if changed is None:
            raise Conflict("The password was changed meanwhile")
        await mail_tokens.note_verified(connection, row.id, used.email_key)
        revoked = await key_rows.revoke_all(connection, row.id) if data.revoke_keys else 0
        actor = _actor(row, origin)
        await audit.record(connection, actor, "password_reset", by="mail", revokedKeys=revoked)
    return Renewed(account_of(changed), services.tokens.sign(changed.id, changed.token_epoch))


async def verify_email(services: Services, data: Proof, origin: Origin) -> None:
    """Note that an address is its account's own. Raises NotFound for a link that is no good."""
    async with services.db.begin(letters.CODES) as connection:
        used = await mail_tokens.use(connection, tokens.digest(data.token), "verify_email")
        row = None if used is None else await rows.by_id(connection, used.account_id)
        if used is None or row is None:
            raise NotFound(_USED_UP)
        if not await mail_tokens.note_verified(connection, row.id, used.email_key):
            raise NotFound(_USED_UP)
        await audit.record(connection, _actor(row, origin), "email_verified")


def _actor(row: AnyRow, origin: Origin) -> Actor:
    return Actor(row.id, {row.id: "owner"}, row.email, row.username, origin=origin)
