"""Batched look-ups of one operation: each relation costs one statement, whatever the list's size.

Whose rows may be seen is decided by the domain functions, inside their SQL, never here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from domain import finding, knowledge, people, teams
from domain.actor import Actor
from domain.entries import Entry
from domain.people import Person
from domain.services import Services
from domain.teams import Member, Team

ValueT = TypeVar("ValueT")
BATCH = 1000


class Loaders:
    """By id, for one actor; what it may not see is None."""

    def __init__(self, services: Services, actor: Actor) -> None:
        self._db = services.db
        self._actor = actor
        self.people: DataLoader[UUID, Person | None] = _loader(self._people)
        self.teams: DataLoader[UUID, Team | None] = _loader(self._teams)
        self.members: DataLoader[UUID, list[Member]] = _loader(self._members)
        self.knowledge: DataLoader[UUID, Entry | None] = _loader(self._knowledge)
        self.stars: DataLoader[UUID, bool] = _loader(self._stars)

    async def _people(self, ids: Sequence[UUID]) -> list[Person | None]:
        found = {p.id: p for p in await people.by_ids(self._db, self._actor, ids)}
        return [found.get(i) for i in ids]

    async def _teams(self, ids: Sequence[UUID]) -> list[Team | None]:
        found = {team.id: team for team in await teams.mine(self._db, self._actor)}
        return [found.get(i) for i in ids]

    async def _members(self, ids: Sequence[UUID]) -> list[list[Member]]:
        grouped: dict[UUID, list[Member]] = {i: [] for i in ids}
        for member in await teams.members_of(self._db, self._actor, ids):
            grouped[member.team_id].append(member)
        return [grouped[i] for i in ids]

    async def _knowledge(self, ids: Sequence[UUID]) -> list[Entry | None]:
        found = {entry.id: entry for entry in await knowledge.by_ids(self._db, self._actor, ids)}
        return [found.get(i) for i in ids]

    async def _stars(self, ids: Sequence[UUID]) -> list[bool]:
        found = await finding.starred(self._db, self._actor, ids)
        return [i in found for i in ids]


def _loader(
    batch: Callable[[list[UUID]], Coroutine[Any, Any, list[ValueT]]],
) -> DataLoader[UUID, ValueT]:
    return DataLoader(batch_load_fn=batch, max_batch_size=BATCH)
