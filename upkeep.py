"""What an operator has done to the stored conversations from the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from db.blobs import BlobStore, open_store
from db.engine import Database
from domain.collector import Collector
from domain.scrub import Damage, Scrub
from settings import Settings

Say = Callable[[str], None]


async def scrub_all(settings: Settings, say: Say) -> int:
    """Read everything, say what is damaged; the exit status."""
    async with _opened(settings) as (db, blobs):
        scrub, found = Scrub(db, blobs), 0
        async for damage in scrub.run():
            say(_line(damage))
            found += 1
    read = scrub.read
    summary = f"{read.versions} versions, {read.blocks} blocks, {read.bytes} bytes read"
    say(f"{summary}: {'no damage' if not found else f'{found} damaged'}")
    return 1 if found else 0


async def collect(settings: Settings, grace: timedelta, say: Say) -> int:
    """Delete what nothing refers to, say how much that was; the exit status."""
    async with _opened(settings) as (db, blobs):
        done = await Collector(db, blobs, grace).collect()
    say(f"{done.removed} blocks and {done.drafts} drafts deleted, {done.kept} blocks kept")
    return 0


def _line(damage: Damage) -> str:
    if damage.session_id is None:
        return f"{damage.what}; no version refers to it (account {damage.scope_id})"
    file = f" file {damage.path}" if damage.path else ""
    where = f"session {damage.session_id}{file} version {damage.number}"
    return f"{damage.what}; {where} (account {damage.scope_id})"


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Database, BlobStore]]:
    if settings.database_url is None:
        raise ValueError("database_url must be set")
    db = Database(settings.database_url, pool_size=4, role=settings.database_role)
    blobs = open_store(settings.blob_place)
    try:
        yield db, blobs
    finally:
        await blobs.close()
        await db.close()
