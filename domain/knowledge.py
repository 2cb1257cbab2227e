"""Knowledge: what one person's Claude learned, kept in a scope of its author."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal
from uuid import UUID

from db import knowledge as rows
from db import knowledge_list
from db.engine import Connection, Database
from db.errors import DuplicateError
from db.knowledge_list import NEWEST
from db.knowledge_list import Filter as Filter
from db.knowledge_list import Keyset as Keyset
from db.knowledge_list import Order as Order
from db.knowledge_list import OrderColumn as OrderColumn
from db.knowledge_list import Range as Range
from domain import journal
from domain.actor import Actor
from domain.encryption import refuse_plaintext
from domain.entries import Entry, EntryChange, EntryFields, NewEntry, Notice, Push
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.hygiene import screened, screened_all
from domain.indexing import Indexer
from domain.policy import Permission, reading_team, writing_scope


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to: new entries, and ones that were stored already."""

    accepted: int
    skipped: int
    notices: tuple[Notice, ...] = ()
    """What was masked or shortened before it was stored; paths begin at `entries`."""


async def create(db: Database, actor: Actor, data: NewEntry) -> Entry:
    """Keep one entry. An equal one of the same author in the same scope is brought up to date.

    Raises Forbidden when the actor may not write to the team.
    """
    scope_id = writing_scope(actor, data.team_id)
    item, notices = screened(data)
    async with db.begin(actor) as connection:
        await _store(connection, actor, scope_id, {_sameness(item): item})
        sameness = bytes.fromhex(_sameness(item))
        row = await rows.same(connection, scope_id, actor.account_id, sameness)
    return replace(Entry(*row), notices=notices)


async def push(db: Database, actor: Actor, data: Push, indexer: Indexer | None = None) -> Pushed:
    """Keep many entries in one transaction: all of them or, when one is invalid, none.

    An entry with the same author, type, project and summary as one in the scope is skipped; where
    its timestamp is newer, that and its details, tags and files are taken over. The search indexes
    of a large push are left to the `indexer`, if there is one; it is found at once all the same.
    """
    scope_id = writing_scope(actor, data.team_id, "team.push")
    newest: dict[str, EntryFields] = {}
    notices: list[Notice] = []
    for place, (item, noticed) in enumerate(screened_all(data.entries)):
        notices += [notice.under("entries", place) for notice in noticed]
        key = _sameness(item)
        if key not in newest or newest[key].timestamp < item.timestamp:
            newest[key] = item
    later = indexer is not None and indexer.takes(len(newest))
    async with db.begin(actor) as connection:
        inserted = await _store(connection, actor, scope_id, newest, "team.push", indexed=not later)
    if indexer is not None and later:
        indexer.wake(scope_id, len(newest))
    return Pushed(inserted, len(data.entries) - inserted, tuple(notices))


async def _store(
    connection: Connection,
    actor: Actor,
    scope_id: UUID,
    items: dict[str, EntryFields],
    permission: Permission = "team.write",
    *,
    indexed: bool = True,
) -> int:
    """Upsert `items` (by sameness) and log what changed; returns how many are new."""
    counts = {scope_id: len(items)}
    head = (await journal.take_heads(connection, actor, counts, permission=permission))[scope_id]
    await refuse_plaintext(connection, scope_id)
    written = await rows.upsert(
        connection,
        scope_id,
        actor.account_id,
        head.at,
        [_row(key, item, head.take()) for key, item in items.items()],
        indexed=indexed,
    )
    kinds = ("knowledge_updated", "knowledge_created")
    entries = [
        journal.stamped(head, version, kinds[inserted], entry_id, actor.account_id)
        for entry_id, version, inserted in written
    ]
    await journal.append(connection, entries)
    return sum(inserted for _id, _version, inserted in written)


def _sameness(item: EntryFields) -> str:
    parts = (item.type, item.project or "", item.summary)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _row(sameness: str, item: EntryFields, version: int) -> dict[str, Any]:
    return {
        "type": item.type,
        "timestamp": item.timestamp,
        "summary": item.summary,
        "project": item.project,
        "session_id": item.session_id,
        "details": item.details,
        "tags": item.tags or (),
        "related_files": item.related_files or (),
        "sameness": sameness,
        "version": version,
    }


async def get(db: Database, actor: Actor, entry_id: UUID) -> Entry:
    """One entry that the actor may read. Raises NotFound."""
    found = await by_ids(db, actor, [entry_id])
    if not found:
        raise NotFound
    return found[0]


