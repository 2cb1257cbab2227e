"""Answers in JSON are compressed for those who take it, and only those."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from backports import zstd
from graphql import get_introspection_query
from hypothesis import given
from hypothesis import strategies as st

from content_coding import MIN_BYTES, OFF_LOOP_BYTES, ContentCoding, preferred
from tests.graph.client import Caller, newcomer
from tests.support.server import RunningServer

LARGE = {"query": get_introspection_query(descriptions=True)}
OPEN: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda data: zstd.ZstdDecompressor().decompress(data),
}


async def _raw(response: httpx.Response) -> bytes:
    return b"".join([part async for part in response.aiter_raw()])


async def _asked(
    server: RunningServer, body: dict[str, Any], accept_encoding: str, **headers: str
) -> tuple[httpx.Response, bytes]:
    headers["accept-encoding"] = accept_encoding
    request = server.client.build_request("POST", "/graphql", json=body, headers=headers)
    response = await server.client.send(request, stream=True)
    return response, await _raw(response)


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("GZIP;Q=0.2", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, zstd;q=0", None),
        ("*", "zstd"),
        ("*;q=0.1, zstd;q=0", "gzip"),
        ("br", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("gzip;q=nonsense", None),
        (",,;;q=,", None),
    ],
)
def test_the_client_decides(header: str, coding: str | None) -> None:
    assert preferred(header) == coding


@given(st.text())
def test_no_header_is_too_strange(header: str) -> None:
    assert preferred(header) in {None, "zstd", "gzip"}


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_a_large_answer_is_compressed(server: RunningServer, coding: str) -> None:
    plain, content = await _asked(server, LARGE, "identity")
    assert "content-encoding" not in plain.headers
    response, packed = await _asked(server, LARGE, coding)
    assert response.headers["content-encoding"] == coding
    assert response.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert int(response.headers["content-length"]) == len(packed) < len(content) / 4
    assert OPEN[coding](packed) == content


async def test_small_answers_and_events_are_not(server: RunningServer) -> None:
    small, content = await _asked(server, {"query": "{ __typename }"}, "gzip, zstd")
    assert "content-encoding" not in small.headers
    assert json.loads(content) == {"data": {"__typename": "Query"}}
    events, content = await _asked(server, LARGE, "gzip, zstd", accept="text/event-stream")
    assert "content-encoding" not in events.headers
    assert content.startswith((b":", b"event:"))


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_streamed_pulls_are_compressed_as_they_come(
    server: RunningServer, coding: str
) -> None:
    person = await newcomer(server)
    entries = [
        {"type": "decision", "timestamp": n, "summary": f"Number {n} of many"} for n in range(500)
    ]
    await server.client.post(
        "/api/sync/push/knowledge", json={"entries": entries}, headers=person.headers
    )
    bodies = []
    for accepted in ("identity", coding):
        request = server.client.build_request(
            "GET",
            "/api/sync/pull/knowledge",
            headers={**person.headers, "accept-encoding": accepted},
        )
        response = await server.client.send(request, stream=True)
        bodies.append(await _raw(response))
    assert response.headers["content-encoding"] == coding
    assert "content-length" not in response.headers
    assert len(bodies[1]) < len(bodies[0]) / 4
    assert json.loads(OPEN[coding](bodies[1])) == json.loads(bodies[0])


async def test_refusals_are_compressed_like_any_answer(server: RunningServer) -> None:
    query = "{ " + " ".join(f"misspelt{n}" for n in range(90)) + " }"
    response, packed = await _asked(server, {"query": query}, "gzip")
    assert response.headers["content-encoding"] == "gzip"
    assert b"GRAPHQL_VALIDATION_FAILED" in gzip.decompress(packed)
    assert (await Caller(server).post("{")).json()["errors"]


SIZES = st.sampled_from([0, 1, MIN_BYTES - 1, MIN_BYTES, OFF_LOOP_BYTES + 1])


@given(sizes=st.lists(SIZES, min_size=1, max_size=4), coding=st.sampled_from([*OPEN, "identity"]))
async def test_any_stream_comes_out_as_it_went_in(sizes: list[int], coding: str) -> None:
    parts = [b"ab" * (size // 2) + b"c" * (size % 2) for size in sizes]

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"vary", b"Origin")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in parts[:-1]:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": parts[-1]})

    transport = httpx.ASGITransport(ContentCoding(streaming))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        request = client.build_request("GET", "/", headers={"accept-encoding": coding})
        response = await client.send(request, stream=True)
        body = await _raw(response)
    given = response.headers.get("content-encoding")
    assert (OPEN[given](body) if given else body) == b"".join(parts)
    assert response.headers["vary"] == "Origin, Accept-Encoding"


@pytest.mark.parametrize("coding", list(OPEN))
async def test_what_was_streamed_so_far_can_be_read(coding: str) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"[1,", "more_body": True})
        opened = zlib.decompressobj(31) if coding == "gzip" else zstd.ZstdDecompressor()
        assert opened.decompress(sent[-1]["body"]) == b"[1,"

    scope = {
        "type": "http",
        "method": "GET",
        "headers": [(b"accept-encoding", coding.encode())],
    }
    await ContentCoding(streaming)(scope, _nothing, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


async def _nothing() -> Any:
    return {"type": "http.disconnect"}
