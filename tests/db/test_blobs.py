"""Blocks come back as they were put, or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from db import block_folder
from db.blobs import BlobStore, FolderStore, open_store
from db.errors import (
    BlockDamagedError,
    BlockMissingError,
    StorageFullError,
    StorageUnavailableError,
)
from tests.support.places import Place
from tests.support.registry import block_files
from tests.support.s3 import S3

SCOPE = uuid4()
TEXT = b'{"type":"user","message":{"content":"hello"}}\n' * 1000
NOISE = os.urandom(5000)


def digest_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def file_of(root: Path, data: bytes) -> Path:
    name = digest_of(data).hex()
    return root / SCOPE.hex / name[:2] / name


@pytest.mark.on_s3
@pytest.mark.parametrize("data", [TEXT, NOISE, b"x"], ids=["text", "noise", "one byte"])
async def test_a_block_comes_back(blocks: Place, data: bytes) -> None:
    store: BlobStore = open_store(blocks.url)
    assert not await store.has(SCOPE, digest_of(data))
    await store.put(SCOPE, digest_of(data), data)
    assert await store.has(SCOPE, digest_of(data))
    assert await store.get(SCOPE, digest_of(data)) == data
    await store.close()


@pytest.mark.on_s3
async def test_many_blocks_are_kept_together_and_fed_in_order(blocks: Place) -> None:
    store = open_store(blocks.url)
    all_ = {digest_of(data): data for data in (TEXT[:number] for number in range(1, 51))}
    await store.put_all(SCOPE, {})
    await store.put_all(SCOPE, all_)
    await store.put_all(SCOPE, {**all_, digest_of(NOISE): NOISE})
    for digest, data in all_.items():
        assert await store.get(SCOPE, digest) == data
    fed: list[bytes] = []
    await store.feed(SCOPE, list(all_), fed.append)
    assert fed == list(all_.values())
    with pytest.raises(BlockMissingError):
        await store.feed(SCOPE, [digest_of(b"other")], fed.append)
    await store.close()


@pytest.mark.on_s3
async def test_a_block_belongs_to_its_scope_alone(blocks: Place) -> None:
    store = open_store(blocks.url)
    await store.put(SCOPE, digest_of(TEXT), TEXT)
    with pytest.raises(BlockMissingError):
        await store.get(uuid4(), digest_of(TEXT))


@pytest.mark.on_s3
async def test_blocks_are_listed_and_removed(blocks: Place) -> None:
    store = open_store(blocks.url)
    assert await store.scopes() == []
    assert [part async for part in store.blocks(SCOPE)] == []
    for data in (TEXT, NOISE):
        await store.put(SCOPE, digest_of(data), data)
    assert await store.scopes() == [SCOPE]
    listed = {block.digest async for part in store.blocks(SCOPE) for block in part}
    assert listed == {digest_of(TEXT), digest_of(NOISE)}
    assert await store.remove(SCOPE, [digest_of(TEXT)], datetime.now(UTC)) == 1
    assert not await store.has(SCOPE, digest_of(TEXT))
    assert await store.get(SCOPE, digest_of(NOISE)) == NOISE
    await store.close()


async def test_a_place_that_does_not_answer_is_told_from_a_missing_block(
    monkeypatch: pytest.MonkeyPatch, s3: S3
) -> None:
    for name, value in {**s3.environ, "AWS_ENDPOINT": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    store = open_store("s3://bucket/prefix")
    for work in (
        store.put(SCOPE, digest_of(TEXT), TEXT),
        store.get(SCOPE, digest_of(TEXT)),
        store.has(SCOPE, digest_of(TEXT)),
    ):
        began = time.monotonic()
        with pytest.raises(StorageUnavailableError):
            await work
        assert time.monotonic() - began < 15


async def test_text_is_kept_compressed_and_noise_as_it_is(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for data in (TEXT, NOISE):
        await store.put(SCOPE, digest_of(data), data)
    assert file_of(tmp_path, TEXT).stat().st_size < len(TEXT) / 20
    assert file_of(tmp_path, NOISE).stat().st_size == len(NOISE) + 1


@pytest.mark.parametrize("data", [TEXT, NOISE], ids=["compressed", "plain"])
async def test_every_flipped_bit_is_noticed(tmp_path: Path, data: bytes) -> None:
    store = FolderStore(tmp_path)
    await store.put(SCOPE, digest_of(data), data)
    path = file_of(tmp_path, data)
    sound = path.read_bytes()
    for position in range(0, len(sound), max(1, len(sound) // 50)):
        bad = bytearray(sound)
        bad[position] ^= 1 << (position % 8)
        path.write_bytes(bad)
        with pytest.raises(BlockDamagedError):
            await store.get(SCOPE, digest_of(data))


@pytest.mark.parametrize("left", [0, 1, 20])
async def test_a_cut_file_is_damaged(tmp_path: Path, left: int) -> None:
    store = FolderStore(tmp_path)
    await store.put(SCOPE, digest_of(TEXT), TEXT)
    os.truncate(file_of(tmp_path, TEXT), left)
    with pytest.raises(BlockDamagedError):
        await store.get(SCOPE, digest_of(TEXT))


async def test_putting_a_damaged_block_again_heals_it(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    await store.put(SCOPE, digest_of(TEXT), TEXT)
    file_of(tmp_path, TEXT).write_bytes(b"\x01rubbish")
    await store.put(SCOPE, digest_of(TEXT), TEXT)
    assert await store.get(SCOPE, digest_of(TEXT)) == TEXT


async def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, content: bytes) -> None:
        os.write(descriptor, content[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = FolderStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(block_folder, "_write_all", full)
        with pytest.raises(StorageFullError):
            await store.put(SCOPE, digest_of(TEXT), TEXT)
    assert block_files(tmp_path) == {}
    await store.put(SCOPE, digest_of(TEXT), TEXT)
    assert await store.get(SCOPE, digest_of(TEXT)) == TEXT


async def test_the_name_appears_only_after_content_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between any two steps leaves the whole block or none."""
    steps: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_sync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    await FolderStore(tmp_path).put(SCOPE, digest_of(TEXT), TEXT)
    assert steps == ["file", "rename", "folder", "folder", "folder"]


async def test_the_names_of_new_folders_are_synced_up_to_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[Path] = set()
    real = block_folder._sync_folder

    def sync(folder: Path) -> None:
        synced.add(folder)
        real(folder)

    monkeypatch.setattr(block_folder, "_sync_folder", sync)
    root = tmp_path / "new" / "blobs"
    await FolderStore(root).put(SCOPE, digest_of(TEXT), TEXT)
    folder = file_of(root, TEXT).parent
    assert synced == {tmp_path, tmp_path / "new", root, folder.parent, folder}


def test_an_unknown_kind_of_store_is_refused() -> None:
    with pytest.raises(ValueError, match="BLOB_URL"):
        open_store("gopher://example/blocks")
