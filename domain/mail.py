"""Mail over SMTP, sent behind the requests that ask for it; without an SMTP_URL there is none."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from background import Background

WAITING_MAX: Final = 200
"""Mails that wait; what comes beyond is dropped, as its reader can ask again."""
TRIES: Final = 4
FIRST_PAUSE_SECONDS: Final = 2.0
SMTP_SECONDS: Final = 15.0

_logger = logging.getLogger(__name__)
Letter = Callable[[], Awaitable[EmailMessage | None]]
"""Makes a mail when its turn has come; None when there is nobody to send it to."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """Hands mails to an SMTP server: `smtps://` with TLS, `smtp://` with STARTTLS.

    A server on the same machine may do without TLS.
    """

    url: SplitResult
    sender: str

    @classmethod
    def of(cls, url: str, sender: str) -> Smtp:
        """From the settings, which have looked at both."""
        return cls(urlsplit(url), sender)

    def letter(self, to: str, subject: str, text: str) -> EmailMessage:
        """A mail of plain text."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2].strip("> "))
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

    async def send(self, message: EmailMessage) -> None:
        """Send it, in a thread. Raises OSError, which smtplib's errors are."""
        await asyncio.to_thread(self._send, message)

    def _send(self, message: EmailMessage) -> None:
        host, secure = self.url.hostname or "localhost", self.url.scheme == "smtps"
        context = ssl.create_default_context()
        if secure:
            port = self.url.port or 465
            made: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SMTP_SECONDS, context=context)
        else:
            made = smtplib.SMTP(host, self.url.port or 587, timeout=SMTP_SECONDS)
        with made as server:
            server.ehlo()
            if not secure and (server.has_extn("starttls") or host not in _OWN_MACHINE):
                server.starttls(context=context)
                server.ehlo()
            if self.url.username:
                server.login(unquote(self.url.username), unquote(self.url.password or ""))
            server.send_message(message)


_OWN_MACHINE: Final = {"localhost", "127.0.0.1", "::1"}


class Outbox(Background):
    """Sends one mail after the other, from `start` to `stop`.

    Requests only put letters in, so how long one takes says nothing about whom it is for. What
    waits at the end is lost, and whoever waits for it asks again.
    """

    name = "outbox"

    def __init__(self, smtp: Smtp | None, pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        self.smtp = smtp
        self._pause = pause_seconds
        self._waiting: asyncio.Queue[Letter] = asyncio.Queue(WAITING_MAX)

    def put(self, letter: Letter) -> None:
        """Have a letter sent, if this server sends any."""
        if self.smtp is None:
            return
        try:
            self._waiting.put_nowait(letter)
        except asyncio.QueueFull:
            _logger.error("A mail was dropped: %d are waiting", WAITING_MAX)

    async def _run(self) -> None:
        smtp = self.smtp
        while smtp is not None:
            letter = await self._waiting.get()
            try:
                message = await letter()
                if message is not None:
                    await self._send(smtp, message)
            except Exception:
                _logger.exception("A mail could not be made")

    async def _send(self, smtp: Smtp, message: EmailMessage) -> None:
        for tried in range(1, TRIES + 1):
            try:
                await smtp.send(message)
            except OSError as error:
                _logger.warning("A mail was not sent (try %d of %d): %r", tried, TRIES, error)
            else:
                return
            await asyncio.sleep(self._pause * 2**tried)
        _logger.error("A mail was given up after %d tries", TRIES)
