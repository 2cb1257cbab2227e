"""A `SessionStore` of the Claude Agent SDK that keeps sessions on a Teamlore server.

    store = TeamloreSessionStore("https://teamlore.example.org", key)
    options = ClaudeAgentOptions(session_store=store)

Each transcript is a file on the server to which entries are appended as lines of JSON. An entry
whose `uuid` is there already is left out, so a batch that is sent again, by this process or after
a time-out, arrives once. The store works on any event loop that anyio knows.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypedDict
from urllib.parse import quote

import anyio
import httpx

Entry = dict[str, Any]
_ENDING: Final = ".jsonl"
_TRIES: Final = 8
_REMEMBERED: Final = 256
_NAME_MAX: Final = 1024


class Key(TypedDict, total=False):
    """The SDK's `SessionKey`."""

    project_key: str
    session_id: str
    subpath: str


class StoreError(Exception):
    """The server refused, or its answer makes no sense; says which and why."""


@dataclass
class _Tail:
    """What is known of one stored transcript."""

    size: int = 0
    uuids: set[str] = field(default_factory=set)
    partial: bytes = b""
    """The beginning of a line whose end has not been seen."""
    lock: anyio.Lock = field(default_factory=anyio.Lock)

    def take(self, data: bytes) -> None:
        """Learn what follows on the known bytes."""
        self.size += len(data)
        *lines, self.partial = (self.partial + data).split(b"\n")
        for entry in _entries(lines):
            if isinstance(uuid := entry.get("uuid"), str):
                self.uuids.add(uuid)


