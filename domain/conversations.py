"""Custody of transcripts: nothing acknowledged is ever lost, shortened or altered.

A session has versions that do not continue each other. An upload that continues one lets it grow,
one that is a beginning of another changes nothing, one that diverges is a new version. The longest
is the head, which downloads give.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from db import conversations as version_rows
from db import sessions as session_rows
from db.blobs import BLOCK_MAX, BlobStore
from db.engine import Connection, Database
from db.errors import BlockDamagedError, BlockMissingError, DuplicateError
from domain import journal, sessions
from domain.actor import Actor
from domain.content import BLOCK_SIZE, Content, Relation
from domain.errors import Conflict, Forbidden, NotFound
from domain.inputs import parse
from domain.intake import Intake
from domain.policy import require
from domain.sessions import About, NewSession, Session, Stale
from domain.transcripts import Facts, Reader
from domain.versions import Plan, Stored, Version, plan, version_of
from settings import Settings

WRITES_AT_ONCE: Final = 8
"""Blocks on their way to the store, in all uploads together."""
_TRIES: Final = 64
_SUSPECTS_MAX: Final = 10_000
_LOST: Final = "A part of this conversation is no longer kept: send it again"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an upload came to."""

    new_session: bool
    first: bool
    """Whether this was the session's first conversation."""
    relation: Relation | None
    """How it relates to the version that it was compared with; None for the first one."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A version that can be read."""

    session: Session
    version: Version


