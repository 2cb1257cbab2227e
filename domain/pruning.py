"""Forgetting what the log need not know any more: by a task of every server, one at a time.

Nothing depends on when it happens. A reader whose cursor is older than what is kept is told so, or
is given everything again (`domain.sync`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from background import Background
from db import audit
from db import pruning as rows
from db.claims import System
from db.engine import Connection, Database
from db.pruning import Old
from domain.errors import DatabaseFullError, DatabaseUnavailableError

EVERY = timedelta(hours=1)
FIRST_AFTER = timedelta(minutes=2)
BATCH = 1_000
"""Entries of one transaction: writers of that scope wait for milliseconds."""
SCOPES_AT_ONCE = 500
PAUSE_SECONDS = 0.02
_WORK = System("pruning of the log")
"""Between two batches: pruning is never what the database is busy with."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Forgotten:
    """What a round of pruning came to."""

    entries: int = 0
    tombstones: int = 0
    events: int = 0
    """Of the audit log."""
    complete: bool = True
    """False when another process prunes at this moment, so that this one left off."""


async def prune(db: Database, keep: timedelta, keep_audit: timedelta | None = None) -> Forgotten:
    """Delete log entries and tombstones that are older than `keep`, in small transactions.

    Of each scope the newest old entry stays (see `db.pruning`). Events of the audit log go when
    they are older than `keep_audit`; with None they stay.
    """
    done = Forgotten()
    if keep_audit is not None:
        await _prune_audit(db, datetime.now(UTC) - keep_audit, done)
    if done.complete:
        await _prune_log(db, datetime.now(UTC) - keep, done)
    return done


async def _prune_audit(db: Database, before: datetime, done: Forgotten) -> None:
    events = BATCH
    while events == BATCH:
        async with db.begin(_WORK) as connection:
            if not await rows.alone(connection):
                done.complete = False
                return
            events = await audit.prune(connection, before, BATCH)
            done.events += events
        await asyncio.sleep(PAUSE_SECONDS)


async def _prune_log(db: Database, before: datetime, done: Forgotten) -> None:
    async for scope in _old_scopes(db, before):
        entries = BATCH
        while entries == BATCH:
            async with db.begin(_WORK) as connection:
                if not await rows.alone(connection):
                    done.complete = False
                    return
                entries = await _batch(connection, scope, done)
            await asyncio.sleep(PAUSE_SECONDS)


async def _batch(connection: Connection, scope: Old, done: Forgotten) -> int:
    pruned = await rows.prune(connection, scope, BATCH)
    done.entries += pruned.entries
    done.tombstones += pruned.tombstones
    return pruned.entries


async def _old_scopes(db: Database, before: datetime) -> AsyncIterator[Old]:
    after: UUID | None = UUID(int=0)
    while after is not None:
        async with db.read(_WORK) as connection:
            found, after = await rows.old(connection, before, after, SCOPES_AT_ONCE)
        for scope in found:
            yield scope


class Pruner(Background):
    """The task that prunes now and then, from `start` to `stop`."""

    name = "log pruning"

    def __init__(self, db: Database, keep: timedelta, keep_audit: timedelta | None = None) -> None:
        self._db, self._keep, self._keep_audit = db, keep, keep_audit

    async def _run(self) -> None:
        pause = FIRST_AFTER
        while True:
            # Servers that were started together need not come together.
            jitter = random.uniform(0.5, 1.0)  # noqa: S311 - no secret
            await asyncio.sleep(pause.total_seconds() * jitter)
            pause = EVERY
            try:
                done = await prune(self._db, self._keep, self._keep_audit)
            except (DatabaseUnavailableError, DatabaseFullError):
                continue
            except Exception:
                _logger.exception("Pruning the log failed, trying again later")
            else:
                if done.entries or done.tombstones or done.events:
                    _logger.info(
                        "Pruned %d entries, %d tombstones, %d events of the audit log",
                        *(done.entries, done.tombstones, done.events),
                    )
