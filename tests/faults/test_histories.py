"""Whatever is sent in whatever order, however it is cut: the real server against a small model.

The model: what was acknowledged is kept, and the versions are those uploads that no other one
continues. The head is the longest of them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import pytest
from backports import zstd
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from settings import Settings
from tests.conftest import Serve
from tests.support.dial import dial
from tests.support.places import Place
from tests.support.registry import conversation, register
from tests.support.server import RunningServer
from tests.support.tails import Growth, body, send

BLOCK = 16
numbers = itertools.count()


def versions_of(uploads: set[bytes]) -> set[bytes]:
    """Those that no other upload continues."""
    return {
        data
        for data in uploads
        if not any(other != data and other.startswith(data) for other in uploads)
    }


@dataclass
class Session:
    """One session on the server, and what must be true of it."""

    server: RunningServer
    headers: dict[str, str]
    id: str
    acknowledged: set[bytes] = field(default_factory=set)
    unknown: set[bytes] = field(default_factory=set)
    """Sent whole, but the connection was cut before the answer."""
    sent: list[bytes] = field(default_factory=list)

    @property
    def path(self) -> str:
        return conversation(self.id)

    async def put(self, data: bytes, how: str) -> None:
        headers, body = dict(self.headers), data
        if how == "packed":
            headers["Content-Encoding"], body = "zstd", zstd.compress(data)
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers["Content-Digest"] = f"sha-256=:{digest}:"
        content = pieces(body) if how == "chunked" else body
        answer = await self.server.client.put(self.path, headers=headers, content=content)
        assert answer.status_code in {200, 201}, answer.text
        self.acknowledged.add(data)

    async def append(self, more: bytes, *, beside_others: bool = False) -> None:
        """Ask where the stored bytes end, and send what follows there.

        Beside whole uploads other bytes of the same length may have become the head meanwhile: what
        tells is the digest, without which an append would go on with those.
        """
        before = await self.head()
        headers = {**self.headers, "Upload-Offset": str(len(before))}
        if beside_others:
            digest = base64.b64encode(hashlib.sha256(before + more).digest()).decode()
            headers["Repr-Digest"] = f"sha-256=:{digest}:"
        answer = await self.server.client.patch(self.path, headers=headers, content=more)
        if answer.status_code == 409:  # somebody else was faster
            assert int(answer.headers["Upload-Offset"]) >= len(before)
            return
        if answer.status_code == 400 and beside_others:
            assert "digest" in answer.text
            return
        assert answer.status_code in {200, 201}, answer.text
        self.acknowledged.add(before + more)

    async def batch(self, more: bytes, other: bytes, *, beside_others: bool = False) -> None:
        """Send what follows together with a whole other session, and some of it once again."""
        before = await self.head()
        grown = Growth(self.id, before + more, len(before))
        beside = Growth(f"{self.id}-{next(numbers)}", other)
        wrong = Growth(self.id, b"y" + before[1:] + more + b"y", len(before))
        files = (wrong, grown, beside) if before else (grown, beside)
        for status in (201, 200):
            found = await send(self.server.client, self.headers, *files)
            assert found[-1]["status"] == status
            assert not before or found[0]["status"] in {400, 409}
            refusals = {400, 409} if beside_others else {409}
            assert found[-2]["status"] in {200, 201} | refusals, found
            if found[-2]["status"] not in refusals:
                assert found[-2]["sha256"] == hashlib.sha256(grown.whole).hexdigest()
                self.acknowledged.add(grown.whole)
        answer = await self.server.client.get(conversation(beside.session_id), headers=self.headers)
        assert answer.content == other

    async def head(self) -> bytes:
        """What is stored."""
        answer = await self.get()
        return answer.content if answer.status_code == 200 else b""

    async def cut(self, data: bytes, sent: int) -> None:
        """Hang up after `sent` bytes of the body."""
        await self.cut_off(f"PUT {self.path}", data, sent)
        if sent >= len(data):
            self.unknown.add(data)

    async def cut_batch(self, more: bytes, sent: int) -> None:
        """Hang up so many bytes before the end of a batch."""
        before = await self.head()
        data = body(Growth(self.id, before + more, len(before)))
        await self.cut_off("POST /api/tails", data, len(data) - sent)
        if sent <= 0:
            self.unknown.add(before + more)

    async def cut_off(self, request: str, data: bytes, sent: int) -> None:
        where = urlsplit(self.server.url)
        _, writer = await asyncio.open_connection(where.hostname, where.port)
        key = f"X-API-Key: {self.headers['X-API-Key']}\r\nContent-Length: {len(data)}\r\n\r\n"
        writer.write(f"{request} HTTP/1.1\r\nHost: x\r\n{key}".encode() + data[:sent])
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def get(self, query: str = "", **headers: str) -> httpx.Response:
        return await self.server.client.get(self.path + query, headers={**self.headers, **headers})

    def possible(self) -> list[set[bytes]]:
        """The sets of versions that there may be, each unknown upload having arrived or not."""
        return [
            versions_of(self.acknowledged | set(arrived))
            for count in range(len(self.unknown) + 1)
            for arrived in itertools.combinations(sorted(self.unknown), count)
        ]

    async def check_head(self) -> None:
        answer = await self.get()
        if answer.status_code == 404:
            assert not self.acknowledged
            return
        lengths = [max(map(len, versions)) for versions in self.possible() if versions]
        assert len(answer.content) in lengths
        assert answer.content in self.acknowledged | self.unknown
        assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'

    async def settled(self) -> httpx.Response:
        """The list of versions once no cut upload is still being taken in."""
        listed = await self.get("/versions")
        while self.unknown:
            await asyncio.sleep(0.15)
            again = await self.get("/versions")
            if again.content == listed.content:
                break
            listed = again
        return listed

    async def check_all(self) -> None:
        listed = await self.settled()
        if listed.status_code == 404:
            assert not self.acknowledged
            return
        found: dict[int, bytes] = {}
        for version in listed.json()["versions"]:
            answer = await self.get(f"?version={version['version']}")
            assert hashlib.sha256(answer.content).hexdigest() == version["sha256"]
            found[version["version"]] = answer.content
        assert set(found.values()) in self.possible()
        assert len(set(found.values())) == len(found)
        for data in self.acknowledged:
            number = next(n for n, version in found.items() if version.startswith(data))
            if data:
                until = f"bytes=0-{len(data) - 1}"
                part = await self.get(f"?version={number}", Range=until)
                assert part.content == data


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 11):
        yield data[start : start + 11]


@pytest.fixture
async def small_blocks(serve: Serve, settings: Settings, blocks: Place) -> RunningServer:
    limits = {"block_size": BLOCK, "rate_limit_max": 10_000_000}
    return await serve(blocks.used_by(settings.model_copy(update=limits)))


@pytest.fixture
async def al(small_blocks: RunningServer) -> dict[str, str]:
    return {**await register(small_blocks.client), "Accept-Encoding": "identity"}


# A tiny alphabet and lengths around the block size make every kind of relation likely.
texts = st.binary(max_size=3 * BLOCK + 2).map(lambda raw: bytes(b"ab\n"[x % 3] for x in raw))
kinds = st.sampled_from(["append", "append", "repeat", "truncate", "diverge"])
uploads = st.tuples(kinds, st.integers(0, 4 * BLOCK), texts)
ways = st.sampled_from(["plain", "chunked", "packed"])
steps = st.one_of(
    st.tuples(st.just("put"), st.lists(uploads, min_size=1, max_size=1), ways),
    st.tuples(st.just("concurrent"), st.lists(uploads, min_size=2, max_size=4), ways),
    st.tuples(st.just("patch"), st.lists(uploads, min_size=1, max_size=2), ways),
    st.tuples(st.just("batch"), st.lists(uploads, min_size=1, max_size=2), ways),
    st.tuples(st.just("mixed"), st.lists(uploads, min_size=2, max_size=3), ways),
    st.tuples(st.just("cut batch"), st.lists(uploads, min_size=1, max_size=1), ways),
    st.tuples(st.just("reordered"), st.lists(uploads, min_size=2, max_size=4), ways),
    st.tuples(st.just("cut"), st.lists(uploads, min_size=1, max_size=1), ways),
)


def next_upload(sent: list[bytes], upload: tuple[str, int, bytes]) -> bytes:
    kind, place, text = upload
    earlier = sent[place % len(sent)] if sent else b""
    cut = place % (len(earlier) + 1)
    made = {
        "append": earlier + text,
        "repeat": earlier,
        "truncate": earlier[:cut],
        "diverge": earlier[:cut] + b"x" + text,
    }
    return made[kind]


@pytest.mark.on_s3
@given(history=st.lists(steps, min_size=1, max_size=8))
@hypothesis_settings(
    max_examples=dial(25, 1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_every_history_ends_with_what_was_acknowledged(
    small_blocks: RunningServer,
    al: dict[str, str],
    history: list[tuple[str, list[tuple[str, int, bytes]], str]],
) -> None:
    session = Session(small_blocks, al, f"s{next(numbers)}")
    for step, wanted, way in history:
        made = []
        for upload in wanted:
            made.append(next_upload(session.sent, upload))
            session.sent.append(made[-1])
        await carry_out(session, step, made, wanted, way)
        await session.check_head()
    await session.check_all()


async def carry_out(
    session: Session,
    step: str,
    made: list[bytes],
    wanted: list[tuple[str, int, bytes]],
    way: str,
) -> None:
    zipped = list(zip(made, wanted, strict=True))
    if step == "patch":
        await asyncio.gather(*(session.append(text) for _, _, text in wanted))
        session.sent.extend(sorted(session.acknowledged - set(session.sent)))
    elif step == "batch":
        await asyncio.gather(*(session.batch(text, data) for data, (_, _, text) in zipped))
        session.sent.extend(sorted(session.acknowledged - set(session.sent)))
    elif step == "mixed":
        (data, (_, _, text)), *others = zipped
        rest = (
            session.append(more, beside_others=True) if place % 2 else session.put(whole, way)
            for whole, (_, place, more) in others
        )
        await asyncio.gather(session.batch(text, data, beside_others=True), *rest)
        session.sent.extend(sorted(session.acknowledged - set(session.sent)))
    elif step == "cut batch":
        if len(session.unknown) < 4:
            await session.cut_batch(wanted[0][2], wanted[0][1] - 2 * BLOCK)
    elif step == "cut" and len(session.unknown) < 4:
        await session.cut(made[0], wanted[0][1])
    elif step == "concurrent":
        await asyncio.gather(*(session.put(data, way) for data in made))
    else:
        for data in reversed(made):
            await session.put(data, way)
