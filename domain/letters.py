"""Mails with a code in them: what they say, and how they come to be behind the request."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from typing import Final

from db import accounts as rows
from db import mail_tokens
from db.claims import System
from db.mail_tokens import Purpose
from domain import tokens
from domain.names import email_key
from domain.services import Services

CODES: Final = System("a mailed code")
LIFETIME: Final[dict[Purpose, timedelta]] = {
    "reset_password": timedelta(hours=1),
    "verify_email": timedelta(hours=24),
}
_SUBJECT: Final[dict[Purpose, str]] = {
    "reset_password": "A new password for Teamlore",
    "verify_email": "Your e-mail address at Teamlore",
}
_TEXT: Final[dict[Purpose, str]] = {
    "reset_password": """Somebody, hopefully you, has forgotten the password of {email} at {where}.

This code, good for an hour and once, lets you choose another:

    {token}

If it was not you, do nothing: your password is as it was.
""",
    "verify_email": """An account at {where} has the address {email}.

This code, good for a day and once, proves that it is yours:

    {token}

If you know nothing of it, do nothing.
""",
}


def post(services: Services, email: str, purpose: Purpose) -> None:
    """Have a mail sent to the account of an address, where mail is sent and there is one."""

    async def letter() -> EmailMessage | None:
        async with services.db.begin(CODES) as connection:
            row = await rows.by_email(connection, email_key(email))
            if row is None or not await rows.hold(connection, row.id):
                return None
            token = tokens.new_link_token()
            await mail_tokens.add(
                connection,
                row.id,
                tokens.digest(token),
                purpose,
                row.email_key,
                LIFETIME[purpose],
            )
        where = services.settings.public_url or "this server"
        text = _TEXT[purpose].format(email=row.email, where=where, token=token)
        smtp = services.outbox.smtp
        return None if smtp is None else smtp.letter(row.email, _SUBJECT[purpose], text)

    services.outbox.put(letter)
