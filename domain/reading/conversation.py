"""Reading conversations: their messages in order, and exactly what is written on each line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from db import messages as rows
from db.engine import Database
from db.errors import BlockDamagedError, BlockMissingError
from db.messages import Only as Only
from db.messages import Part as Part
from db.messages import Spot as Spot
from db.rows import AnyRow
from domain.actor import Actor
from domain.conversations import Custody
from domain.errors import Conflict, Invalid, TooLarge
from domain.reading import words
from domain.versions import version_of

RAW_MAX: Final = 16 * 1024 * 1024
"""Bytes of raw records in one request."""
QUERY_MAX: Final = 500
_GONE: Final = "A part of this conversation is missing or damaged on the server"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that was asked for something."""

    id: str | None
    name: str
    input: str
    """The most telling part of its input, shortened."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answered."""

    id: str | None
    """The id of its call."""
    error: bool
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One record of a transcript."""

    session: UUID
    file: str
    """Empty for the conversation itself, else the path of a subagent's transcript."""
    line: int
    start: int
    """The byte at which it begins, in the version that was read."""
    length: int
    kind: str
    """Claude Code's type of the record; empty for a line that is no JSON object."""
    subtype: str | None
    role: str | None
    uuid: str | None
    parent: str | None
    sidechain: bool
    agent_id: str | None
    at: datetime
    """Its time, or that of the record before it when it has none."""
    timed: bool
    model: str | None
    text: str | None
    thinking: str | None
    calls: tuple[Call, ...]
    results: tuple[Result, ...]

    @property
    def spot(self) -> Spot:
        """Where it stands among all messages, newest first."""
        return Spot(self.at, self.session, self.file, self.line)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the records of a session say together."""

    counts: Mapping[str, int]
    models: Sequence[str]
    versions: Sequence[str]
    folders: Sequence[str]
    branches: Sequence[str]
    agents: int
    """Transcripts of subagents."""
    number: int | None
    """The version that was read; None before anything was."""
    size: int
    lines: int
    problem: str | None


class Summary(NamedTuple):
    """A version of a conversation, without its blocks."""

    session: UUID
    number: int
    size: int
    lines: int
    digest: bytes
    created_at: datetime
    updated_at: datetime


def message_of(row: AnyRow) -> Message:
    """A message from its row."""
    parts: list[Any] = [*row[:-1], calls_in(row.tools), results_in(row.tools)]
    return Message(*parts)


def calls_in(tools: Mapping[str, Any] | None) -> tuple[Call, ...]:
    """The calls that the column `tools` has."""
    return tuple(Call(**call) for call in (tools or {}).get("calls", ()))


def results_in(tools: Mapping[str, Any] | None) -> tuple[Result, ...]:
    """The results that the column `tools` has."""
    return tuple(Result(**result) for result in (tools or {}).get("results", ()))


def narrowed(actor: Actor, only: Only, text: str | None, field: str = "text") -> Only:
    """`only` with the words that somebody typed. Raises Invalid for too many characters."""
    if text is None or not text.strip():
        return only
    if len(text) > QUERY_MAX:
        raise Invalid.at(field, f"must be at most {QUERY_MAX} characters")
    query = words.wanted(text).tsquery(words.tag(actor.account_id))
    return replace(only, words=query, nothing=query is None)


def of_session(only: Only, session: UUID) -> Only:
    """`only`, in one session."""
    return replace(only, session=session)


async def pages(
    db: Database, actor: Actor, ids: Sequence[UUID], part: Part
) -> dict[UUID, list[Message]]:
    """The same part of the messages of each session, in line order."""
    async with db.read(actor) as connection:
        found = await rows.pages(connection, actor.access, ids, part)
    by_session: dict[UUID, list[Message]] = {id: [] for id in ids}
    for row in found:
        by_session[row.session].append(message_of(row))
    return by_session


async def page(db: Database, actor: Actor, session: UUID, part: Part) -> list[Message]:
    """A part of one session's messages, in line order."""
    return (await pages(db, actor, [session], part))[session]