async def by_ids(db: Database, actor: Actor, ids: Sequence[UUID]) -> list[Entry]:
    """Those of the entries that the actor may read, in no particular order."""
    async with db.read(actor) as connection:
        return [Entry(*row) for row in await rows.by_ids(connection, actor.access, ids)]


async def page(
    db: Database,
    actor: Actor,
    wanted: Filter,
    *,
    limit: int,
    offset: int = 0,
    order: Order = NEWEST,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> list[Entry]:
    """Entries in `order`, newest timestamp first unless told otherwise.

    Raises Forbidden for a team that the actor is not in.
    """
    reading_team(actor, wanted.team_id)
    async with db.read(actor) as connection:
        found = await knowledge_list.page(
            connection,
            actor.access,
            wanted,
            limit=limit,
            offset=offset,
            order=order,
            after=after,
            before=before,
            backward=backward,
        )
    return [Entry(*row) for row in found]


async def count(db: Database, actor: Actor, wanted: Filter) -> int:
    """How many entries a list has in all. Raises Forbidden as `page` does."""
    reading_team(actor, wanted.team_id)
    async with db.read(actor) as connection:
        return await knowledge_list.count(connection, actor.access, wanted)


async def update(db: Database, actor: Actor, entry_id: UUID, data: EntryChange) -> Entry:
    """Change an entry of the actor's own.

    Raises NotFound, Forbidden for a team-mate's entry, Conflict when the change would make it equal
    to another one.
    """
    if "summary" in data.model_fields_set and data.summary is None:
        raise Invalid.at("summary", "must not be null")
    entry = await _own(db, actor, entry_id)
    data, notices = screened(data, entry.project)
    values = {name: getattr(data, name) for name in data.model_fields_set}
    for name in {"tags", "related_files"} & values.keys():
        values[name] = list(values[name] or ())
    if "summary" in values:
        changed = EntryFields.model_construct(**{**asdict(entry), "summary": data.summary})
        values["sameness"] = bytes.fromhex(_sameness(changed))
    try:
        changed_entry = await _change(db, actor, entry, "knowledge_updated", values)
    except DuplicateError:
        raise Conflict("You have an entry with this type, project and summary already") from None
    return replace(changed_entry, notices=notices)


async def delete(db: Database, actor: Actor, entry_id: UUID) -> None:
    """Delete an entry of the actor's own; a tombstone tells the other machines.

    Raises NotFound, and Forbidden for a team-mate's entry.
    """
    await _change(db, actor, await _own(db, actor, entry_id), "knowledge_deleted", {})


async def restore(db: Database, actor: Actor, entry_id: UUID) -> Entry:
    """Bring back an entry that the actor deleted. Raises NotFound, Conflict, Forbidden."""
    try:
        async with db.begin(actor) as connection:
            deleted = await rows.deleted_by(connection, actor.access, entry_id)
            if deleted is None:
                raise NotFound
            scope_id = deleted.scope_id
            head = (await journal.take_heads(connection, actor, {scope_id: 1}))[scope_id]
            log_entry = journal.entry(head, "knowledge_created", entry_id, actor.account_id)
            row = await rows.undelete(connection, scope_id, entry_id, log_entry.version, head.at)
            if row is None:
                raise NotFound
            await journal.append(connection, [log_entry])
    except DuplicateError:
        raise Conflict("An equal entry was made meanwhile") from None
    return Entry(*row)


async def _own(db: Database, actor: Actor, entry_id: UUID) -> Entry:
    entry = await get(db, actor, entry_id)
    if entry.author_id != actor.account_id:
        raise Forbidden("Only its author may change this entry")
    return entry


async def _change(
    db: Database,
    actor: Actor,
    entry: Entry,
    kind: Literal["knowledge_updated", "knowledge_deleted"],
    values: dict[str, Any],
) -> Entry:
    async with db.begin(actor) as connection:
        heads = await journal.take_heads(connection, actor, {entry.scope_id: 1}, outsider=NotFound)
        head = heads[entry.scope_id]
        log_entry = journal.entry(head, kind, entry.id, actor.account_id)
        stamps = {"version": log_entry.version, "updated_at": head.at}
        if kind == "knowledge_deleted":
            stamps["deleted_at"] = head.at
        row = await rows.change(connection, entry.scope_id, entry.id, {**values, **stamps})
        if row is None:
            raise NotFound
        await journal.append(connection, [log_entry])
    return Entry(*row)
