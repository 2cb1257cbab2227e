"""Custody of transcripts: nothing acknowledged is ever lost, shortened or altered.

A session has versions that do not continue each other. An upload that continues one lets it grow,
one that is a beginning of another changes nothing, one that diverges is a new version. The longest
is the head, which downloads give. The further files of a session (its subagents' transcripts, the
results of tools) are kept by the same rules, each under its path.

A little long: an upload, an append and a download share what is stored and what is suspected.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from db import conversations as version_rows
from db import sessions as session_rows
from db.blobs import BLOCK_MAX, BlobStore
from db.conversations import CONVERSATION
from db.engine import Connection, Database
from db.errors import BlockDamagedError, BlockMissingError, DuplicateError
from domain.actor import Actor
from domain.allotment import Allotment
from domain.basis import look
from domain.commit import carry_out
from domain.content import Content, Relation
from domain.errors import Conflict, Forbidden, NotFound, OffsetMismatch, TooLarge
from domain.inputs import parse
from domain.intake import Intake
from domain.paths import check_path
from domain.policy import require
from domain.sessions import About, NewSession, Session, Stale
from domain.shelf import LOST, Shelf
from domain.tails import Announced, Outcome, Tails
from domain.terms import ANYTHING, Terms
from domain.transcripts import Facts, Reader
from domain.versions import Plan, Stored, Version, plan, version_of
from settings import Settings

_TRIES: Final = 64


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an upload came to."""

    new_session: bool
    first: bool
    """Whether this was the first upload of this file of the session."""
    relation: Relation | None
    """How it relates to the version that it was compared with; None for the first one."""
    head: Content
    """The current version afterwards: the upload, or what is longer."""
    session: Session
    """The session as it is afterwards."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A version that can be read."""

    session: Session
    version: Version


@dataclass(frozen=True, slots=True)
class _Taken:
    """An upload whose stream has ended."""

    base: Stored
    """What was stored when it began."""
    intake: Intake
    content: Content
    facts: Facts


