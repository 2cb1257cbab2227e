"""The reading side of a transcript: JSON Lines, understood as far as they can be, never fatal.

The format is Claude Code's and changes without notice. Lines that do not parse are counted,
records of an unknown kind are passed over, and reading the same lines once more changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

DecodedT = TypeVar("DecodedT")
Line: TypeAlias = bytes | bytearray
"""A line without its end: as it lay in a block, or put together from several, never copied."""

LINE_MAX: Final = 16 * 1024 * 1024
"""Longer lines are kept like any other bytes, but not read."""
TITLE_MAX: Final = 200
PATH_MAX: Final = 4096
_CWDS_MAX: Final = 64
_FOLDER_MAX: Final = 200
_TITLES: Final = ("customTitle", "aiTitle", "lastPrompt", "summary")
FIRST_PROMPT_RANK: Final = len(_TITLES)
_NOT_A_PROMPT = re.compile(
    r"<(?:command-|local-command|bash-|system-reminder|user-|ide_|task-)|Caveat: |\[Request interr"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a stretch of a transcript says about its session."""

    cwds: Sequence[str] = ()
    """The folders it ran in, in the order of their first appearance."""
    git_branch: str | None = None
    title: str | None = None
    title_rank: int | None = None
    """How good a title that is: 0 for one that a person gave, up to 4 for the first prompt."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    broken: int = 0
    """Lines that are not JSON objects."""


class Lines:
    """Cuts blocks into lines, holding on to an unfinished one; memory is bounded by LINE_MAX."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._size = 0
        self._too_long = False

    def feed(self, block: bytes) -> Iterator[Line]:
        """The lines that `block` completes, without their ends; too long ones are left out."""
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            if not self._held and not self._too_long:
                yield block[start:end]
            else:
                self._hold(block[start:end])
                held = self.rest()
                if held is not None:
                    yield held
            start = end + 1
        self._hold(block[start:])

    def skip(self, block: bytes) -> None:
        """Pass over a block whose lines are known; only its unfinished last line matters."""
        end = block.rfind(b"\n")
        if end >= 0:
            self.rest()
        self._hold(block[end + 1 :])

    def rest(self) -> Line | None:
        """The unfinished line, which is then forgotten; None when it was too long."""
        line = None if self._too_long else self._held
        self._held, self._size, self._too_long = bytearray(), 0, False
        return line

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > LINE_MAX:
            self._held, self._too_long = bytearray(), True
        elif not self._too_long:
            self._held += part


class _Record(msgspec.Struct):
    """The fields that matter here; any of them may hold anything."""

    type: Any = None
    cwd: Any = None
    git_branch: Any = msgspec.field(default=None, name="gitBranch")
    timestamp: Any = None
    custom_title: Any = msgspec.field(default=None, name="customTitle")
    ai_title: Any = msgspec.field(default=None, name="aiTitle")
    last_prompt: Any = msgspec.field(default=None, name="lastPrompt")
    summary: Any = None
    is_meta: Any = msgspec.field(default=None, name="isMeta")
    is_sidechain: Any = msgspec.field(default=None, name="isSidechain")
    is_compact_summary: Any = msgspec.field(default=None, name="isCompactSummary")
    message: msgspec.Raw = msgspec.Raw()


_record = msgspec.json.Decoder(_Record)
_anything: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError)
_ESCAPES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def decoded(decoder: msgspec.json.Decoder[DecodedT], line: Line | memoryview) -> DecodedT | None:
    """The JSON value of a line; None when it is none.

    Lone surrogates and bytes that are no UTF-8, which strict parsers refuse, are read as U+FFFD.
    """
    try:
        return decoder.decode(line)
    except _UNREADABLE:
        pass
    line = bytes(line)
    text = line.decode("utf-8", "replace").encode()
    mended = _ESCAPES.sub(lambda found: found[1] or rb"\ufffd", text)
    try:
        return None if mended == line else decoder.decode(mended)
    except _UNREADABLE:
        return None


def record_of(line: Line | memoryview) -> dict[str, Any] | None:
    """A line as the JSON object it is; None when it is none."""
    value = decoded(_anything, line)
    return value if isinstance(value, dict) else None


