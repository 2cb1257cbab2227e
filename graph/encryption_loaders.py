"""Batched look-ups about encrypted teams: one statement a relation, whatever the list's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from domain import encryption, key_epochs, public_keys, sealed
from domain.actor import Actor
from domain.encryption import Encryption
from domain.key_epochs import Epoch, Part, Waiting, WrappedKey
from domain.public_keys import PublicKeys
from domain.sealed import Sealed
from domain.services import Services
from graph.dataloader import DataLoader

Asked: TypeAlias = tuple[UUID, Part]
BATCH = 1000


class EncryptionLoaders:
    """By team, person or entry, for one actor; what it may not see is None or empty."""

    def __init__(self, services: Services, actor: Actor) -> None:
        self._db, self._actor = services.db, actor
        self.teams: DataLoader[UUID, Encryption | None] = DataLoader(
            self._teams, max_batch_size=BATCH
        )
        self.epochs: DataLoader[Asked, list[Epoch]] = DataLoader(self._epochs, max_batch_size=BATCH)
        self.wrapped: DataLoader[Asked, list[WrappedKey]] = DataLoader(
            self._wrapped, max_batch_size=BATCH
        )
        self.waiting: DataLoader[UUID, list[Waiting]] = DataLoader(
            self._waiting, max_batch_size=BATCH
        )
        self.keys: DataLoader[UUID, list[PublicKeys]] = DataLoader(self._keys, max_batch_size=BATCH)
        self.entries: DataLoader[UUID, Sealed | None] = DataLoader(
            self._entries, max_batch_size=BATCH
        )

    async def _teams(self, ids: Sequence[UUID]) -> list[Encryption | None]:
        found = {e.team_id: e for e in await encryption.of_teams(self._db, self._actor, ids)}
        return [found.get(i) for i in ids]

    async def _epochs(self, asked: Sequence[Asked]) -> list[list[Epoch]]:
        """Each part, of all the teams that it is asked of, in one statement."""
        found: dict[Asked, list[Epoch]] = {key: [] for key in asked}
        for part, ids in _by_part(asked):
            for epoch in await key_epochs.of_teams(self._db, self._actor, ids, part):
                found[epoch.team_id, part].append(epoch)
        return [found[key] for key in asked]

    async def _wrapped(self, asked: Sequence[Asked]) -> list[list[WrappedKey]]:
        found: dict[Asked, list[WrappedKey]] = {key: [] for key in asked}
        for part, ids in _by_part(asked):
            for key in await key_epochs.wrapped_for_me(self._db, self._actor, ids, part):
                found[key.team_id, part].append(key)
        return [found[key] for key in asked]

    async def _waiting(self, ids: Sequence[UUID]) -> list[list[Waiting]]:
        grouped: dict[UUID, list[Waiting]] = {i: [] for i in ids}
        for member in await key_epochs.waiting(self._db, self._actor, ids):
            grouped[member.team_id].append(member)
        return [grouped[i] for i in ids]

    async def _keys(self, ids: Sequence[UUID]) -> list[list[PublicKeys]]:
        found = await public_keys.of_people(self._db, self._actor, ids)
        return [found[i] for i in ids]

    async def _entries(self, ids: Sequence[UUID]) -> list[Sealed | None]:
        found = {e.id: e for e in await sealed.by_ids(self._db, self._actor, ids)}
        return [found.get(i) for i in ids]


def _by_part(asked: Sequence[Asked]) -> list[tuple[Part, list[UUID]]]:
    parts = dict.fromkeys(part for _id, part in asked)
    return [(part, [id for id, wanted in asked if wanted == part]) for part in parts]
