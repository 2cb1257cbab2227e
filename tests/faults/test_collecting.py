"""The collector takes what nothing refers to, and nothing that an upload counts on."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from db.blobs import FolderStore
from domain import commit, sessions, tail_commit, tails
from domain.collector import Collected, Collector
from domain.conversations import Custody
from domain.errors import Conflict, OffsetMismatch
from domain.sessions import About
from settings import Settings
from tests.support.desk import BLOCK, Desk, pieces
from tests.support.dial import dial
from tests.support.places import Place
from tests.support.registry import block_files
from tests.support.tails import Growth

DATA = bytes(range(100))
AT_ONCE = timedelta(0)


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """Blocks in a folder."""
    desk = Desk(settings)
    await desk.open()
    yield desk
    await desk.close()


@pytest.fixture
async def any_desk(settings: Settings, blocks: Place) -> AsyncIterator[Desk]:
    """Blocks in a folder, then in an object store."""
    desk = Desk(settings, place=blocks.url)
    await desk.open()
    yield desk
    await desk.close()


async def collect(desk: Desk, grace: timedelta = AT_ONCE) -> Collected:
    store = desk.store()
    try:
        return await Collector(desk.db, store, grace).collect()
    finally:
        await store.close()


async def digests(desk: Desk) -> set[bytes]:
    store = desk.store()
    found = {block.digest async for part in store.blocks(desk.account) for block in part}
    await store.close()
    return found


def names(folder: Path) -> set[str]:
    return {name for name in block_files(folder) if not name.startswith(".drafts")}


async def test_what_no_version_refers_to_goes_and_the_rest_stays(desk: Desk) -> None:
    await desk.upload("keeps", DATA)
    kept = names(desk.folder)
    await desk.upload("goes", DATA[::-1])
    await sessions.delete(desk.db, desk.actor, "goes")
    assert (await collect(desk, timedelta(hours=1))).removed == 0
    done = await collect(desk)
    assert done.removed == 7
    assert names(desk.folder) == kept
    assert done.kept == len(kept)
    assert await desk.download("keeps") == DATA


async def test_a_grown_version_leaves_its_old_tail_to_the_collector(desk: Desk) -> None:
    for end in range(5, 101, 5):
        await desk.upload("s", DATA[:end])
    await collect(desk)
    assert len(names(desk.folder)) == -(-100 // BLOCK)
    assert await desk.download("s") == DATA


async def test_what_a_cut_upload_left_goes_after_the_grace_period(desk: Desk) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield DATA
        while len(names(desk.folder)) < 6:  # noqa: ASYNC110 - files have no events
            await asyncio.sleep(0.01)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await desk.custody.upload(desk.actor, "s", cut(), About())
    draft = desk.folder / ".drafts" / "half"
    draft.write_bytes(b"hal")
    assert (await collect(desk, timedelta(hours=1))).drafts == 0
    old = time.time() - 7200
    for name in block_files(desk.folder):
        os.utime(desk.folder / name, (old, old))
    done = await collect(desk, timedelta(hours=1))
    assert (done.removed, done.drafts) == (6, 1)
    assert block_files(desk.folder) == {}


async def test_a_block_that_is_wanted_again_stays(desk: Desk) -> None:
    await desk.upload("s", DATA)
    await sessions.delete(desk.db, desk.actor, "s")
    old = time.time() - 7200
    for name in block_files(desk.folder):
        os.utime(desk.folder / name, (old, old))
    store = FolderStore(desk.folder)
    await store.put(desk.actor.account_id, bytes.fromhex(Path(name).name), DATA[-4:])
    done = await collect(desk, timedelta(hours=1))
    assert names(desk.folder) == {name}
    assert done.removed == 6


async def test_blocks_of_an_account_that_is_gone_go_too(desk: Desk) -> None:
    store = FolderStore(desk.folder)
    await store.put(UUID(int=7), b"\x01" * 32, b"x")
    await desk.upload("s", DATA)
    assert (await collect(desk)).removed == 1
    assert await desk.download("s") == DATA


class Killed(Exception):  # noqa: N818 - it is an event, not a mistake
    """Here the collector's process ended."""


def dying(desk: Desk) -> Collector:
    """A collector that is killed right after it has deleted."""
    store = desk.store()
    remove = store.remove

    async def kill(*arguments: Any) -> int:
        await remove(*arguments)
        raise Killed

    store.remove = kill  # type: ignore[assignment,method-assign]
    return Collector(desk.db, store, AT_ONCE)


@dataclass
class Plot:
    """What happens at the moments of an upload besides it."""

    desk: Desk
    deletes: str
    collects: list[str]
    dies: list[str]
    alongside: bool
    running: list[asyncio.Task[Collected]] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)

    async def again(self, moment: str) -> None:
        """A moment that comes once more whenever the upload has to look again."""
        self.passed[moment] += 1
        await self.at(f"{moment} {self.passed[moment]}")

    async def at(self, moment: str) -> None:
        if moment == self.deletes:
            await sessions.delete(self.desk.db, self.desk.actor, "s")
        for _ in range(self.dies.count(moment)):
            with suppress(Killed):
                await dying(self.desk).collect()
        for _ in range(self.collects.count(moment)):
            if self.alongside:
                self.running.append(asyncio.create_task(collect(self.desk)))
            else:
                await collect(self.desk)

    async def chunks(self, end: bytes) -> AsyncIterator[bytes]:
        await self.at("begin")
        yield DATA[:50]
        await self.at("middle")
        yield DATA[50:]
        yield end
        await self.at("end")


