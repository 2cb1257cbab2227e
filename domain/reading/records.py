"""One line of a transcript as a row: where it is, who said what when, what to find it by.

Only the fields that are shown are decoded: attachments, images and the tools' own records of their
results are passed over in C. Any field may hold anything; what it should not hold is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from domain.reading import words
from domain.reading.lines import Line
from domain.transcripts import decoded, instant

TEXT_MAX: Final = 16_000
THINKING_MAX: Final = 8_000
RESULT_MAX: Final = 4_000
INPUT_MAX: Final = 400
NAME_MAX: Final = 200
TOOLS_MAX: Final = 50
BROKEN: Final = ""
"""The kind of a line that is no JSON object."""
NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOKENS_MAX: Final = 10**10
"""Larger figures are nonsense, and sums of them must fit into 64 bits."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_TELLING: Final = (
    *("command", "file_path", "notebook_path", "path", "pattern", "query", "url"),
    *("description", "prompt"),
)


class Message(NamedTuple):
    """A row of the table of messages, behind scope, session and file."""

    line: int
    start: int
    length: int
    kind: str
    subtype: str | None
    role: str | None
    uuid: str | None
    parent: str | None
    sidechain: bool
    agent_id: str | None
    at: datetime
    timed: bool
    model: str | None
    text: str | None
    thinking: str | None
    tools: str | None
    search: str


class Usage(NamedTuple):
    """What one answer of a model cost, as its last line in a file says."""

    key: str
    line: int
    at: datetime | None
    model: str
    input: int
    output: int
    cache_creation: int
    cache_creation_1h: int
    cache_read: int


class Extra(NamedTuple):
    """What else a record says of its session."""

    cwd: str | None = None
    git_branch: str | None = None
    version: str | None = None


class Record(NamedTuple):
    """Everything that is kept of a line."""

    message: Message
    usage: Usage | None
    extra: Extra


class _Envelope(msgspec.Struct):
    type: Any = None
    subtype: Any = None
    uuid: Any = None
    parent: Any = msgspec.field(default=None, name="parentUuid")
    timestamp: Any = None
    is_sidechain: Any = msgspec.field(default=None, name="isSidechain")
    agent_id: Any = msgspec.field(default=None, name="agentId")
    request_id: Any = msgspec.field(default=None, name="requestId")
    version: Any = None
    cwd: Any = None
    git_branch: Any = msgspec.field(default=None, name="gitBranch")
    custom_title: Any = msgspec.field(default=None, name="customTitle")
    ai_title: Any = msgspec.field(default=None, name="aiTitle")
    last_prompt: Any = msgspec.field(default=None, name="lastPrompt")
    summary: Any = None
    pr_url: Any = msgspec.field(default=None, name="prUrl")
    content: msgspec.Raw = msgspec.Raw()
    message: msgspec.Raw = msgspec.Raw()


class _Said(msgspec.Struct):
    id: Any = None
    role: Any = None
    model: Any = None
    usage: Any = None
    content: msgspec.Raw = msgspec.Raw()


class _Part(msgspec.Struct):
    type: Any = None
    text: Any = None
    thinking: Any = None
    id: Any = None
    name: Any = None
    input: msgspec.Raw = msgspec.Raw()
    tool_use_id: Any = None
    is_error: Any = None
    content: msgspec.Raw = msgspec.Raw()


_envelope = msgspec.json.Decoder(_Envelope)
_said = msgspec.json.Decoder(_Said)
_parts = msgspec.json.Decoder(list[_Part])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_part = msgspec.json.Decoder(_Part)
_text: msgspec.json.Decoder[str] = msgspec.json.Decoder(str)
_object: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])


def read(line: Line, number: int, before: datetime, scope_tag: str) -> Record:
    """The record on a line. One without a time stands where the one `before` it does."""
    found = decoded(_envelope, line.data) if line.is_whole else None
    if found is None:
        return _unread(line, number, before, scope_tag)
    said = _message(memoryview(found.message))
    words_said = _Words(found, said)
    at = instant(found.timestamp)
    kind = clean(found.type, NAME_MAX)
    message = Message(
        number,
        line.offset,
        line.length,
        kind or "unknown",
        clean(found.subtype, NAME_MAX),
        clean(said.role, NAME_MAX) if said else None,
        clean(found.uuid, NAME_MAX),
        clean(found.parent, NAME_MAX),
        found.is_sidechain is True,
        clean(found.agent_id, NAME_MAX),
        at or before,
        at is not None,
        clean(said.model, NAME_MAX) if said else None,
        words_said.text,
        words_said.thinking,
        words_said.tools,
        words.vector(scope_tag, words_said.all),
    )
    extra = Extra(
        clean(found.cwd, 4096), clean(found.git_branch, NAME_MAX), clean(found.version, NAME_MAX)
    )
    return Record(message, _usage(found, said, message, at) if said else None, extra)


def _message(raw: memoryview) -> _Said | None:
    return decoded(_said, raw) if bytes(raw[:1]) == b"{" else None


