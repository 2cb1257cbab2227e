"""Batched look-ups about conversations: one statement a relation, whatever the list's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from domain import session_files
from domain.actor import Actor
from domain.reading import conversation, shared, usage
from domain.reading.conversation import Message, Part, Reading, Summary
from domain.reading.shared import SharedMessage
from domain.reading.usage import ModelDay
from domain.services import Services
from domain.session_files import SessionFile
from graph.dataloader import DataLoader

Place: TypeAlias = tuple[UUID, str]
BATCH = 1000


class ConversationLoaders:
    """By session, for one actor; what it may not see is empty."""

    def __init__(self, services: Services, actor: Actor) -> None:
        self._services, self._db, self._actor = services, services.db, actor
        self.readings: DataLoader[UUID, Reading] = DataLoader(self._readings, max_batch_size=BATCH)
        self.usage: DataLoader[UUID, list[ModelDay]] = DataLoader(self._usage, max_batch_size=BATCH)
        self.versions: DataLoader[UUID, list[Summary]] = DataLoader(
            self._versions, max_batch_size=BATCH
        )
        self.files: DataLoader[UUID, list[SessionFile]] = DataLoader(
            self._files, max_batch_size=BATCH
        )
        self.messages: DataLoader[Place, Message | None] = DataLoader(
            self._messages, max_batch_size=BATCH
        )
        self.pages: DataLoader[tuple[UUID, Part], list[Message]] = DataLoader(
            self._pages, max_batch_size=BATCH
        )
        self.shared: DataLoader[tuple[UUID, Part], list[SharedMessage]] = DataLoader(
            self._shared, max_batch_size=BATCH
        )
        self.raw: DataLoader[Message, str | None] = DataLoader(self._raw, max_batch_size=BATCH)

    async def _readings(self, ids: Sequence[UUID]) -> list[Reading]:
        found = await conversation.readings(self._db, self._actor, ids)
        return [found[id] for id in ids]

    async def _usage(self, ids: Sequence[UUID]) -> list[list[ModelDay]]:
        found = await usage.of_sessions(self._db, self._actor, ids)
        return [found[id] for id in ids]

    async def _versions(self, ids: Sequence[UUID]) -> list[list[Summary]]:
        found = await conversation.versions(self._db, self._actor, ids)
        return [found[id] for id in ids]

    async def _files(self, ids: Sequence[UUID]) -> list[list[SessionFile]]:
        found = await session_files.of_sessions(self._db, self._actor, ids)
        return [found[id] for id in ids]

    async def _messages(self, places: Sequence[Place]) -> list[Message | None]:
        found = await conversation.by_uuids(self._db, self._actor, places)
        return [found.get(place) for place in places]

    async def _pages(self, asked: Sequence[tuple[UUID, Part]]) -> list[list[Message]]:
        """Each part, of all the sessions that it is asked of, in one statement."""
        found: dict[tuple[UUID, Part], list[Message]] = {}
        for part in dict.fromkeys(part for _id, part in asked):
            ids = [id for id, wanted in asked if wanted == part]
            pages = await conversation.pages(self._db, self._actor, ids, part)
            found |= {(id, part): page for id, page in pages.items()}
        return [found[key] for key in asked]

    async def _shared(self, asked: Sequence[tuple[UUID, Part]]) -> list[list[SharedMessage]]:
        found: dict[tuple[UUID, Part], list[SharedMessage]] = {}
        for part in dict.fromkeys(part for _id, part in asked):
            ids = [id for id, wanted in asked if wanted == part]
            pages = await shared.pages(self._db, self._actor, ids, part)
            found |= {(id, part): page for id, page in pages.items()}
        return [found[key] for key in asked]

    async def _raw(self, messages: Sequence[Message]) -> list[str | None]:
        return await conversation.raw(self._db, self._services.custody, self._actor, messages)
