"""What many files have grown by, in one upload: taken in one by one, committed together.

Each file comes with the size that it had at the last upload (nothing, for a new one) and the digest
that it has now as a whole. What is stored is read once and hashed with what follows; only where the
digest agrees is the file kept. So nothing can be kept that is not exactly what the client has, and
what is shorter than the stored bytes, or differs from them, is refused: that takes a whole upload.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, Field

from db import sessions as session_rows
from db import tails as rows
from db.conversations import CONVERSATION
from db.engine import Connection, Database
from db.errors import DuplicateError
from domain.actor import Actor
from domain.allotment import Allotment
from domain.basis import look
from domain.content import Content, Relation
from domain.errors import Conflict, Fault, Invalid, OffsetMismatch, QuotaExceeded, TooLarge
from domain.inputs import Storable, WholeNumber, parse
from domain.paths import check_path
from domain.sessions import NewSession, Session, Stale, news
from domain.shelf import LOST, Shelf
from domain.tail_commit import Wanted, carry_out_all
from domain.transcripts import Facts
from domain.versions import Plan, Stored, version_of

TAILS_MAX: Final = 256
"""Files of one upload, each of which is remembered until its end."""
HELD_BYTES: Final = 4 * 1024 * 1024
"""Ends of files that are held in memory, to be written together."""
SIZE_MAX: Final = 2**50
_TRIES: Final = 64

Place: TypeAlias = tuple[str, str]
"""A session by Claude Code's id, and a path."""


def _digest(text: str) -> str:
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ValueError("must be a SHA-256 in hex, in lower case")
    return text


class Tail(NewSession):
    """What one file has grown by, as its client announces it."""

    path: Storable = CONVERSATION
    offset: Annotated[WholeNumber, Field(ge=0, le=SIZE_MAX)]
    """Bytes that the client believes to be stored."""
    sha256: Annotated[str, AfterValidator(_digest)]
    """Of the whole file, as it is now."""

    @property
    def place(self) -> Place:
        """Which file it is of."""
        return self.session_id, self.path

    @property
    def digest(self) -> bytes:
        """The digest that the whole must have."""
        return bytes.fromhex(self.sha256)


@dataclass(frozen=True, slots=True)
class Announced:
    """A file of an upload, before its bytes have come."""

    length: int
    """Bytes that come of it."""
    tail: Tail | Invalid
    """What is wrong with it alone keeps the others from nothing."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is kept as it was sent, now or already before."""

    first: bool
    """Whether nothing was kept of it before."""
    head: Content


Outcome: TypeAlias = Kept | Fault


@dataclass(frozen=True, slots=True)
class _Taken:
    """A file whose bytes are in the store."""

    tail: Tail
    base: Stored
    """What is stored as far as is known; its head is what the file grew from."""
    content: Content
    facts: Facts


def announced(body: Any) -> list[Announced]:
    """The files of `{"tails": […]}`. Raises Invalid when they cannot even be told apart."""
    items = body.get("tails") if isinstance(body, dict) else None
    if not isinstance(items, list) or len(items) > TAILS_MAX:
        raise Invalid.at("tails", f"must be a list of at most {TAILS_MAX}")
    return [_announced(item, ("tails", index)) for index, item in enumerate(items)]


def _announced(item: Any, under: tuple[str | int, ...]) -> Announced:
    length = item.get("length") if isinstance(item, dict) else None
    if isinstance(length, bool) or not isinstance(length, int) or not 0 <= length <= SIZE_MAX:
        raise Invalid.at((*under, "length"), "must be a whole number of bytes")
    try:
        tail = parse(Tail, item)
        if tail.path != CONVERSATION:
            check_path(tail.path)
    except Invalid as problem:
        return Announced(length, problem)
    return Announced(length, tail)


