"""Sealed entries: ciphertext in an encrypted team, with what the server needs to keep order.

Which fields an entry has is inside. What stands beside it (team, id, kind, author, epoch, revision)
is bound to the ciphertext by the clients, so none of it can be changed unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from db import sealed as rows
from db.engine import Connection, Database
from db.log import Head
from db.rows import AnyRow
from db.sealed import Filter as Filter
from domain import journal
from domain.actor import Actor
from domain.encryption import Encryption, encrypted
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.inputs import Input, Ordinal
from domain.policy import require

PUSH_MAX: Final = 100
NONCE_BYTES: Final = 24
CIPHERTEXT_MIN, CIPHERTEXT_MAX = 17, 320 * 1024
TOKEN_BYTES: Final = 16
TOKENS_MAX: Final = 512
Kind = Literal["knowledge", "summary"]


def _whole_tokens(given: bytes) -> bytes:
    if len(given) % TOKEN_BYTES:
        raise ValueError(f"must be tokens of {TOKEN_BYTES} bytes, one behind the other")
    return given


Tokens = Annotated[bytes, Field(max_length=TOKEN_BYTES * TOKENS_MAX), AfterValidator(_whole_tokens)]


class NewSealed(Input):
    """An entry to be kept, or the next revision of one."""

    id: UUID
    kind: Kind
    epoch: Ordinal
    revision: Ordinal
    """1 for a new entry, else one more than what is stored."""
    nonce: Annotated[bytes, Field(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
    ciphertext: Annotated[bytes, Field(min_length=CIPHERTEXT_MIN, max_length=CIPHERTEXT_MAX)]
    tokens: Tokens | None = None


class SealedPush(Input):
    """Many entries at once, all for one team."""

    entries: Annotated[tuple[NewSealed, ...], Field(min_length=1, max_length=PUSH_MAX)]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed entry as it is stored."""

    id: UUID
    team_id: UUID
    author_id: UUID
    kind: Kind
    epoch: int
    revision: int
    nonce: bytes
    ciphertext: bytes
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to."""

    saved: Sequence[Sealed]
    skipped: int
    """Entries that were stored already, bit by bit."""


def split_tokens(given: bytes) -> tuple[bytes, ...]:
    """The single tokens, each once."""
    found = (given[i : i + TOKEN_BYTES] for i in range(0, len(given), TOKEN_BYTES))
    return tuple(dict.fromkeys(found))


async def push(db: Database, actor: Actor, team_id: UUID, data: SealedPush) -> Pushed:
    """Keep entries in one transaction: all of them or none.

    Raises NotFound and Forbidden for who may not write there or for somebody else's entry, Invalid
    for a team without encryption and for tokens where they are not wanted, Conflict for an epoch
    that is not the newest, while a new one is due, and for a revision that is not the next.
    """
    require(actor, "team.push", team_id)
    wanted = {entry.id: entry for entry in data.entries}
    if len(wanted) != len(data.entries):
        raise Invalid.at("entries", "must have each id once")
    async with db.begin(actor) as connection:
        counts = {team_id: len(wanted)}
        heads = await journal.take_heads(
            connection, actor, counts, permission="team.push", outsider=NotFound
        )
        _check_epoch(await encrypted(connection, team_id), data.entries)
        known = {row.id: row for row in await rows.stored(connection, team_id, list(wanted))}
        news = [e for e in data.entries if _is_news(actor, e, known.get(e.id))]
        saved = await _store(connection, actor, heads[team_id], news, known)
    return Pushed(saved, len(wanted) - len(saved))


def _check_epoch(state: Encryption, entries: Sequence[NewSealed]) -> None:
    if state.rotation_due:
        raise Conflict("Somebody has left the team, or it has no key yet: a new epoch is due first")
    for place, entry in enumerate(entries):
        if entry.epoch != state.epoch:
            raise Conflict(f"entries.{place}.epoch: the newest epoch is {state.epoch}")
        if entry.tokens and not state.searchable:
            raise Invalid.at(("entries", place, "tokens"), "must be empty: the team has no search")


def _is_news(actor: Actor, entry: NewSealed, row: AnyRow | None) -> bool:
    """Whether there is something to store. Raises Forbidden and Conflict."""
    if row is None:
        if entry.revision != 1:
            raise Conflict(f"{entry.id}: there is no such entry, so its revision must be 1")
        return True
    if row.author_id != actor.account_id:
        raise Forbidden("Only its author may change this entry")
    if row.deleted_at is not None:
        raise Conflict(f"{entry.id}: this entry was deleted")
    if (row.revision, row.ciphertext, row.nonce) == (entry.revision, entry.ciphertext, entry.nonce):
        return False
    if (row.revision + 1, row.kind) != (entry.revision, entry.kind):
        raise Conflict(f"{entry.id}: what is stored is revision {row.revision}, a {row.kind}")
    return True


async def _store(
    connection: Connection,
    actor: Actor,
    head: Head,
    news: Sequence[NewSealed],
    known: Mapping[UUID, AnyRow],
) -> list[Sealed]:
    versions = {entry.id: head.take() for entry in news}
    written = await rows.put(
        connection, [_row(actor, head, entry, versions[entry.id]) for entry in news]
    )
    entries = [
        journal.stamped(
            head,
            versions[entry.id],
            "sealed_updated" if entry.id in known else "sealed_created",
            entry.id,
            actor.account_id,
        )
        for entry in news
    ]
    await journal.append(connection, entries)
    return sorted((Sealed(*row) for row in written), key=lambda entry: entry.version)


def _row(actor: Actor, head: Head, entry: NewSealed, version: int) -> dict[str, Any]:
    return entry.model_dump() | {
        "scope_id": head.scope_id,
        "author_id": actor.account_id,
        "tokens": list(split_tokens(entry.tokens or b"")),
        "version": version,
        "created_at": head.at,
        "updated_at": head.at,
    }


async def delete(db: Database, actor: Actor, entry_id: UUID) -> None:
    """Delete an entry of the actor's own; its ciphertext goes at once.

    Raises NotFound, and Forbidden for a team-mate's entry.
    """
    found = await by_ids(db, actor, [entry_id])
    if not found:
        raise NotFound
    entry = found[0]
    if entry.author_id != actor.account_id:
        raise Forbidden("Only its author may delete this entry")
    async with db.begin(actor) as connection:
        taken = await journal.take_heads(connection, actor, {entry.team_id: 1}, outsider=NotFound)
        head = taken[entry.team_id]
        line = journal.entry(head, "sealed_deleted", entry_id, actor.account_id)
        if not await rows.bury(connection, entry.team_id, entry_id, line.version, head.at):
            raise NotFound
        await journal.append(connection, [line])


async def by_ids(db: Database, actor: Actor, ids: Sequence[UUID]) -> list[Sealed]:
    """Those of the entries that the actor may read, in any order."""
    async with db.read(actor) as connection:
        return [Sealed(*row) for row in await rows.by_ids(connection, actor.access, ids)]


async def page(
    db: Database,
    actor: Actor,
    wanted: Filter,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    backward: bool = False,
) -> list[Sealed]:
    """Entries of a team, last changed first, between two versions. Raises NotFound."""
    require(actor, "team.read", wanted.team_id)
    async with db.read(actor) as connection:
        found = await rows.page(
            connection,
            actor.access,
            wanted,
            limit=limit,
            after=after,
            before=before,
            backward=backward,
        )
    return [Sealed(*row) for row in found]


async def count(db: Database, actor: Actor, wanted: Filter) -> int:
    """How many entries the list has in all. Raises NotFound."""
    require(actor, "team.read", wanted.team_id)
    async with db.read(actor) as connection:
        return await rows.count(connection, actor.access, wanted)