class TeamloreSessionStore:
    """Keeps the sessions of one account. Close it with `aclose()`, or use it in `async with`."""

    def __init__(self, url: str, api_key: str, *, client: httpx.AsyncClient | None = None) -> None:
        """`client` for a connection of your own making; its base URL and headers are not used."""
        self._url = url.rstrip("/")
        self._headers = {"X-API-Key": api_key}
        self._client = client or httpx.AsyncClient(timeout=60)
        self._tails: OrderedDict[str, _Tail] = OrderedDict()

    async def __aenter__(self) -> TeamloreSessionStore:
        """The store itself."""
        return self

    async def __aexit__(self, *_problem: object) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def append(self, key: Key, entries: list[Entry]) -> None:
        """Keep entries behind those that are kept; durable when it returns. Raises StoreError."""
        if not entries:
            return
        address = self._address(key)
        tail = self._tail(address)
        async with tail.lock:
            looked = False
            for _ in range(_TRIES):
                body = _lines(entry for entry in entries if entry.get("uuid") not in tail.uuids)
                if not body and looked:
                    return
                if body and await self._send(address, key, tail, body):
                    return
                # Others have written, or deleted what we know to be there.
                await self._catch_up(address, tail)
                looked = True
        raise StoreError("others keep writing to this session")

    async def _send(self, address: str, key: Key, tail: _Tail, body: bytes) -> bool:
        """Whether the body was kept; False when others have written meanwhile."""
        body = b"\n" + body if tail.partial else body
        digest = hashlib.sha256(body).digest()
        headers = {
            "Upload-Offset": str(tail.size),
            "Content-Type": "application/x-ndjson",
            "Content-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
        }
        if _speakable(key["project_key"]):
            headers["X-Project-Name"] = key["project_key"]
        answer = await self._ask("PATCH", address, headers=headers, content=body)
        if answer.status_code == httpx.codes.CONFLICT and "upload-offset" in answer.headers:
            return False
        _check(answer)
        tail.take(body)
        return True

    async def _catch_up(self, address: str, tail: _Tail) -> None:
        """Read what is stored beyond what is known."""
        ranged = {"Range": f"bytes={tail.size}-", "Accept-Encoding": "identity"}
        answer = await self._ask("GET", address, headers=ranged if tail.size else {})
        if answer.status_code == httpx.codes.PARTIAL_CONTENT:
            tail.take(answer.content)
            return
        tail.size, tail.uuids, tail.partial = 0, set(), b""  # deleted, or replaced by a shorter one
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            answer = await self._ask("GET", address)
        if answer.status_code != httpx.codes.NOT_FOUND:
            tail.take(_check(answer).content)

    async def load(self, key: Key) -> list[Entry] | None:
        """All entries of a transcript in order; None for one that was never written."""
        answer = await self._ask("GET", self._address(key))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return list(_entries(_check(answer).content.split(b"\n")))

    async def list_sessions(self, project_key: str) -> list[dict[str, Any]]:
        """The sessions of a project: `session_id`, and `mtime` in milliseconds since 1970."""
        ending = _mark(project_key)
        asked = {"project": project_key} if _speakable(project_key) else {}
        return [
            {"session_id": item["session_id"].removesuffix(ending), "mtime": _mtime(item)}
            for item in await self._manifest(asked)
            if item["path"] == "" and item["session_id"].endswith(ending)
        ]

    async def list_subkeys(self, key: Key) -> list[str]:
        """The subpaths under a session."""
        items = await self._manifest({"session_id": _name(key)})
        paths = [item["path"] for item in items]
        return [path.removesuffix(_ENDING) for path in paths if path.endswith(_ENDING)]

    async def delete(self, key: Key) -> None:
        """Delete a session with all under it, or with a subpath only that; fine when it is gone."""
        address = self._address(key)
        if "subpath" not in key:
            address = f"{self._url}/api/sessions/{quote(_name(key), safe='')}"
        answer = await self._ask("DELETE", address)
        if answer.status_code != httpx.codes.NOT_FOUND:
            _check(answer)
        if "subpath" in key:
            self._tails.pop(address, None)
            return
        name = quote(_name(key), safe="")
        for known in [known for known in self._tails if name in known.split("/")]:
            del self._tails[known]

    async def _manifest(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        answer = await self._ask("GET", f"{self._url}/api/manifest", params=asked)
        return [json.loads(line) for line in _check(answer).content.splitlines()]

    async def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        headers = {**self._headers, **more.pop("headers", {})}
        try:
            return await self._client.request(method, address, headers=headers, **more)
        except httpx.HTTPError as error:
            raise StoreError(f"{self._url} does not answer: {error!r}") from error

    def _address(self, key: Key) -> str:
        name = quote(_name(key), safe="")
        if "subpath" not in key:
            return f"{self._url}/api/sessions/conversation/{name}"
        if {"", ".", ".."} & set(key["subpath"].split("/")):
            raise StoreError("subpath must not have empty, '.' or '..' parts")
        return f"{self._url}/api/sessions/{name}/files/{quote(key['subpath'] + _ENDING)}"

    def _tail(self, address: str) -> _Tail:
        tail = self._tails.setdefault(address, _Tail())
        self._tails.move_to_end(address)
        while len(self._tails) > _REMEMBERED:
            oldest = next(iter(self._tails))
            if self._tails[oldest].lock.locked():
                break
            del self._tails[oldest]
        return tail


def _name(key: Key) -> str:
    """The session's id on the server.

    An account has one session of a name there: those of two projects are kept apart by a mark.
    """
    return key["session_id"] + _mark(key["project_key"])


def _mark(project_key: str) -> str:
    digest = hashlib.sha256(project_key.encode("utf-8", "surrogatepass")).hexdigest()
    return f".sdk-{digest[:16]}"


def _speakable(project_key: str) -> bool:
    """Whether a header can carry it."""
    return project_key.isascii() and project_key.isprintable() and len(project_key) <= _NAME_MAX


def _lines(entries: Iterable[Entry]) -> bytes:
    """Entries as lines: pure ASCII, so that lone surrogates pass too."""
    return b"".join(json.dumps(e, separators=(",", ":")).encode() + b"\n" for e in entries)


def _entries(lines: Iterable[bytes]) -> Iterable[Entry]:
    for line in lines:
        if line.strip():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut off by somebody else; kept on the server all the same
            if isinstance(entry, dict):
                yield entry


def _mtime(item: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(item["updated"]).timestamp() * 1000)


def _check(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    raise StoreError(
        f"{answer.request.method} {answer.request.url}: HTTP {answer.status_code} "
        f"{answer.text[:300]}"
    )
