"""The SDK's session store over our API: what was appended comes back, once, in order."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from teamlore_session_store import Key, StoreError, TeamloreSessionStore
from tests.support.dial import PROVING
from tests.support.registry import register
from tests.support.server import RunningServer

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "clients" / "session_store"
SDK = ROOT / ".dev" / "sdk" / "bin" / "python"
KEY: Key = {"project_key": "-home-al-app", "session_id": "8d6f0e1c-0000-4000-8000-000000000001"}
AGENT: Key = {**KEY, "subpath": "subagents/agent-1"}


@pytest.fixture
async def store(server: RunningServer) -> AsyncIterator[TeamloreSessionStore]:
    key = (await register(server.client))["X-API-Key"]
    async with TeamloreSessionStore(server.url, key) as made:
        yield made


@pytest.fixture
async def other(store: TeamloreSessionStore) -> AsyncIterator[TeamloreSessionStore]:
    """The same account's store in another process."""
    async with TeamloreSessionStore(store._url, store._headers["X-API-Key"]) as made:
        yield made


def entries(*names: str) -> list[dict[str, Any]]:
    return [{"type": "x", "uuid": name, "text": f"ü \ud800 \u0000 {name}"} for name in names]


async def test_entries_come_back_equal_in_order_and_once(
    store: TeamloreSessionStore, other: TeamloreSessionStore
) -> None:
    await store.append(KEY, entries("a", "b"))
    await store.append(KEY, entries("b", "c"))
    await other.append(KEY, entries("c", "d"))
    await store.append(KEY, entries("d", "e"))
    await store.append(KEY, [{"type": "tag"}, {"type": "tag"}])
    tags: list[dict[str, Any]] = [{"type": "tag"}, {"type": "tag"}]
    assert await other.load(KEY) == entries("a", "b", "c", "d", "e") + tags


async def test_many_writers_at_once_lose_nothing(
    store: TeamloreSessionStore, other: TeamloreSessionStore
) -> None:
    calls = [(s, f"{i}") for i in range(10) for s in (store, other)]
    await asyncio.gather(*(s.append(KEY, entries(name)) for s, name in calls))
    loaded = await store.load(KEY)
    assert loaded is not None
    assert sorted(entry["uuid"] for entry in loaded) == sorted(f"{i}" for i in range(10))


async def test_what_was_deleted_elsewhere_may_be_written_anew(
    store: TeamloreSessionStore, other: TeamloreSessionStore
) -> None:
    await store.append(KEY, entries("a", "b"))
    await store.append(AGENT, entries("s"))
    assert await other.list_subkeys(KEY) == ["subagents/agent-1"]
    await other.delete(AGENT)
    await store.append(AGENT, entries("s"))
    assert await other.load(AGENT) == entries("s")
    await other.delete(KEY)
    assert await store.load(AGENT) is None
    await store.append(KEY, entries("a"))
    assert await other.load(KEY) == entries("a")
    listed = await store.list_sessions(KEY["project_key"])
    assert [item["session_id"] for item in listed] == [KEY["session_id"]]


async def test_refusals_and_outages_say_what_is_wrong(store: TeamloreSessionStore) -> None:
    with pytest.raises(StoreError, match="subpath"):
        await store.append({**KEY, "subpath": "../x"}, entries("a"))
    with pytest.raises(StoreError, match="subpath"):
        await store.load({**KEY, "subpath": ""})
    async with TeamloreSessionStore("http://127.0.0.1:9", "k") as nobody:
        with pytest.raises(StoreError, match="does not answer"):
            await nobody.load(KEY)


async def test_the_sdks_own_suite_passes(server: RunningServer) -> None:
    if not SDK.exists():
        assert not PROVING, "./dev prove installs the SDK first"
        pytest.skip("the SDK (166 MB) is installed for ./dev prove only")
    done = await asyncio.to_thread(
        subprocess.run,
        [str(SDK), str(Path(__file__).with_name("conformance.py")), server.url],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "conforms\n"), done.stderr