async def count(db: Database, actor: Actor, only: Only, file: str | None = None) -> int:
    """How many messages match."""
    async with db.read(actor) as connection:
        return await rows.count(connection, actor.access, only, file)


async def by_uuids(
    db: Database, actor: Actor, wanted: Sequence[tuple[UUID, str]]
) -> dict[tuple[UUID, str], Message]:
    """Those that exist of the messages with these sessions and uuids."""
    async with db.read(actor) as connection:
        found = await rows.by_uuids(connection, actor.access, wanted)
    return {(row.session, row.uuid): message_of(row) for row in found}


async def readings(db: Database, actor: Actor, ids: Sequence[UUID]) -> dict[UUID, Reading]:
    """What was read of each session, its subagents included."""
    async with db.read(actor) as connection:
        found = await rows.readings_of(connection, actor.access, ids)
    by_session: dict[UUID, list[AnyRow]] = {id: [] for id in ids}
    for row in found:
        by_session[row.session].append(row)
    return {id: together(files) for id, files in by_session.items()}


def together(files: Sequence[AnyRow]) -> Reading:
    """What the files of one session say together, in the order of their paths."""
    main = next((row for row in files if row.file == ""), None)
    counts: Counter[str] = Counter()
    for row in files:
        counts.update(row.counts)
    return Reading(
        counts,
        _names(files, "models"),
        _names(files, "versions"),
        _names(files, "folders"),
        _names(files, "branches"),
        len(files) - (main is not None),
        main.number if main else None,
        main.size if main else 0,
        main.lines if main else 0,
        next((row.problem for row in files if row.problem), None),
    )


def _names(files: Sequence[AnyRow], column: str) -> list[str]:
    return list(dict.fromkeys(name for row in files for name in getattr(row, column)))


async def versions(db: Database, actor: Actor, ids: Sequence[UUID]) -> dict[UUID, list[Summary]]:
    """The versions of each session's conversation, oldest first."""
    async with db.read(actor) as connection:
        found = await rows.versions_of(connection, actor.access, ids)
    by_session: dict[UUID, list[Summary]] = {id: [] for id in ids}
    for row in found:
        by_session[row.session].append(Summary(*row))
    return by_session


async def raw(
    db: Database, custody: Custody, actor: Actor, wanted: Sequence[Message]
) -> list[str | None]:
    """The exact text of each record; None where the conversation was replaced meanwhile.

    What is no UTF-8 shows as U+FFFD. Raises TooLarge for more than RAW_MAX bytes in all, and
    Conflict when the stored bytes are damaged.
    """
    if sum(message.length for message in wanted) > RAW_MAX:
        raise TooLarge(f"Raw records of at most {RAW_MAX} bytes can be had in one request")
    async with db.read(actor) as connection:
        pairs = list({(message.session, message.file) for message in wanted})
        found = await rows.read_versions(connection, actor.access, pairs)
    contents = {(row.session, row.file): version_of(row).content for row in found}
    texts: dict[Message, str] = {}
    try:
        for pair, content in contents.items():
            asked = sorted((m for m in wanted if (m.session, m.file) == pair), key=_start)
            for run in _runs(asked, content.block_size):
                data = await _bytes(custody, actor, content, run)
                for m in run:
                    place = m.start - run[0].start
                    texts[m] = data[place : place + m.length].decode("utf-8", "replace")
    except (BlockMissingError, BlockDamagedError):
        raise Conflict(_GONE) from None
    return [texts.get(message) for message in wanted]


def _start(message: Message) -> int:
    return message.start


def _runs(asked: Sequence[Message], block_size: int) -> list[list[Message]]:
    """Neighbours together, so that a block is read once."""
    runs: list[list[Message]] = []
    for message in asked:
        last = runs[-1][-1] if runs else None
        if last is not None and message.start - last.start - last.length < block_size:
            runs[-1].append(message)
        else:
            runs.append([message])
    return runs


async def _bytes(custody: Custody, actor: Actor, content: Any, run: Sequence[Message]) -> bytes:
    start, stop = run[0].start, run[-1].start + run[-1].length
    return b"".join([part async for part in custody.read(actor, content, start, stop)])
