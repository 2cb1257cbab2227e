"""A conversation as Markdown that a person likes to read, of bounded length."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from domain.transcripts import Line, Lines, one_line, readable, record_of

BYTES_MAX: Final = 1_000_000
"""A note is cut here: shells that read it line by line crawl, and nobody reads on anyway."""
TEXT_MAX: Final = 20_000
RESULT_MAX: Final = 1_500
CALL_MAX: Final = 160
_TELLING: Final = (
    "command",
    "file_path",
    "notebook_path",
    "path",
    "pattern",
    "query",
    "url",
    "description",
    "prompt",
)
_FENCE = re.compile(r"^\s*(`{3,})", re.MULTILINE)


class NoteBody:
    """Turns the blocks of a transcript into Markdown as they come."""

    def __init__(self, limit: float = BYTES_MAX) -> None:
        """`limit` is the most bytes that it will come to."""
        self._limit = limit
        self._lines = Lines()
        self._parts: list[str] = []
        self._size = 0
        self._speaker = ""
        self.is_full = False
        """Whether the bound is reached: nothing more will be taken in."""

    def feed(self, block: bytes) -> None:
        """Take in the next block."""
        for line in self._lines.feed(block):
            if self.is_full:
                return
            self._record(line)

    def taken(self) -> str:
        """The Markdown so far, which is then forgotten: for one that grows beyond memory."""
        text = "".join(self._parts)
        self._parts = []
        return text

    def text(self) -> str:
        """The Markdown. Call once, at the end."""
        rest = self._lines.rest()
        if rest and not self.is_full:
            self._record(rest)
        end = "\n*The note ends here; the whole conversation is on the server.*\n"
        return "".join(self._parts) + (end if self.is_full else "")

    def _record(self, line: Line) -> None:
        record = record_of(line)
        if record is None or record.get("isMeta") or record.get("isSidechain"):
            return
        kind, message = record.get("type"), record.get("message")
        if kind == "system" and record.get("subtype") == "compact_boundary":
            self._add("\n---\n")
        if kind not in {"user", "assistant"} or not isinstance(message, dict):
            return
        content = message.get("content")
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        for part in content if isinstance(content, list) else []:
            if isinstance(part, dict):
                self._part("User" if kind == "user" else "Claude", part)

    def _part(self, speaker: str, part: dict[str, Any]) -> None:
        kind, text = part.get("type"), part.get("text")
        if kind == "text" and isinstance(text, str) and text.strip():
            self._say(speaker, _balanced(_clipped(readable(text).strip(), TEXT_MAX)) + "\n")
        elif kind == "image":
            self._say(speaker, "*(image)*\n")
        elif kind == "tool_use":
            self._say(speaker, f"- {_call(part)}\n")
        elif kind == "tool_result":
            self._add(_result(part))

    def _say(self, speaker: str, text: str) -> None:
        if speaker != self._speaker:
            self._speaker = speaker
            self._add(f"\n## {speaker}\n")
        self._add("\n" + text)

    def _add(self, text: str) -> None:
        size = len(text.encode())
        if self._size + size > self._limit:
            self.is_full = True
            return
        self._size += size
        self._parts.append(text)


def _call(part: dict[str, Any]) -> str:
    name, given = one_line(part.get("name")) or "tool", part.get("input")
    fields = given if isinstance(given, dict) else {}
    telling = next((fields[key] for key in _TELLING if isinstance(fields.get(key), str)), None)
    if telling is None and fields:
        telling = json.dumps(fields, ensure_ascii=False)[: CALL_MAX * 4]
    shown = _clipped((one_line(telling) or "").replace("`", "'"), CALL_MAX, "\u2026")
    return f"**{name}** `{shown}`" if shown else f"**{name}**"


def _result(part: dict[str, Any]) -> str:
    """A tool's result, folded: a callout that Obsidian shows closed."""
    text = _clipped(readable(_result_text(part.get("content"))).strip(), RESULT_MAX)
    if not text:
        return ""
    longest = max((len(ticks) for ticks in _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    kind, name = ("failure", "Error") if part.get("is_error") else ("example", "Result")
    quoted = "\n".join(f"> {line}".rstrip() for line in (fence, *text.split("\n"), fence))
    return f"\n> [!{kind}]- {name}\n{quoted}\n"


def _result_text(content: object) -> str:
    if isinstance(content, str):
        return content
    items = content if isinstance(content, list) else []
    texts = (item.get("text") for item in items if isinstance(item, dict))
    return "\n".join(text for text in texts if isinstance(text, str))


def _clipped(text: str, limit: int, mark: str = "\n\u2026") -> str:
    return text if len(text) <= limit else text[:limit].rstrip() + mark


def _balanced(text: str) -> str:
    """Close a code fence that was cut off, so that it does not swallow what follows."""
    fences = _FENCE.findall(text)
    return f"{text}\n{fences[-1]}" if len(fences) % 2 else text
