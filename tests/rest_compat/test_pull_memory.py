"""A pull of 10,000 entries streams: the server holds some hundred of them at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence

import httpx
import pytest

from tests.conftest import ServeProcess
from tests.rest_compat.test_memory import watched
from tests.support.dial import dial
from tests.support.process import ServerProcess
from tests.support.registry import register

ENTRIES = 10_000
PULLS = dial(6, 40)
DETAILS = "What was learned, at the length that people write it. " * 20
GROWTH_MAX = 12 * 1024 * 1024
"""The answer has more, and as objects of Python several times as much."""
SECONDS_MAX = dial(60, 10)
URL = "/api/sync/pull/knowledge?since=0"


def entries(start: int) -> Sequence[dict[str, object]]:
    return [
        {
            "type": "decision",
            "timestamp": 1_700_000_000_000 + number,
            "summary": f"Entry {number}",
            "details": f"{number}: {DETAILS}",
            "tags": ["memory", f"tag-{number % 50}"],
            "relatedFiles": [f"src/module_{number}.py"],
        }
        for number in range(start, start + 500)
    ]


async def pull(client: httpx.AsyncClient, headers: dict[str, str], url: str) -> tuple[int, int]:
    """One pull, thrown away as it comes: how many bytes and chunks."""
    size = chunks = 0
    async with client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200
        async for chunk in answer.aiter_raw():
            size += len(chunk)
            chunks += 1
    return size, chunks


@pytest.mark.slow
async def test_pulls_of_10000_entries_stay_flat(serve_process: ServeProcess) -> None:
    server: ServerProcess = serve_process(env={"RATE_LIMIT_MAX": "1000000"})
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:
        al = {**await register(client), "Accept-Encoding": "identity"}
        for start in range(0, ENTRIES, 500):
            body = {"entries": entries(start)}
            answer = await client.post("/api/sync/push/knowledge", headers=al, json=body)
            assert answer.json()["accepted"] == 500, answer.text
        for _ in range(3):  # a thousand each, so that not the warm-up takes what is measured
            await pull(client, al, f"{URL}&limit=1000")

        async with watched(server) as once:
            began = time.perf_counter()
            size, chunks = await pull(client, al, URL)
            seconds = time.perf_counter() - began
        async with watched(server) as often:
            for _ in range(PULLS):
                assert (await pull(client, al, URL))[0] == size
        whole = (await client.get(URL, headers=al)).json()
    assert (len(whole["entries"]), whole["hasMore"]) == (ENTRIES, False)
    assert chunks > ENTRIES // 500
    assert size > GROWTH_MAX
    figures = (
        f"{size / 1e6:.1f} MB in {seconds:.2f} s, grew by {once.growth / 1e6:.1f} MB, "
        f"by {often.growth / 1e6:.1f} MB in {PULLS} more"
    )
    print(figures)  # noqa: T201 - what the promise came to
    assert once.growth < GROWTH_MAX, figures
    assert often.growth < GROWTH_MAX, figures
    assert seconds < SECONDS_MAX, figures
