"""A whole conversation as Markdown, HTML or JSON, made block by block in flat memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

import orjson

from db.engine import Database
from db.errors import BlockDamagedError, BlockMissingError
from domain import sessions
from domain.actor import Actor
from domain.conversations import Custody
from domain.errors import Conflict, Invalid
from domain.note_body import NoteBody
from domain.reading.html import HtmlPage
from domain.reading.lines import Cutter, Line
from domain.sessions import Session
from domain.transcripts import one_line, record_of

LINE_MAX: Final = 16 * 1024 * 1024
"""Longer records are named with their size instead of shown."""
_GONE: Final = "A part of this conversation is missing or damaged on the server"


@dataclass(frozen=True, slots=True)
class Export:
    """A document on its way."""

    filename: str
    media_type: str
    chunks: AsyncIterator[bytes]


class Writer(Protocol):
    """Turns blocks into pieces of a document."""

    def feed(self, block: bytes) -> str:
        """What the next block adds."""

    def end(self) -> str:
        """What comes last."""


class _Markdown:
    """The Markdown that notes are made of, without their bound."""

    def __init__(self, session: Session) -> None:
        self._heading = f"# {title(session)}\n"
        self._body = NoteBody(float("inf"))

    def feed(self, block: bytes) -> str:
        self._body.feed(block)
        heading, self._heading = self._heading, ""
        return heading + self._body.taken()

    def end(self) -> str:
        return self._heading + self._body.text()


class _Json:
    """An object with what is known of the session and all `records` as they stand."""

    def __init__(self, session: Session) -> None:
        about = {
            "session_id": session.session_id,
            "title": session.title,
            "project_name": session.project_name,
            "working_directory": session.working_directory,
            "git_branch": session.git_branch,
            "created": session.created_at,
            "updated": session.updated_at,
        }
        self._next = orjson.dumps(about).decode().removesuffix("}") + ',"records":[\n'
        self._cutter = Cutter(0, LINE_MAX)

    def feed(self, block: bytes) -> str:
        return "".join(self._record(line) for line in self._cutter.feed(block))

    def end(self) -> str:
        rest = self._cutter.rest()
        last = self._record(rest) if rest else ""
        opening = "" if self._next == ",\n" else self._next
        return last + opening + "\n]}\n"

    def _record(self, line: Line) -> str:
        if line.length == 0:
            return ""
        before, self._next = self._next, ",\n"
        return before + _as_json(line)


def _as_json(line: Line) -> str:
    if not line.is_whole:
        return orjson.dumps({"omitted_bytes": line.length}).decode()
    with suppress(UnicodeDecodeError):
        text = line.data.decode()
        if record_of(line.data) is not None:
            return text
    return orjson.dumps({"broken_line": line.data.decode("utf-8", "replace")}).decode()


_WRITERS: Final[dict[str, tuple[str, Callable[[Session], Writer]]]] = {
    "md": ("text/markdown", _Markdown),
    "html": ("text/html", lambda session: HtmlPage(title(session))),
    "json": ("application/json", _Json),
}


def title(session: Session) -> str:
    """What to call a session."""
    named = filter(None, map(one_line, (session.title, session.name, session.project_name)))
    return next(named, session.session_id)


async def export(
    db: Database, custody: Custody, actor: Actor, either_id: str | UUID, kind: str
) -> Export:
    """A session's conversation in a format: md, html or json.

    Raises NotFound, and Invalid for another format; its chunks raise Conflict for damaged bytes.
    """
    if kind not in _WRITERS:
        raise Invalid.at("format", "must be md, html or json")
    session = await sessions.get(db, actor, str(either_id))
    conversation = await custody.open(actor, session.session_id)
    media_type, make = _WRITERS[kind]
    blocks = custody.read(actor, conversation.version.content)
    return Export(f"{session.session_id}.{kind}", media_type, _chunks(blocks, make(session)))


async def _chunks(blocks: AsyncIterator[bytes], writer: Writer) -> AsyncIterator[bytes]:
    try:
        async for block in blocks:
            if text := await asyncio.to_thread(writer.feed, block):
                yield text.encode("utf-8", "replace")
    except (BlockMissingError, BlockDamagedError):
        raise Conflict(_GONE) from None
    yield writer.end().encode("utf-8", "replace")
