"""Sessions as notes for Obsidian: YAML frontmatter for Dataview, then a readable conversation."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from db.engine import Database
from db.errors import BlockDamagedError, BlockMissingError
from domain import sessions
from domain.actor import Actor
from domain.conversations import Custody
from domain.errors import NotFound
from domain.note_body import NoteBody
from domain.sessions import Session
from domain.transcripts import one_line, readable

ID_SHOWN: Final = 8
_LABEL_CHARS: Final = 60
_LABEL_BYTES: Final = 120
_ID_CHARS: Final = 48
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*#^\[\]%\u2028\u2029]+')
_YAML_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_DAMAGED = "\n> [!warning] Part of this conversation cannot be read on the server.\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note with the name that its file should have."""

    filename: str
    session_id: str
    content: str


async def notes(db: Database, custody: Custody, actor: Actor) -> AsyncIterator[Note]:
    """A note for each of the actor's sessions, one at a time."""
    shared = await sessions.shared_beginnings(db, actor, ID_SHOWN)
    async for batch in sessions.every(db, actor):
        for session in batch:
            yield await _note(custody, actor, session, shared)


async def note(db: Database, custody: Custody, actor: Actor, session_id: str) -> Note:
    """The note of one session. Raises NotFound."""
    session = await sessions.get(db, actor, session_id)
    shared = await sessions.shared_beginnings(db, actor, ID_SHOWN)
    return await _note(custody, actor, session, shared)


async def _note(custody: Custody, actor: Actor, session: Session, shared: Collection[str]) -> Note:
    body = await _conversation(custody, actor, session)
    content = f"{frontmatter(session)}\n{_heading(session)}\n{body}".rstrip() + "\n"
    return Note(filename(session, shared), session.session_id, content)


async def _conversation(custody: Custody, actor: Actor, session: Session) -> str:
    body = NoteBody()
    try:
        conversation = await custody.open(actor, session.session_id)
        async for block in custody.read(actor, conversation.version.content):
            await asyncio.to_thread(body.feed, block)
            if body.is_full:
                break
    except NotFound:
        return "*No conversation is kept for this session.*\n"
    except (BlockMissingError, BlockDamagedError):
        return body.text() + _DAMAGED
    return body.text()


def _heading(session: Session) -> str:
    facts = [f"`{one_line(session.working_directory)}`" if session.working_directory else None]
    facts.append(f"branch `{one_line(session.git_branch)}`" if session.git_branch else None)
    if session.first_at and session.last_at:
        facts.append(f"{session.first_at:%Y-%m-%d %H:%M} to {session.last_at:%Y-%m-%d %H:%M} UTC")
    told = " · ".join(fact for fact in facts if fact)
    return f"# {title(session)}\n" + (f"\n{told}\n" if told else "")


def title(session: Session) -> str:
    """What to call a session."""
    candidates = (session.title, session.name, session.project_name)
    return next(filter(None, map(one_line, candidates)), session.session_id)


def frontmatter(session: Session) -> str:
    """The note's properties, as the documented Dataview queries read them."""
    directory = session.working_directory or ""
    fields = {
        "session_id": _quoted(session.session_id),
        "title": _quoted(title(session)),
        "project": _quoted(session.project_name or directory),
        "working_directory": _quoted(directory),
        "created": _date(session.created_at),
        "updated": _date(session.updated_at),
        "conversation_size": str(session.conversation_size),
        "conversation_lines": str(session.conversation_lines),
        "tags": "[claude-session]",
    }
    lines = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"---\n{lines}---\n"


def _quoted(text: str) -> str:
    """A YAML string: JSON's notation, with what YAML calls unprintable escaped too."""
    quoted = json.dumps(readable(text), ensure_ascii=False)
    return _YAML_ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _date(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def filename(session: Session, shared: Collection[str]) -> str:
    """A name that any file system takes, and that stays the same while the session goes on.

    `shared` has the beginnings (lower case) that several session ids have in common.
    """
    place = session.project_name or session.working_directory or ""
    label = _UNSAFE.sub("-", re.split(r"[/\\]", place.rstrip("/\\"))[-1])
    label = label[:_LABEL_CHARS].encode()[:_LABEL_BYTES].decode(errors="ignore")
    label = label.strip(" .-") or "session"
    return f"{label} {_short_id(session.session_id, shared)}.md"


def _short_id(session_id: str, shared: Collection[str]) -> str:
    beginning = session_id[:ID_SHOWN]
    if beginning.lower() not in shared:
        return beginning.rstrip(".") or "id"
    if len(session_id) <= _ID_CHARS and session_id == session_id.lower():
        return session_id
    # Too long, or distinct from another only by case, which not every file system tells apart.
    return f"{session_id[: _ID_CHARS - 9]}-{hashlib.sha256(session_id.encode()).hexdigest()[:8]}"