class Custody:
    """Keeps transcripts in a database and a block store, and gives them back."""

    def __init__(
        self, db: Database, blobs: BlobStore, settings: Settings, *, block_size: int | None = None
    ) -> None:
        size = block_size or settings.block_size
        if not 0 < size <= BLOCK_MAX:
            raise ValueError(f"block_size must be 1 to {BLOCK_MAX}")
        self._db, self._settings = db, settings
        self._shelf, self._allotment = Shelf(blobs, size), Allotment(db, settings)

    async def close(self) -> None:
        """Give up what the store holds."""
        await self._shelf.blobs.close()

    @property
    def is_busy(self) -> bool:
        """Whether uploads are running in this process."""
        return self._allotment.is_busy

    @property
    def size_max(self) -> int:
        """The most bytes that a conversation may have."""
        return self._settings.conversation_max

    def check_allowed(self) -> None:
        """Raises Forbidden where this server keeps no conversations."""
        if not self._settings.conversation_backup:
            raise Forbidden("This server does not keep conversations (CONVERSATION_BACKUP is off)")

    async def upload(
        self,
        actor: Actor,
        session_id: str,
        chunks: AsyncIterator[bytes],
        about: About,
        *,
        path: str = CONVERSATION,
        terms: Terms = ANYTHING,
    ) -> Uploaded:
        """Take in a transcript, or a further file; when this returns, it is durable.

        Unchanged bytes cost a hash and no write. Raises Forbidden, Invalid for a bad session id,
        path or digest, TooLarge, QuotaExceeded, RateLimited, StorageFullError, what the terms
        raise, and whatever `chunks` raises: then nothing has changed.
        """
        self._check(actor, session_id, path)
        with self._allotment.upload(actor):
            base = await self._base(actor, session_id, path)
            return await self._upload(actor, session_id, base, chunks, about, terms)

    def _check(self, actor: Actor, session_id: str, path: str) -> None:
        self.check_allowed()
        require(actor, "team.push", actor.account_id)
        parse(NewSession, {"session_id": session_id})
        if path != CONVERSATION:
            check_path(path)

    async def _upload(
        self,
        actor: Actor,
        session_id: str,
        base: Stored,
        chunks: AsyncIterator[bytes],
        about: About,
        terms: Terms,
    ) -> Uploaded:
        terms.check_head(base.head.content if base.head else None)
        (onto,) = terms.continues or (None,)
        taken = await self._take_in(actor, base, chunks, onto)
        terms.check_content(taken.content)
        self._shelf.trust(actor, taken.intake.written)
        return await self._keep(actor, session_id, taken, about, terms)

    async def append(
        self,
        actor: Actor,
        session_id: str,
        offset: int,
        chunks: AsyncIterator[bytes],
        about: About,
        *,
        path: str = CONVERSATION,
        terms: Terms = ANYTHING,
    ) -> Uploaded:
        """Take in what follows on the first `offset` bytes of the head, which must be all of it.

        The stored bytes are read again, for the digest of the whole. Raises OffsetMismatch, and
        what `upload` raises.
        """
        self._check(actor, session_id, path)
        with self._allotment.upload(actor):
            base = await self._base(actor, session_id, path)
            content = base.head.content if base.head else None
            if offset != (content.size if content else 0):
                raise OffsetMismatch(content.size if content else 0)
            bound = replace(terms, continues=(content,))
            return await self._upload(actor, session_id, base, chunks, about, bound)

    async def append_all(
        self,
        actor: Actor,
        announced: Sequence[Announced],
        contents: AsyncIterator[AsyncIterator[bytes]],
    ) -> Sequence[Outcome]:
        """Take in what many files have grown by: what each came to, in the order of `announced`.

        Each is kept or refused by itself, as `append` would; new files are files that have grown
        from nothing. What is kept is committed together, when `contents` has ended. Raises
        Forbidden, RateLimited, StorageFullError and whatever `contents` raises: then nothing has
        changed.
        """
        self.check_allowed()
        require(actor, "team.push", actor.account_id)
        with self._allotment.upload(actor):
            tails = Tails(self._db, self._shelf, self._allotment, actor, announced)
            return await tails.keep(contents)

    async def _take_in(
        self, actor: Actor, base: Stored, chunks: AsyncIterator[bytes], onto: Content | None
    ) -> _Taken:
        intake, limit = self._shelf.intake(actor, base), await self._allotment.limit(actor, base)
        if onto is not None:
            await self._shelf.resume(actor, intake, onto)
        try:
            return _Taken(base, intake, *(await intake.run(chunks, limit)))
        except TooLarge:
            if limit < self.size_max:
                raise self._allotment.exceeded() from None
            raise

    async def _keep(
        self, actor: Actor, session_id: str, taken: _Taken, about: About, terms: Terms
    ) -> Uploaded:
        stored = taken.base
        for _ in range(_TRIES):
            terms.check_head(stored.head.content if stored.head else None)
            wanted = await plan(stored, taken.content, about, taken.intake.read)
            if wanted.writes_content:
                await self._secure(actor, stored, taken)
            if wanted.describes_session:
                await self._add_facts(actor, wanted, taken)
            try:
                session = await carry_out(self._db, self._allotment, actor, session_id, wanted)
            except (Stale, DuplicateError):
                stored = await self._base(actor, session_id, stored.path)
                continue
            new = stored.session is None
            return Uploaded(new, stored.head is None, wanted.relation, wanted.head, session)
        raise Conflict("Too many uploads of this session at once: try again")

    async def _base(self, actor: Actor, session_id: str, path: str) -> Stored:
        """What is stored, for an upload: the number of the last sweep is read before all else."""
        sweep, stored = await look(
            self._db, actor, lambda connection: _stored(connection, actor, session_id, path)
        )
        return replace(stored, sweep=sweep)

    async def _load(self, actor: Actor, session_id: str, path: str = CONVERSATION) -> Stored:
        async with self._db.read(actor) as connection:
            return await _stored(connection, actor, session_id, path)

    async def _secure(self, actor: Actor, stored: Stored, taken: _Taken) -> None:
        """Make sure that every block of the upload is in the store. Raises Conflict if not."""
        await taken.intake.keep_tail()
        doubtful = taken.intake.assumed - stored.blocks
        if stored.sweep != taken.base.sweep:  # blocks were collected since the upload began
            doubtful = set(taken.content.digests)
        if not await self._shelf.has_all(actor, doubtful):
            raise Conflict(LOST)

    async def _add_facts(self, actor: Actor, wanted: Plan, taken: _Taken) -> None:
        continued, facts = wanted.continues(taken.base), taken.facts
        if not continued and not taken.intake.read_all:
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
                await asyncio.to_thread(reader.feed, await self._shelf.block(actor, digest))
        except (BlockMissingError, BlockDamagedError):
            raise Conflict(LOST) from None
        return reader.facts()

    async def open(
        self,
        actor: Actor,
        session_id: str,
        number: int | None = None,
        *,
        path: str = CONVERSATION,
    ) -> Conversation:
        """The head of a session's conversation, or one version. Raises NotFound."""
        stored = await self._load(actor, session_id, path)
        version = stored.head if number is None else stored.version(number)
        if stored.session is None or version is None:
            what = "No conversation" if path == CONVERSATION else "No such file"
            raise NotFound(f"{what} is kept for this session")
        return Conversation(stored.session, version)

    async def versions(
        self, actor: Actor, session_id: str, path: str = CONVERSATION
    ) -> Sequence[Version]:
        """All versions of a session's conversation, oldest first; none for an unknown session."""
        return (await self._load(actor, session_id, path)).versions

    async def read(
        self, actor: Actor, content: Content, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `stop`, block by block, each one verified.

        Raises BlockMissingError or BlockDamagedError rather than give a wrong byte.
        """
        stop = content.size if stop is None else min(stop, content.size)
        size = content.block_size
        for index in range(start // size, -(-stop // size) if stop > start else 0):
            block = await self._shelf.block(actor, content.block(index))
            if len(block) != min(size, content.size - index * size):
                raise BlockDamagedError(content.block(index).hex())
            yield block[max(0, start - index * size) : stop - index * size]


async def _stored(connection: Connection, actor: Actor, session_id: str, path: str) -> Stored:
    row = await session_rows.by_session_id(connection, actor.access, session_id)
    if row is None:
        return Stored(None, (), path)
    found = await version_rows.of(connection, actor.access, row.id, path)
    return Stored(Session(*row), [version_of(version) for version in found], path)
