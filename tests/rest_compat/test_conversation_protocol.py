"""Versions, digests, conditions, codings and appending: HTTP's own ways to be sure of bytes."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable

import pytest
from backports import zstd

from settings import Settings
from tests.conftest import Serve
from tests.support.places import Place
from tests.support.registry import conversation, register, state
from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

S = session_id(1)
DATA = transcript(1, 600_000)
MORE = transcript(2, 3_000)


@pytest.fixture
def settings(settings: Settings, blocks: Place) -> Settings:
    return blocks.used_by(settings)


@pytest.fixture
async def al(server: RunningServer) -> dict[str, str]:
    return {**await register(server.client), "Accept-Encoding": "identity"}


@pytest.fixture
async def kept(server: RunningServer, al: dict[str, str]) -> dict[str, str]:
    """The header of an account that has DATA as its session S."""
    answer = await server.client.put(conversation(S), headers=al, content=DATA)
    assert answer.status_code == 201
    return al


def digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()}"'


@pytest.mark.on_s3
async def test_every_version_can_be_listed_and_downloaded(
    server: RunningServer, kept: dict[str, str]
) -> None:
    other = DATA[:300_000] + b"another way\n"
    await server.client.put(conversation(S), headers=kept, content=other)
    listed = await server.client.get(f"{conversation(S)}/versions", headers=kept)
    versions = listed.json()["versions"]
    assert [(v["version"], v["current"], v["size"]) for v in versions] == [
        (1, True, len(DATA)),
        (2, False, len(other)),
    ]
    for number, data in ((1, DATA), (2, other)):
        answer = await server.client.get(f"{conversation(S)}?version={number}", headers=kept)
        assert answer.content == data
        assert answer.headers["etag"] == tag(data)
        assert versions[number - 1]["sha256"] == hashlib.sha256(data).hexdigest()
    for bad, status in (("3", 404), ("0", 400), ("x", 400), ("-1", 400), ("99999999999", 400)):
        answer = await server.client.get(f"{conversation(S)}?version={bad}", headers=kept)
        assert answer.status_code == status, bad
    nothing = await server.client.get(f"{conversation('none')}/versions", headers=kept)
    assert nothing.status_code == 404


async def test_a_wrong_digest_is_refused_and_nothing_stored(
    server: RunningServer, kept: dict[str, str]
) -> None:
    before = await state(server.settings)
    for name in ("Content-Digest", "Repr-Digest", "Unencoded-Digest"):
        for value in (digest(b"else"), "sha-256=:AAAA:", "sha-256=abc", "nonsense"):
            headers = {**kept, name: value}
            answer = await server.client.put(
                conversation(S), headers=headers, content=DATA + b"more"
            )
            assert answer.status_code == 400, (name, value)
            assert answer.json()["details"][0]["path"] == [name]
            new = await server.client.put(conversation("new"), headers=headers, content=DATA)
            assert new.status_code == 400
    after = await state(server.settings)
    assert {**after, "blocks": 0} == {**before, "blocks": 0}


async def test_right_digests_are_taken_and_given(
    server: RunningServer, kept: dict[str, str]
) -> None:
    whole = DATA + MORE
    for value in (digest(whole), f"sha-512=:AAAA:, {digest(whole)}", "unixsum=:AAAA:"):
        headers = {**kept, "Content-Digest": value, "Repr-Digest": value}
        answer = await server.client.put(conversation(S), headers=headers, content=whole)
        assert answer.status_code == 200, answer.text
        assert answer.headers["repr-digest"] == digest(whole)
    for method in ("GET", "HEAD"):
        answer = await server.client.request(method, conversation(S), headers=kept)
        assert answer.headers["content-digest"] == digest(whole)
        assert answer.headers["repr-digest"] == digest(whole)
    part = await server.client.get(conversation(S), headers={**kept, "Range": "bytes=0-9"})
    assert part.headers["repr-digest"] == digest(whole)
    assert "content-digest" not in part.headers


async def test_conditions_protect_what_is_stored(server: RunningServer, al: dict[str, str]) -> None:
    async def put(content: bytes, **conditions: str) -> int:
        headers = {**al, **{name.replace("_", "-"): value for name, value in conditions.items()}}
        return (
            await server.client.put(conversation(S), headers=headers, content=content)
        ).status_code

    assert await put(DATA, If_Match="*") == 412
    assert await put(DATA, If_None_Match="*") == 201
    assert await put(DATA + MORE, If_None_Match="*") == 412
    assert await put(DATA + MORE, If_Match=tag(MORE)) == 412
    assert await put(DATA + MORE, If_Match=f"W/{tag(DATA)}") == 412
    assert await put(DATA + MORE, If_None_Match=tag(DATA)) == 412
    assert (await server.client.get(conversation(S), headers=al)).content == DATA
    assert await put(DATA + MORE, If_Match=f"{tag(MORE)}, {tag(DATA)}") == 200
    assert (await server.client.get(conversation(S), headers=al)).content == DATA + MORE


@pytest.mark.on_s3
async def test_appending_begins_where_the_stored_bytes_end(
    server: RunningServer, al: dict[str, str]
) -> None:
    sent = b""
    for part, status in ((DATA, 201), (MORE, 200), (b"", 200), (b"{}\n", 200)):
        headers = {**al, "Upload-Offset": str(len(sent)), "Upload-Complete": "?1"}
        sent += part
        headers["Repr-Digest"], headers["Content-Digest"] = digest(sent), digest(part)
        answer = await server.client.patch(conversation(S), headers=headers, content=part)
        assert (answer.status_code, answer.headers["upload-offset"]) == (status, str(len(sent)))
        assert answer.json()["conversation_size"] == len(sent)
        head = await server.client.head(conversation(S), headers=al)
        assert head.headers["upload-offset"] == str(len(sent))
        assert head.headers["repr-digest"] == digest(sent)
    assert (await server.client.get(conversation(S), headers=al)).content == sent
    listed = await server.client.get(f"{conversation(S)}/versions", headers=al)
    assert len(listed.json()["versions"]) == 1


@pytest.mark.parametrize("offset", [0, 5, len(DATA) - 1, len(DATA) + 1, 10**17])
async def test_appending_elsewhere_is_a_conflict_that_tells_where(
    server: RunningServer, kept: dict[str, str], offset: int
) -> None:
    headers = {**kept, "Upload-Offset": str(offset)}
    answer = await server.client.patch(conversation(S), headers=headers, content=b"x")
    assert answer.status_code == 409
    assert answer.headers["upload-offset"] == str(len(DATA))
    assert answer.json()["expected-offset"] == len(DATA)
    new = await server.client.patch(
        conversation("new"), headers={**kept, "Upload-Offset": "5"}, content=b"x"
    )
    assert (new.status_code, new.headers["upload-offset"]) == (409, "0")
    assert (await server.client.get(conversation(S), headers=kept)).content == DATA


async def test_appending_needs_an_offset_and_a_right_digest(
    server: RunningServer, kept: dict[str, str]
) -> None:
    for bad in ({}, {"Upload-Offset": "-1"}, {"Upload-Offset": "x"}, {"Upload-Offset": "9" * 30}):
        answer = await server.client.patch(conversation(S), headers={**kept, **bad}, content=b"x")
        assert answer.status_code == 400
    headers = {**kept, "Upload-Offset": str(len(DATA)), "Repr-Digest": digest(b"else")}
    answer = await server.client.patch(conversation(S), headers=headers, content=b"x")
    assert answer.status_code == 400
    assert (await server.client.get(conversation(S), headers=kept)).content == DATA


PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}


@pytest.mark.parametrize("coding", PACK)
async def test_a_packed_upload_is_kept_unpacked(
    server: RunningServer, al: dict[str, str], coding: str
) -> None:
    pack = PACK[coding]
    # Not packed again to be compared: gzip writes the time into it.
    for body, whole in (
        (pack(DATA), DATA),
        (pack(DATA) + pack(b"") + pack(MORE), DATA + MORE),
    ):
        headers = {**al, "Content-Encoding": coding, "Content-Digest": digest(body)}
        headers["Unencoded-Digest"] = digest(whole)
        answer = await server.client.put(conversation(S), headers=headers, content=body)
        assert answer.json()["conversation_size"] == len(whole), answer.text
        assert (await server.client.get(conversation(S), headers=al)).content == whole
    empty = {**al, "Content-Encoding": coding}
    answer = await server.client.put(conversation("e"), headers=empty, content=pack(b""))
    assert (answer.status_code, answer.json()["conversation_size"]) == (201, 0)


@pytest.mark.parametrize("coding", PACK)
async def test_a_broken_packed_upload_is_refused(
    server: RunningServer, al: dict[str, str], coding: str
) -> None:
    packed = PACK[coding](DATA)
    damaged = packed[:500] + bytes([packed[500] ^ 255]) + packed[501:]
    headers = {**al, "Content-Encoding": coding}
    for body in (b"", b"rubbish", packed[:-1], packed[:1000], packed + b"rubbish", damaged):
        answer = await server.client.put(conversation(S), headers=headers, content=body)
        if body == damaged and answer.status_code == 201:  # zstd without a checksum of its own
            assert coding == "zstd"
            continue
        assert answer.status_code == 400, (len(body), answer.text)
    for other in ("br", "deflate", "gzip, zstd", "compress"):
        headers = {**al, "Content-Encoding": other}
        answer = await server.client.put(conversation("x"), headers=headers, content=packed)
        assert answer.status_code == 415
        assert "zstd" in answer.headers["accept-encoding"]


async def test_a_window_above_eight_megabytes_is_refused(
    server: RunningServer, al: dict[str, str]
) -> None:
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=options)
    body = packer.compress(DATA) + packer.flush()
    headers = {**al, "Content-Encoding": "zstd"}
    answer = await server.client.put(conversation(S), headers=headers, content=body)
    assert answer.status_code == 400


@pytest.mark.parametrize("coding", PACK)
async def test_a_bomb_is_stopped_at_the_limit(
    serve: Serve, server: RunningServer, coding: str
) -> None:
    small = await serve(server.settings.model_copy(update={"conversation_max": 1_000_000}))
    al = await register(small.client)
    bomb = PACK[coding](bytes(200_000_000))
    assert len(bomb) < 1_000_000
    headers = {**al, "Content-Encoding": coding}
    answer = await small.client.put(conversation(S), headers=headers, content=bomb)
    assert answer.status_code == 413


@pytest.mark.parametrize("coding", PACK)
async def test_a_packed_download_is_offered(
    server: RunningServer, kept: dict[str, str], coding: str
) -> None:
    headers = {**kept, "Accept-Encoding": coding}
    async with server.client.stream("GET", conversation(S), headers=headers) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == coding
    assert answer.headers["etag"] == f'{tag(DATA)[:-1]}-{coding}"'
    assert answer.headers["unencoded-digest"] == digest(DATA)
    assert len(raw) < len(DATA) / 2
    assert (gzip.decompress if coding == "gzip" else zstd.decompress)(raw) == DATA
    again = {**headers, "If-None-Match": answer.headers["etag"]}
    assert (await server.client.get(conversation(S), headers=again)).status_code == 304
    part = await server.client.get(conversation(S), headers={**headers, "Range": "bytes=0-9"})
    assert part.content == DATA[:10]


async def test_otherwise_a_download_is_plain_and_tells_its_length(
    server: RunningServer, kept: dict[str, str]
) -> None:
    by_themselves = ("gzip, deflate", "gzip, deflate, br, zstd")
    for accepted in ("", "identity", *by_themselves, "gzip;q=0", "*", "identity, gzip;q=0.5"):
        headers = {**kept, "Accept-Encoding": accepted}
        answer = await server.client.get(conversation(S), headers=headers)
        assert answer.headers["content-length"] == str(len(DATA))
        assert "content-encoding" not in answer.headers