class _Words:
    """What a record says, in bounded pieces."""

    def __init__(self, found: _Envelope, said: _Said | None) -> None:
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._results: list[dict[str, Any]] = []
        if said is not None:
            self._content(memoryview(said.content))
        else:
            self._add(self._texts, _string(memoryview(found.content)))
            for value in (found.custom_title, found.ai_title, found.last_prompt, found.summary):
                self._add(self._texts, value)
            self._add(self._texts, found.pr_url)
        self.text = clean("\n".join(self._texts) or None, TEXT_MAX)
        self.thinking = clean("\n".join(self._thoughts) or None, THINKING_MAX)
        tools = {"calls": self._calls, "results": self._results}
        self.tools = orjson.dumps(tools).decode() if self._calls or self._results else None

    @property
    def all(self) -> str:
        """Everything that can be searched for."""
        pieces = [self.text or "", self.thinking or ""]
        pieces += [f"{call['name']} {call['input']}" for call in self._calls]
        pieces += [result["text"] for result in self._results]
        return "\n".join(pieces)[: 2 * TEXT_MAX]

    def _content(self, content: memoryview) -> None:
        if bytes(content[:1]) == b'"':
            self._add(self._texts, _string(content))
        elif bytes(content[:1]) == b"[":
            for part in _list(content):
                self._take(part)

    def _take(self, part: _Part) -> None:
        if part.type == "thinking":
            self._add(self._thoughts, part.thinking)
        elif part.type == "tool_use" and len(self._calls) < TOOLS_MAX:
            name, id = clean(part.name, NAME_MAX) or "tool", clean(part.id, NAME_MAX)
            self._calls.append({"id": id, "name": name, "input": _telling(memoryview(part.input))})
        elif part.type == "tool_result" and len(self._results) < TOOLS_MAX:
            text = clean(_result(memoryview(part.content)), RESULT_MAX) or ""
            id = clean(part.tool_use_id, NAME_MAX)
            self._results.append({"id": id, "error": part.is_error is True, "text": text})
        else:
            self._add(self._texts, part.text)

    @staticmethod
    def _add(pieces: list[str], value: object) -> None:
        if isinstance(value, str) and value:
            pieces.append(value[: TEXT_MAX + 1])


def _string(raw: memoryview) -> str | None:
    return decoded(_text, raw) if bytes(raw[:1]) == b'"' else None


def _list(raw: memoryview) -> Sequence[_Part]:
    found = decoded(_parts, raw)
    if found is not None:
        return found
    mixed = (decoded(_part, memoryview(item)) for item in decoded(_raws, raw) or ())
    return [part for part in mixed if part is not None]


def _result(raw: memoryview) -> str:
    if bytes(raw[:1]) == b"[":
        return "\n".join(part.text for part in _list(raw) if isinstance(part.text, str))
    return _string(raw) or ""


def _telling(raw: memoryview) -> str:
    """What a tool was asked for: its most telling field, else its input as it stands."""
    fields = decoded(_object, raw) if len(raw) <= TEXT_MAX * 8 else None
    shown: object = bytes(raw[: INPUT_MAX * 4]).decode("utf-8", "replace")
    if fields is not None:
        shown = next((fields[key] for key in _TELLING if isinstance(fields.get(key), str)), shown)
    return clean(shown, INPUT_MAX) or ""


def _usage(found: _Envelope, said: _Said, message: Message, at: datetime | None) -> Usage | None:
    given = said.usage
    if not isinstance(given, dict):
        return None
    lasting = given.get("cache_creation")
    counts = (
        _count(given, "input_tokens"),
        _count(given, "output_tokens"),
        _count(given, "cache_creation_input_tokens"),
        _count(lasting, "ephemeral_1h_input_tokens") if isinstance(lasting, dict) else 0,
        _count(given, "cache_read_input_tokens"),
    )
    if not any(counts):
        return None
    id, request = clean(said.id, NAME_MAX), clean(found.request_id, NAME_MAX)
    alone = message.uuid or f"line {message.line} at {message.start}"
    key = f"{id} {request}" if id and request else id or alone
    return Usage(key, message.line, at, message.model or "", *counts)


def _count(given: dict[str, Any], name: str) -> int:
    value = given.get(name)
    return min(value, _TOKENS_MAX) if isinstance(value, int) and value > 0 else 0


_HEAD_FIELD = re.compile(
    rb'"(type|uuid|parentUuid|timestamp|subtype|agentId|role)"\s*:\s*"([^"\\]{1,200})"'
)
_HEAD_TEXT = re.compile(rb'"(?:text|content)"\s*:\s*("(?:[^"\\]|\\.)*)', re.DOTALL)


def _unread(line: Line, number: int, before: datetime, scope_tag: str) -> Record:
    """A line that is broken, or so long that only its head is known."""
    fields: dict[str, str] = {}
    if not line.is_whole and line.data.lstrip()[:1] == b"{":
        for name, value in _HEAD_FIELD.findall(line.data):
            fields.setdefault(name.decode(), value.decode("utf-8", "replace"))
        shown = _HEAD_TEXT.search(line.data)
        text = clean(_string(memoryview(shown[1] + b'"')) if shown else None, TEXT_MAX)
        kind = clean(fields.get("type"), NAME_MAX) or "unknown"
    else:
        text = clean(line.data[: TEXT_MAX * 4].decode("utf-8", "replace"), RESULT_MAX)
        kind = BROKEN
    at = instant(fields.get("timestamp"))
    message = Message(
        *(number, line.offset, line.length, kind, clean(fields.get("subtype"), NAME_MAX)),
        clean(fields.get("role"), NAME_MAX),
        clean(fields.get("uuid"), NAME_MAX),
        clean(fields.get("parentUuid"), NAME_MAX),
        False,
        clean(fields.get("agentId"), NAME_MAX),
        at or before,
        at is not None,
        *(None, text, None, None),
        words.vector(scope_tag, text or ""),
    )
    return Record(message, None, Extra())


def clean(value: object, limit: int) -> str | None:
    """Text that PostgreSQL keeps: NUL is shown as its picture, a lone surrogate as U+FFFD.

    None for what is no string, or an empty one. A cut is marked with an ellipsis.
    """
    if not isinstance(value, str) or not value:
        return None
    text = value if len(value) <= limit else value[: limit - 1] + "\u2026"
    if text.isascii():
        return text.replace("\x00", "\u2400")
    return _SURROGATE.sub("\ufffd", text.replace("\x00", "\u2400"))
