"""Bits that flip in stored blocks: found by the scrub, and never given to anybody."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from domain.scrub import Damage, Scrub
from settings import Settings
from tests.support.desk import Desk
from tests.support.dial import dial
from tests.support.places import Place
from tests.support.postgres import TESTING
from tests.support.registry import conversation, register
from tests.support.server import RunningServer
from tests.support.transcripts import transcript
from tests.test_cli import cli
from upkeep import collect, scrub_all

NOISE = random.Random(5).randbytes(9_000)


@pytest.fixture
def settings(settings: Settings, blocks: Place) -> Settings:
    return blocks.used_by(settings)


@pytest.fixture
async def desk(settings: Settings, blocks: Place) -> AsyncIterator[Desk]:
    desk = Desk(settings, block_size=4096, place=blocks.url)
    await desk.open()
    await desk.upload("text", transcript(1, 40_000), chunk=4096)
    await desk.upload("noise", NOISE, chunk=4096)
    await desk.upload("noise", NOISE[:5_000] + b"another way", chunk=4096)
    yield desk
    await desk.close()


async def scrubbed(desk: Desk) -> list[Damage]:
    store = desk.store()
    try:
        scrub = Scrub(desk.db, store)
        found = [damage async for damage in scrub.run()]
    finally:
        await store.close()
    assert scrub.read.versions == 3
    return found


async def test_a_sound_store_is_clean(desk: Desk) -> None:
    assert await scrubbed(desk) == []


@pytest.mark.on_s3
async def test_every_flipped_bit_is_found_and_named(desk: Desk, blocks: Place) -> None:
    chance, names = random.Random(7), sorted(blocks.names())
    for _ in range(dial(5 if blocks.is_bucket else 30, 1_000)):
        name = chance.choice(names)
        digest = Path(name).name
        position = chance.randrange(len(blocks.read(name)) * 8)
        sound = blocks.flip(name, position)
        found = await scrubbed(desk)
        assert found, (name, position)
        assert all(digest in damage.what for damage in found)
        for damage in found:
            assert damage.scope_id == desk.actor.account_id
            assert damage.session_id in {"text", "noise"}
            with pytest.raises(Exception, match=digest):
                await desk.download(damage.session_id, damage.number)
        blocks.write(name, sound)
    assert await scrubbed(desk) == []


async def test_lost_blocks_and_wrong_lists_are_found(desk: Desk, blocks: Place) -> None:
    name = min(blocks.names())
    content = blocks.read(name)
    blocks.delete(name)
    assert [Path(name).name in damage.what for damage in await scrubbed(desk)] == [True]
    blocks.write(name, content)
    async with desk.db.begin(TESTING) as connection:
        await connection.exec_driver_sql(
            "UPDATE conversation_versions SET size = size - 1 WHERE number = 2"
        )
    found = await scrubbed(desk)
    assert [(damage.session_id, damage.number) for damage in found] == [("noise", 2)]


async def test_a_damaged_block_that_nothing_refers_to_is_found_too(desk: Desk) -> None:
    await desk.store().put(desk.actor.account_id, b"\x07" * 32, b"not its digest")
    found = await scrubbed(desk)
    assert [(damage.session_id, b"\x07".hex() * 32 in damage.what) for damage in found] == [
        (None, True)
    ]


@pytest.mark.on_s3
async def test_the_commands_say_what_is_wrong_beside_a_running_server(
    server: RunningServer, blocks: Place, tmp_path: Path
) -> None:
    al = await register(server.client)
    for name, data in (("a", transcript(1, 300_000)), ("b", b"{}\n")):
        await server.client.put(conversation(name), headers=al, content=data)
    await server.client.delete("/api/sessions/b", headers=al)
    said: list[str] = []
    assert await scrub_all(server.settings, said.append) == 0
    assert "no damage" in said[-1]
    await collect(server.settings, timedelta(0), said.append)
    assert said[-1] == "1 blocks and 0 drafts deleted, 3 blocks kept"

    name = blocks.names()[-1]
    blocks.flip(name, 8 * len(blocks.read(name)) - 8)
    environ = {
        "DATABASE_URL": str(server.settings.database_url),
        "TEAMLORE_DATA": str(server.settings.data_dir),
        **blocks.environ,
    }
    told = await asyncio.to_thread(cli, "scrub", folder=tmp_path, **environ)
    assert told.returncode == 1
    assert f"block {Path(name).name} is damaged; session a version 1" in told.stdout
    assert "Traceback" not in told.stderr
    with pytest.raises(httpx.HTTPError):
        (await server.client.get(conversation("a"), headers=al)).raise_for_status()
