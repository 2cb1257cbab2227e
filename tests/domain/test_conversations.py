"""Custody against a reference model: nothing acknowledged is lost, shortened or altered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from db.errors import BlockDamagedError
from domain import sessions
from domain.content import Content, Cutter, Relation, relation
from domain.errors import Conflict, Invalid, NotFound, TooLarge
from domain.sessions import About
from settings import Settings
from tests.support.desk import BLOCK, Desk
from tests.support.dial import dial
from tests.support.registry import block_files

numbers = count()


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    desk = Desk(settings)
    await desk.open()
    yield desk
    await desk.close()


class Model:
    """What custody promises, in a few lines: a set of versions none of which begins another."""

    def __init__(self) -> None:
        self.versions: list[bytes] = []

    def upload(self, data: bytes) -> None:
        if any(version.startswith(data) for version in self.versions):
            return
        for index, version in enumerate(self.versions):
            if data.startswith(version):
                self.versions[index] = data
                return
        self.versions.append(data)

    def head(self) -> bytes:
        longest = max(map(len, self.versions))
        return [version for version in self.versions if len(version) == longest][-1]


# A tiny alphabet and lengths around the block size make every kind of relation likely.
texts = st.binary(max_size=3 * BLOCK + 2).map(lambda raw: bytes(b"ab\n"[x % 3] for x in raw))
places = st.integers(0, 4 * BLOCK)
steps = st.one_of(
    st.tuples(st.just("append"), places, texts),
    st.tuples(st.just("repeat"), places, st.just(b"")),
    st.tuples(st.just("truncate"), places, st.just(b"")),
    st.tuples(st.just("diverge"), places, texts),
)


def next_upload(history: list[bytes], kind: str, place: int, text: bytes) -> bytes:
    earlier = history[place % len(history)] if history else b""
    cut = place % (len(earlier) + 1)
    if kind == "append":
        return earlier + text
    if kind == "repeat":
        return earlier
    if kind == "truncate":
        return earlier[:cut]
    return earlier[:cut] + b"x" + text


@given(
    history=st.lists(steps, min_size=1, max_size=10),
    chunk=st.integers(1, 3 * BLOCK),
    upgraded=st.one_of(st.none(), st.integers(0, 10)),
)
@hypothesis_settings(
    max_examples=dial(80, 1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_histories_of_uploads_agree_with_the_model(
    desk: Desk, history: list[tuple[str, int, bytes]], chunk: int, upgraded: int | None
) -> None:
    """Also when, from one of them on, new conversations are cut into smaller blocks."""
    session, model, sent = f"s{next(numbers)}", Model(), list[bytes]()
    for number, (kind, place, text) in enumerate(history):
        data = next_upload(sent, kind, place, text)
        sent.append(data)
        later = upgraded is not None and number >= upgraded
        await (desk.upload_later if later else desk.upload)(session, data, chunk=chunk)
        model.upload(data)
        assert await desk.download(session) == model.head()
    assert await desk.versions(session) == model.versions
    row = await sessions.get(desk.db, desk.actor, session)
    assert row.conversation_size == len(model.head())
    assert row.conversation_lines == len(model.head().splitlines())


@given(data=texts, other=texts, size=st.sampled_from([1, 2, 5, BLOCK]))
@hypothesis_settings(deadline=None)
async def test_relation_is_what_the_bytes_say(data: bytes, other: bytes, size: int) -> None:
    blocks: dict[bytes, bytes] = {}
    reads: list[bytes] = []

    def content(whole: bytes) -> Content:
        cutter = Cutter(size)
        for block in [*cutter.add(whole), cutter.rest()]:
            if block:
                blocks[cutter.measure(block)] = block
        return cutter.content()

    async def read(digest: bytes) -> bytes:
        reads.append(digest)
        return blocks[digest]

    for ours, theirs in ((data, other), (data, data + other), (data + other, data)):
        reads.clear()
        found = await relation(content(ours), content(theirs), read)
        if ours == theirs:
            assert found is Relation.EQUAL
        elif theirs.startswith(ours):
            assert found is Relation.EXTENDS
        elif ours.startswith(theirs):
            assert found is Relation.PREFIX
        else:
            assert found is Relation.DIVERGED
        assert len(reads) <= 2


async def test_an_unchanged_upload_writes_nothing(desk: Desk) -> None:
    data = b"0123456789" * 10
    await desk.upload("s", data)
    before = await sessions.get(desk.db, desk.actor, "s")
    files = block_files(desk.folder)
    for again in (data, data[:50], data[:48], b""):
        await desk.upload("s", again)
    assert await sessions.get(desk.db, desk.actor, "s") == before
    assert block_files(desk.folder) == files


async def test_an_appended_upload_writes_only_new_blocks(desk: Desk) -> None:
    data = bytes(range(100))
    await desk.upload("s", data)
    files = block_files(desk.folder)
    await desk.upload("s", data + b"more")
    added = block_files(desk.folder).keys() - files.keys()
    assert len(added) == 1
    assert await desk.download("s") == data + b"more"


@pytest.mark.parametrize("start", [0, 1, 15, 16, 17, 31, 32, 99, 100])
@pytest.mark.parametrize("stop", [0, 1, 16, 17, 48, 99, 100, None])
async def test_any_part_can_be_read(desk: Desk, start: int, stop: int | None) -> None:
    data = bytes(range(100))
    await desk.upload("s", data)
    content = (await desk.custody.open(desk.actor, "s")).version.content
    parts = [part async for part in desk.custody.read(desk.actor, content, start, stop)]
    assert b"".join(parts) == data[start:stop]


async def test_a_stream_that_breaks_changes_nothing(desk: Desk) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"y" * 100
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await desk.custody.upload(desk.actor, "s", broken(), About())
    with pytest.raises(NotFound):
        await sessions.get(desk.db, desk.actor, "s")
    await desk.upload("s", b"x" * 40)
    before = await sessions.get(desk.db, desk.actor, "s")
    with pytest.raises(ConnectionResetError):
        await desk.custody.upload(desk.actor, "s", broken(), About())
    assert await sessions.get(desk.db, desk.actor, "s") == before
    assert await desk.versions("s") == [b"x" * 40]


async def test_concurrent_uploads_of_one_session_lose_nothing(desk: Desk) -> None:
    whole = bytes(ord("a") + n % 26 for n in range(200))
    lengths = [200, 10, 64, 199, 128, 77, 150, 33]
    other = whole[:90] + b"X" + whole[91:]
    uploads = [desk.upload("s", whole[:n], chunk=5) for n in lengths]
    await asyncio.gather(*uploads, desk.upload("s", other), desk.upload("s", other))
    assert sorted(await desk.versions("s")) == sorted([whole, other])
    head = await sessions.get(desk.db, desk.actor, "s")
    assert head.conversation_size == 200


async def test_a_damaged_stored_block_does_not_keep_an_upload_from_being_kept(desk: Desk) -> None:
    await desk.upload("s", b"a" * 20)
    for path in desk.folder.rglob("*"):
        if path.is_file():
            path.write_bytes(b"\x00damaged")
    longer = b"b" * 40
    await desk.upload("s", longer)
    assert await desk.download("s") == longer


async def test_a_block_that_was_found_damaged_is_healed_by_the_next_upload(desk: Desk) -> None:
    data = bytes(range(100))
    await desk.upload("s", data)
    path = max(desk.folder.rglob("??/*"), key=lambda path: path.stat().st_size)
    path.write_bytes(b"\x00damaged")
    with pytest.raises(BlockDamagedError):
        await desk.download("s")
    await desk.upload("s", data)
    assert await desk.download("s") == data


async def test_a_deleted_session_starts_anew(desk: Desk) -> None:
    about = About(project_name="p", working_directory="/w", name="n")
    await desk.upload("s", b"a secret", about)
    old = await sessions.get(desk.db, desk.actor, "s")
    await sessions.delete(desk.db, desk.actor, "s")
    with pytest.raises(NotFound):
        await desk.custody.open(desk.actor, "s")
    uploaded = await desk.upload("s", b"new")
    assert uploaded.new_session
    fresh = await sessions.get(desk.db, desk.actor, "s")
    assert fresh.id != old.id
    assert fresh.project_name is None
    assert await desk.versions("s") == [b"new"]


async def test_a_session_deleted_during_an_upload_does_not_cost_its_blocks(desk: Desk) -> None:
    """The upload skips blocks that a version has; when that goes, they must still be there."""
    data = bytes(range(64))
    await desk.upload("s", data)

    async def slow(end: bytes, meanwhile: Callable[[], None]) -> AsyncIterator[bytes]:
        yield data
        await sessions.delete(desk.db, desk.actor, "s")
        meanwhile()
        yield end

    await desk.custody.upload(desk.actor, "s", slow(b"more", lambda: None), About())
    assert await desk.download("s") == data + b"more"

    def collect() -> None:
        for path in desk.folder.rglob("*"):
            if path.is_file():
                path.unlink()

    with pytest.raises(Conflict, match="send it again"):
        await desk.custody.upload(desk.actor, "s", slow(b"and other", collect), About())


@pytest.mark.parametrize("bad", ["", "..", ".", "a/b", "a b", "é", "x" * 256, "a\x00"])
async def test_bad_session_ids_are_refused(desk: Desk, bad: str) -> None:
    with pytest.raises(Invalid):
        await desk.upload(bad, b"data")


async def test_too_much_is_refused(settings: Settings) -> None:
    desk = Desk(settings.model_copy(update={"conversation_max": 1024}))
    await desk.open()
    await desk.upload("s", b"x" * 1024)
    with pytest.raises(TooLarge):
        await desk.upload("s", b"x" * 1025)
    assert await desk.download("s") == b"x" * 1024
    await desk.close()