class Watched(Custody):
    """Custody that goes through a plot."""

    plot: Plot

    async def _secure(self, *arguments: Any) -> None:
        await super()._secure(*arguments)
        await self.plot.again("secured")


MOMENTS = (
    *("begin", "middle", "end"),
    *("secured 1", "planned 1", "secured 2", "planned 2", "planned 3"),
)
BEFORE_COMMIT = MOMENTS[:5]
moments = st.lists(st.sampled_from(MOMENTS), max_size=4)
whatever_happens = given(
    deletes=st.sampled_from(BEFORE_COMMIT),
    collects=moments,
    dies=moments,
    alongside=st.booleans(),
    end=st.sampled_from([b"", b"and more", DATA]),
)


@pytest.mark.on_s3
@whatever_happens
@hypothesis_settings(
    max_examples=dial(30, 2_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_an_upload_that_reuses_a_block_being_collected_keeps_it_or_fails(
    any_desk: Desk,
    deletes: str,
    collects: list[str],
    dies: list[str],
    alongside: bool,
    end: bytes,
) -> None:
    """At any moments of an upload its session is deleted, and collectors run and die.

    The upload counts on blocks of that session which it did not write itself. What it acknowledges
    can be read; otherwise it says that it must be sent again.
    """
    desk = any_desk
    await desk.upload("s", DATA)
    plot = Plot(desk, deletes, collects, dies, alongside)
    custody = Watched(desk.db, desk.store(), desk.settings, block_size=BLOCK)
    custody.plot = plot

    async def carry_out(*arguments: Any) -> None:
        await plot.again("planned")
        await commit.carry_out(*arguments)

    refused: str | None = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("domain.conversations.carry_out", carry_out)
        patch.setattr("domain.collector._AT_ONCE", 3)
        try:
            await custody.upload(desk.actor, "s", plot.chunks(end), About())
        except Conflict as error:
            refused = error.message
        await asyncio.gather(*plot.running)
    await collect(desk)
    left = await sessions_of(desk)
    if end and refused is None:
        assert await desk.download("s") == DATA + end
    assert refused is None or "send it again" in refused
    for session in left:
        assert await desk.download(session.session_id) in {DATA, DATA + end}
        await sessions.delete(desk.db, desk.actor, session.session_id)
    await collect(desk)
    assert await digests(desk) == set()
    await custody.close()


@pytest.mark.on_s3
@whatever_happens
@hypothesis_settings(
    max_examples=dial(30, 1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_many_files_that_count_on_blocks_being_collected_are_each_kept_or_refused(
    any_desk: Desk,
    deletes: str,
    collects: list[str],
    dies: list[str],
    alongside: bool,
    end: bytes,
) -> None:
    """The same for many files in one upload, of which one grows on what is being deleted."""
    desk = any_desk
    for name in ("s", "stays"):
        await desk.upload(name, DATA)
    plot = Plot(desk, deletes, collects, dies, alongside)
    custody = Custody(desk.db, desk.store(), desk.settings, block_size=BLOCK)
    files = [Growth(name, DATA + end, len(DATA)) for name in ("s", "stays")]
    files.append(Growth("new", DATA + end))

    async def contents() -> AsyncIterator[AsyncIterator[bytes]]:
        for moment, file in zip(MOMENTS, files, strict=False):
            await plot.at(moment)
            yield pieces(file.more)

    async def carry_out_all(*arguments: Any) -> Any:
        await plot.again("planned")
        return await tail_commit.carry_out_all(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("domain.tails.carry_out_all", carry_out_all)
        patch.setattr("domain.collector._AT_ONCE", 3)
        listed = tails.announced({"tails": [file.announced() for file in files]})
        outcomes = await custody.append_all(desk.actor, listed, contents())
        await asyncio.gather(*plot.running)
    await collect(desk)
    left = {session.session_id for session in await sessions_of(desk)}
    assert await desk.download("stays") in {DATA, DATA + end}
    for file, outcome in zip(files, outcomes, strict=True):
        if isinstance(outcome, tails.Kept) and (file.session_id in left or file is not files[0]):
            assert await desk.download(file.session_id) == file.whole
        elif not isinstance(outcome, tails.Kept):
            assert isinstance(outcome, OffsetMismatch) or "send it again" in outcome.message
    for name in left:
        await sessions.delete(desk.db, desk.actor, name)
    await collect(desk)
    assert await digests(desk) == set()
    await custody.close()


async def sessions_of(desk: Desk) -> list[sessions.Session]:
    return [session async for batch in sessions.every(desk.db, desk.actor) for session in batch]