class Custody:
    """Keeps transcripts in a database and a block store, and gives them back."""

    def __init__(
        self, db: Database, blobs: BlobStore, settings: Settings, *, block_size: int = BLOCK_SIZE
    ) -> None:
        if not 0 < block_size <= BLOCK_MAX:
            raise ValueError(f"block_size must be 1 to {BLOCK_MAX}")
        self._db, self._blobs, self._settings = db, blobs, settings
        self._block_size = block_size
        self._slots = asyncio.Semaphore(WRITES_AT_ONCE)
        self._suspects: set[tuple[UUID, bytes]] = set()

    async def close(self) -> None:
        """Give up what the store holds."""
        await self._blobs.close()

    @property
    def size_max(self) -> int:
        """The most bytes that a conversation may have."""
        return self._settings.conversation_max

    def check_allowed(self) -> None:
        """Raises Forbidden where this server keeps no conversations."""
        if not self._settings.conversation_backup:
            raise Forbidden("This server does not keep conversations (CONVERSATION_BACKUP is off)")

    async def upload(
        self, actor: Actor, session_id: str, chunks: AsyncIterator[bytes], about: About
    ) -> Uploaded:
        """Take in a transcript; when this returns, it is durable.

        Unchanged bytes cost a hash and no write. Raises Forbidden, Invalid for a bad session id,
        TooLarge, StorageFullError, and whatever `chunks` raises: then nothing has changed.
        """
        self.check_allowed()
        require(actor, "team.push", actor.account_id)
        parse(NewSession, {"session_id": session_id})
        base = stored = await self._load(actor, session_id)
        intake = self._intake(actor, base)
        content, facts = await intake.run(chunks, self.size_max)
        self._suspects -= {(actor.account_id, digest) for digest in intake.written}
        for _ in range(_TRIES):
            wanted = await plan(stored, content, about, intake.read)
            if wanted.writes_content:
                await self._secure(actor, stored, intake)
            if wanted.writes_content and wanted.becomes_head:
                await self._add_facts(actor, wanted, intake, base, facts)
            try:
                await self._carry_out(actor, session_id, wanted)
            except (Stale, DuplicateError):
                stored = await self._load(actor, session_id)
                continue
            return Uploaded(stored.session is None, stored.head is None, wanted.relation)
        raise Conflict("Too many uploads of this session at once: try again")

    def _intake(self, actor: Actor, base: Stored) -> Intake:
        head = base.head
        return Intake(
            self._blobs,
            self._slots,
            actor.account_id,
            block_size=head.content.block_size if head else self._block_size,
            known=frozenset(
                digest for digest in base.blocks if (actor.account_id, digest) not in self._suspects
            ),
            base=head.content if head else None,
        )

    async def _load(self, actor: Actor, session_id: str) -> Stored:
        async with self._db.read() as connection:
            row = await session_rows.by_session_id(connection, actor.access, session_id)
            if row is None:
                return Stored(None, ())
            found = await version_rows.of(connection, actor.access, row.id)
        return Stored(Session(*row), [version_of(version) for version in found])

    async def _secure(self, actor: Actor, stored: Stored, intake: Intake) -> None:
        """Make sure that every block of the upload is in the store. Raises Conflict if not."""
        await intake.keep_tail()
        for digest in intake.assumed - stored.blocks:
            if not await self._blobs.has(actor.account_id, digest):
                raise Conflict(_LOST)

    async def _add_facts(
        self, actor: Actor, wanted: Plan, intake: Intake, base: Stored, facts: Facts
    ) -> None:
        continued = wanted.continues(base)
        if not continued and not intake.read_all:
            facts = await self._read_again(actor, wanted.content)
        wanted.add_facts(facts, continued=continued)
        wanted.add_measures()

    async def _read_again(self, actor: Actor, content: Content) -> Facts:
        """The facts of a whole version, for one that does not go on where the last head ended.

        Raises Conflict when a block that was not written because it was known is gone or damaged.
        """
        reader = Reader()
        try:
            for digest in content.digests:
                await asyncio.to_thread(reader.feed, await self._block(actor, digest))
        except (BlockMissingError, BlockDamagedError):
            raise Conflict(_LOST) from None
        return reader.facts()

    async def _block(self, actor: Actor, digest: bytes) -> bytes:
        """A block; one that is found missing or damaged is written anew when it is next sent."""
        try:
            block = await self._blobs.get(actor.account_id, digest)
        except (BlockMissingError, BlockDamagedError):
            if len(self._suspects) < _SUSPECTS_MAX:
                self._suspects.add((actor.account_id, digest))
            raise
        return block

    async def _carry_out(self, actor: Actor, session_id: str, wanted: Plan) -> None:
        """Write what is planned. Raises Stale or DuplicateError when others were faster."""
        if not wanted.is_needed:
            return
        scope = actor.account_id
        kind = "session_backed_up" if wanted.writes_content else "session_updated"
        async with self._db.begin() as connection:
            heads = await journal.take_heads(connection, actor, {scope: 1}, permission="team.push")
            head = heads[scope]
            version = head.take()
            session = await _write_session(connection, actor, session_id, wanted, version, head.at)
            if wanted.writes_content:
                await _write_version(connection, actor, session, wanted, head.at)
            entry = journal.stamped(head, version, kind, session, actor.account_id)
            await journal.append(connection, [entry])

    async def open(self, actor: Actor, session_id: str, number: int | None = None) -> Conversation:
        """The head of a session's conversation, or one version. Raises NotFound."""
        stored = await self._load(actor, session_id)
        version = stored.head if number is None else stored.version(number)
        if stored.session is None or version is None:
            raise NotFound("No conversation is kept for this session")
        return Conversation(stored.session, version)

    async def versions(self, actor: Actor, session_id: str) -> Sequence[Version]:
        """All versions of a session's conversation, oldest first; none for an unknown session."""
        return (await self._load(actor, session_id)).versions

    async def read(
        self, actor: Actor, content: Content, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `stop`, block by block, each one verified.

        Raises BlockMissingError or BlockDamagedError rather than give a wrong byte.
        """
        stop = content.size if stop is None else min(stop, content.size)
        size = content.block_size
        for index in range(start // size, -(-stop // size) if stop > start else 0):
            block = await self._block(actor, content.block(index))
            if len(block) != min(size, content.size - index * size):
                raise BlockDamagedError(content.block(index).hex())
            yield block[max(0, start - index * size) : stop - index * size]


async def _write_session(
    connection: Connection,
    actor: Actor,
    session_id: str,
    wanted: Plan,
    version: int,
    at: datetime,
) -> UUID:
    session = wanted.stored.session
    if session is None:
        id = uuid4()
        row = sessions.new_row(actor, session_id, id, wanted.fields, version, at)
        await session_rows.add(connection, [row])
        return id
    values = {**wanted.fields, "version": version, "updated_at": at}
    if not await session_rows.change(connection, actor.access, session.id, session.version, values):
        raise Stale
    return session.id


async def _write_version(
    connection: Connection, actor: Actor, session: UUID, wanted: Plan, at: datetime
) -> None:
    content = wanted.content
    values = {
        "size": content.size,
        "lines": content.lines,
        "digest": content.digest,
        "block_size": content.block_size,
        "blocks": content.blocks,
        "updated_at": at,
    }
    if wanted.relation is Relation.EXTENDS:
        await version_rows.grow(connection, actor.access, session, wanted.target, values)
    else:
        values["created_at"] = at
        await version_rows.add(connection, actor.access, session, wanted.target, values)