class Reader:
    """Collects the facts of a transcript from its blocks, fed in order."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._cwds: dict[str, None] = {}
        self._branch: str | None = None
        self._titles: list[str | None] = [None] * (len(_TITLES) + 1)
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._broken = 0

    def feed(self, block: bytes, *, known: bool = False) -> None:
        """Read the next block; of one whose lines are `known` only the unfinished end is kept."""
        if known:
            self._lines.skip(block)
            return
        for line in self._lines.feed(block):
            self._read(line)

    def facts(self) -> Facts:
        """What was found. Call once, at the end: an unterminated last line is read if it can be."""
        broken = self._broken
        if rest := self._lines.rest():
            self._read(rest)
        rank = next((i for i, title in enumerate(self._titles) if title is not None), None)
        title = None if rank is None else self._titles[rank]
        return Facts(tuple(self._cwds), self._branch, title, rank, self._first, self._last, broken)

    def _read(self, line: Line) -> None:
        if not line or line.isspace():
            return
        record = decoded(_record, line)
        if record is None:
            self._broken += 1
            return
        self._place(record)
        self._time(record)
        self._title(record)

    def _place(self, record: _Record) -> None:
        if record.cwd is not None and len(self._cwds) < _CWDS_MAX:
            path = storable(record.cwd, PATH_MAX)
            if path:
                self._cwds.setdefault(path)
        if record.git_branch is not None:
            self._branch = storable(record.git_branch, TITLE_MAX) or self._branch

    def _time(self, record: _Record) -> None:
        at = instant(record.timestamp)
        if at is not None:
            self._first = at if self._first is None else min(self._first, at)
            self._last = at if self._last is None else max(self._last, at)

    def _title(self, record: _Record) -> None:
        given = (record.custom_title, record.ai_title, record.last_prompt, record.summary)
        for rank, value in enumerate(given):
            if value is not None and (title := one_line(value)):
                self._titles[rank] = title
        if record.type == "user" and self._titles[FIRST_PROMPT_RANK] is None:
            self._titles[FIRST_PROMPT_RANK] = _prompt(record)


def _prompt(record: _Record) -> str | None:
    if record.is_meta or record.is_sidechain or record.is_compact_summary:
        return None
    message = record_of(memoryview(record.message))
    content = message.get("content") if message is not None else None
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        content = next((text for text in texts if isinstance(text, str)), None)
    title = one_line(content)
    return None if title is None or _NOT_A_PROMPT.match(title) else title


def storable(value: object, limit: int) -> str | None:
    """`value` as text that PostgreSQL keeps, of at most `limit` characters; None if no string."""
    if not isinstance(value, str):
        return None
    text = value[:limit].replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def readable(text: str) -> str:
    """`text` without NUL, lone surrogates and control characters other than newline and tab."""
    plain = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return plain if plain.isascii() else plain.encode("utf-8", "replace").decode()


def one_line(value: object) -> str | None:
    """`value` as a title: one line of at most TITLE_MAX characters; None if it says nothing."""
    if not isinstance(value, str):
        return None
    text = _SPACE.sub(" ", readable(value[: TITLE_MAX * 10])).strip()
    if len(text) > TITLE_MAX:
        text = text[: TITLE_MAX - 1].rstrip() + "\u2026"
    return text or None


def instant(value: object) -> datetime | None:
    """An ISO 8601 timestamp as an instant in UTC; None for anything else."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def folder_name(path: str) -> str:
    """The name that Claude Code gives the folder of the project at `path`.

    Every UTF-16 unit outside [a-zA-Z0-9] becomes a dash; above 200 units a hash follows, which
    differs between tools and is left out here.
    """
    normal = unicodedata.normalize("NFC", path)
    return "".join(
        char if char.isascii() and char.isalnum() else "-" * (1 + (char > "\uffff"))
        for char in normal
    )[:_FOLDER_MAX]


def fits(path: str, project_name: str | None) -> bool:
    """Whether `project_name` is the folder name that Claude Code makes of `path`."""
    if project_name is None:
        return False
    name = folder_name(path)
    return name == project_name or (
        len(name) == _FOLDER_MAX and project_name.startswith(name + "-")
    )


def best_cwd(known: str | None, found: Sequence[str], project_name: str | None) -> str | None:
    """The session's folder: the first that fits its project's name, else simply the first."""
    candidates = [path for path in (known, *found) if path is not None]
    fitting = (path for path in candidates if fits(path, project_name))
    return next(fitting, candidates[0] if candidates else None)
