"""What is new in a conversation since one looked last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from domain.actor import Actor
from domain.reading import conversation
from domain.reading.conversation import Message, Part
from domain.services import Services

PAGE: Final = 100


class Followed:
    """One reader's place in one session's conversation."""

    def __init__(self, services: Services, actor: Actor, session: UUID, after: int | None) -> None:
        self._services, self._actor, self.session = services, actor, session
        self._number: int | None = None
        self._begins_now = after is None
        self.line = after or 0
        """The last line that was seen."""

    async def news(self) -> AsyncIterator[Message | None]:
        """The messages behind the last one, once; None when another version has replaced it."""
        while True:
            settled = await self._services.reader.settled(self._actor.account_id, self.session)
            async for message in self._read():
                yield message
            if settled:
                return

    async def _read(self) -> AsyncIterator[Message | None]:
        db, actor = self._services.db, self._actor
        reading = (await conversation.readings(db, actor, [self.session]))[self.session]
        replaced = self._number not in {None, reading.number}
        self._number = reading.number
        if replaced or self._begins_now:
            self._begins_now, self.line = False, reading.lines
            if replaced:
                yield None
            return
        while page := await conversation.page(db, actor, self.session, Part(PAGE, after=self.line)):
            for message in page:
                self.line = message.line
                yield message
