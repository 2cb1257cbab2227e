"""A small SMTP server that keeps what it is given, and can be out of order for a while."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What was handed in, and how the server behaves."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    out_of_order: int = 0
    """How many mails are refused for now, before one is taken."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, seconds: float = 10) -> EmailMessage:
        """The oldest mail that nobody has looked at."""
        async with asyncio.timeout(seconds):
            while not self.letters:
                self.arrived.clear()
                await self.arrived.wait()
        return self.letters.pop(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""

        def say(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())

        say("220 mailbox")
        while line := (await reader.readline()).decode("utf-8").strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    say("250-mailbox", "250-SMTPUTF8", "250-8BITMIME", "250 AUTH PLAIN")
                case "AUTH":
                    self.logins.append(base64.b64decode(rest.split()[-1]).decode())
                    say("235 welcome")
                case "RCPT":
                    self.recipients.append(rest)
                    say("250 ok")
                case "DATA" if self.out_of_order:
                    self.out_of_order -= 1
                    say("451 try again later")
                case "DATA":
                    say("354 go on")
                    await writer.drain()
                    self._keep(await reader.readuntil(b"\r\n.\r\n"))
                    say("250 kept")
                case "QUIT":
                    say("221 bye")
                    break
                case _:
                    say("250 ok")
            await writer.drain()
        writer.close()

    def _keep(self, data: bytes) -> None:
        text = data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        self.letters.append(email.message_from_bytes(text, policy=email.policy.default))
        self.arrived.set()


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """An SMTP server on 127.0.0.1, until the block ends."""
    box = Mailbox()
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