class Tails:
    """One such upload."""

    def __init__(
        self,
        db: Database,
        shelf: Shelf,
        allotment: Allotment,
        actor: Actor,
        files: Sequence[Announced],
    ) -> None:
        self._db, self._shelf, self._allotment, self._actor = db, shelf, allotment, actor
        self._files = files
        self._stored: dict[Place, Stored] = {}
        self._sweep = self._room = 0
        self._outcomes: dict[int, Outcome] = {}
        self._taken: dict[int, _Taken] = {}
        self._places: set[Place] = set()
        self._ends: dict[bytes, bytes] = {}

    async def keep(self, contents: AsyncIterator[AsyncIterator[bytes]]) -> Sequence[Outcome]:
        """See `Custody.append_all`."""
        self._sweep, (self._stored, self._room) = await look(self._db, self._actor, self._read)
        begun, index = self._sweep, 0
        async for content in contents:
            await self._try_to_take(index, content)
            index += 1
        await self._write_ends()
        await self._commit(begun)
        return [self._outcomes[index] for index in range(len(self._files))]

    async def _read(self, connection: Connection) -> tuple[dict[Place, Stored], int]:
        """What is stored of each file, which is its head at most, and the room that is left."""
        places = {file.tail.place for file in self._files if isinstance(file.tail, Tail)}
        access = self._actor.access
        ids = sorted({session_id for session_id, _ in places})
        found = await session_rows.by_session_ids(connection, access, ids)
        known = {row.session_id: Session(*row) for row in found}
        uuids = [session.id for session in known.values()]
        heads: dict[tuple[UUID, str], Any] = {}
        for row in await rows.heads(connection, access, uuids, sorted({p for _, p in places})):
            heads[row.session, row.path] = version_of(row)
        stored = {}
        for session_id, path in places:
            session = known.get(session_id)
            head = heads.get((session.id, path)) if session else None
            stored[session_id, path] = Stored(session, [head] if head else [], path)
        return stored, await self._allotment.room(connection, self._actor)

    async def _try_to_take(self, index: int, content: AsyncIterator[bytes]) -> None:
        file = self._files[index]
        try:
            if isinstance(file.tail, Invalid):
                raise file.tail
            await self._take(index, file.tail, file.length, content)
        except (Invalid, Conflict, OffsetMismatch, QuotaExceeded, TooLarge) as fault:
            self._outcomes[index] = fault
        async for _ in content:
            pass

    async def _take(
        self, index: int, tail: Tail, length: int, content: AsyncIterator[bytes]
    ) -> None:
        stored = self._stored[tail.place]
        if tail.place in self._places:
            raise Conflict("This file is named twice: send what follows when the first is kept")
        head, whole = stored.head, (tail.offset + length, tail.digest)
        if head is not None and (head.content.size, head.content.digest) == whole:
            self._note(index, _Taken(tail, stored, head.content, Facts()))
            return
        if tail.offset != (head.content.size if head else 0):
            raise OffsetMismatch(head.content.size if head else 0)
        self._check_size(tail.offset + length, length)
        intake = self._shelf.intake(self._actor, stored)
        if head is not None:
            await self._shelf.resume(self._actor, intake, head.content)
        found, facts = await intake.run(content, tail.offset + length)
        if found.digest != tail.digest:
            raise Invalid.at("sha256", "is not the digest of what arrived: send it again")
        self._shelf.trust(self._actor, intake.written)
        self._note(index, _Taken(tail, stored, found, facts))
        self._room -= length
        await self._hold(intake.tail_to_keep())

    def _check_size(self, size: int, growth: int) -> None:
        if size > self._allotment.size_max:
            message = f"A conversation may have at most {self._allotment.size_max} bytes"
            raise TooLarge(message)
        if growth > max(0, self._room):
            raise self._allotment.exceeded()

    def _note(self, index: int, taken: _Taken) -> None:
        self._taken[index] = taken
        self._places.add(taken.tail.place)

    async def _hold(self, end: Mapping[bytes, bytes]) -> None:
        self._ends |= end
        if sum(map(len, self._ends.values())) > HELD_BYTES:
            await self._write_ends()

    async def _write_ends(self) -> None:
        await self._shelf.blobs.put_all(self._actor.account_id, self._ends)
        self._shelf.trust(self._actor, self._ends)
        self._ends = {}

    async def _commit(self, begun: int) -> None:
        for _ in range(_TRIES):
            if self._sweep != begun:  # blocks were collected since the upload began
                await self._look_for_blocks()
            wanted = {index: _wanted(taken) for index, taken in self._taken.items()}
            try:
                refused = await carry_out_all(
                    self._db, self._allotment, self._actor, self._sweep, wanted
                )
            except (Stale, DuplicateError):
                await self._look_again()
                continue
            for index, taken in self._taken.items():
                self._outcomes[index] = refused.get(index) or Kept(
                    taken.base.head is None, taken.content
                )
            return
        raise Conflict("Too many uploads of these sessions at once: try again")

    async def _look_again(self) -> None:
        """Look what others have done; what is not as it was when a file grew is not added to."""
        self._sweep, (self._stored, _) = await look(self._db, self._actor, self._read)
        for index, taken in list(self._taken.items()):
            now = self._stored[taken.tail.place]
            head = now.head.content if now.head else None
            if _head(now) == _head(taken.base):
                self._taken[index] = replace(taken, base=now)
            elif head is not None and head.digest == taken.content.digest:
                self._taken[index] = replace(taken, base=now, content=head)
            else:
                self._refuse(index, OffsetMismatch(head.size if head else 0))

    async def _look_for_blocks(self) -> None:
        for index, taken in list(self._taken.items()):
            if not await self._shelf.has_all(self._actor, taken.content.digests):
                self._refuse(index, Conflict(LOST))

    def _refuse(self, index: int, fault: Fault) -> None:
        del self._taken[index]
        self._outcomes[index] = fault


def _wanted(taken: _Taken) -> Wanted:
    """What is to be written for a file."""
    stored, said = taken.base, taken.tail.said()
    head, session = stored.head, stored.session
    fields = news(session, said) if session else said
    relation = Relation.EXTENDS if head else None
    if head is not None and head.content == taken.content:
        relation = Relation.EQUAL
    wanted = Plan(stored, taken.content, relation, head.number if head else 1, fields)
    if wanted.describes_session:
        wanted.add_facts(taken.facts, continued=head is not None)
        wanted.add_measures()
    return Wanted(taken.tail.session_id, wanted)


def _head(stored: Stored) -> tuple[UUID | None, int, Content] | None:
    """The current version as a file grows from it: of which session, its number, its bytes."""
    if stored.head is None:
        return None
    session = stored.session.id if stored.session else None
    return session, stored.head.number, stored.head.content
