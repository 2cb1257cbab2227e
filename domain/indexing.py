"""Making searchable by index what a large push brought, right after the push was answered.

To compute what 500 entries are found by takes PostgreSQL longer than to store them. So a large push
stores them without, and one task of the process fills that in at once, some entries a transaction.
Nobody sees a difference: searches read the texts of entries that still wait (`knowledge_search`).
What a process left undone when it ended, a sweep of another one does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from background import Background
from db import indexing as rows
from db.claims import Claim, System, of_scopes
from db.engine import Database
from domain.errors import DatabaseFullError, DatabaseUnavailableError

LARGE = 50
"""From so many entries on it is done afterwards; fewer take PostgreSQL some milliseconds."""
BACKLOG_MAX = 2_000
"""More may not wait: each costs every search in its scope 0.1 to 0.2 ms."""
BATCH = 100
"""Entries of one transaction: whoever changes one of them waits for some 20 ms at most."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _OneScope:
    """Indexing sees the entries of one scope at a time."""

    scope_id: UUID

    @property
    def claim(self) -> Claim:
        """The scope alone."""
        return of_scopes([self.scope_id])


class Indexer(Background):
    """The one task of this process that indexes, from `start` to `stop`."""

    name = "indexing"

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: Counter[UUID] = Counter()
        self._woken = asyncio.Event()

    def takes(self, count: int) -> bool:
        """Whether so many entries should be left to this task."""
        room = BACKLOG_MAX - self._waiting.total()
        return self._task is not None and LARGE <= count <= room

    def wake(self, scope_id: UUID, count: int) -> None:
        """Index so many entries of a scope, whose transaction is committed."""
        self._waiting[scope_id] += count
        self._woken.set()

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                scope_id = next(iter(self._waiting))
                count = self._waiting[scope_id]
                try:
                    await index(self._db, scope_id)
                except (DatabaseUnavailableError, DatabaseFullError):
                    pass  # a sweep will do it
                except Exception:
                    _logger.exception("Indexing failed, going on")
                self._waiting[scope_id] -= count
                self._waiting += Counter()  # what came meanwhile stays


async def index(db: Database, scope_id: UUID) -> int:
    """Index all entries of a scope that wait, but those being changed; how many there were."""
    done, count = 0, BATCH
    while count == BATCH:
        async with db.begin(_OneScope(scope_id), quiet=True) as connection:
            count = await rows.index(connection, scope_id, BATCH)
        done += count
    return done


async def sweep(db: Database) -> int:
    """Index what a process left undone; how many entries that were."""
    async with db.read(System("entries not yet indexed")) as connection:
        scopes = await rows.scopes(connection)
    return sum([await index(db, scope_id) for scope_id in scopes])
