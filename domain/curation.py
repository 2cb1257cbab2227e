"""Keeping knowledge in order: where an entry lives, its tags, what is pinned, one's own stars.

Doing a thing twice is doing it once: the second time changes and logs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints

from db import knowledge as rows
from db import stars
from db.engine import Connection, Database
from db.errors import DuplicateError
from db.log import Head
from db.rows import AnyRow
from domain import journal
from domain.actor import Actor
from domain.encryption import refuse_plaintext
from domain.entries import Entry
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.hygiene import cleaned_tags
from domain.inputs import Input, NonBlank
from domain.policy import require, writing_scope

TAGS_MAX = 20
Change = Callable[[Entry, Head], Mapping[str, Any]]
"""What to change of an entry, seen under its scope's lock; nothing leaves it as it is."""
Tag = Annotated[NonBlank, StringConstraints(max_length=50)]


class TagChange(Input):
    """Tags to add to an entry and to take from it."""

    add: tuple[Tag, ...] = ()
    remove: tuple[Tag, ...] = ()


async def move(db: Database, actor: Actor, entry_id: UUID, team_id: UUID | None) -> Entry:
    """Share an entry of the actor's own with a team or, with None, take it back into private.

    It keeps its id. The old scope's log says that it was deleted, the new one's that it was
    created, and nothing of its text stays behind. Raises NotFound, Forbidden for a team-mate's
    entry or where the actor may not write, Conflict where the actor has an equal entry already.
    """
    target = writing_scope(actor, team_id)
    async with db.begin(actor) as connection:
        entry = await _readable(connection, actor, entry_id)
        if entry.author_id != actor.account_id:
            raise Forbidden("Only its author may move this entry")
        if entry.scope_id == target:
            return entry
        heads = await journal.take_heads(connection, actor, {entry.scope_id: 1, target: 1})
        await refuse_plaintext(connection, target)
        row = await rows.whole(connection, actor.access, entry_id)
        if row is None or row.scope_id not in {entry.scope_id, target}:
            raise NotFound
        if row.scope_id == target:
            return Entry(*row[:-1])
        return await _moved(connection, actor, row, heads[row.scope_id], heads[target])


async def _moved(connection: Connection, actor: Actor, row: AnyRow, old: Head, new: Head) -> Entry:
    left = journal.entry(old, "knowledge_deleted", row.id, actor.account_id)
    came = journal.entry(new, "knowledge_created", row.id, actor.account_id)
    await rows.leave(connection, old.scope_id, row.id, left.version, old.at)
    try:
        arrived = await rows.arrive(connection, new.scope_id, row._asdict(), came.version, new.at)
    except DuplicateError:
        raise Conflict("You have an equal entry there already") from None
    await journal.append(connection, [left, came])
    return Entry(*arrived)


async def pin(db: Database, actor: Actor, entry_id: UUID, *, pinned: bool) -> Entry:
    """Pin an entry for all who see it, or unpin it. Raises NotFound, Forbidden for viewers."""

    def change(entry: Entry, head: Head) -> Mapping[str, Any]:
        is_pinned = entry.pinned_at is not None
        return {} if is_pinned == pinned else {"pinned_at": head.at if pinned else None}

    return await _shared_change(db, actor, entry_id, change)


async def tag(db: Database, actor: Actor, entry_id: UUID, data: TagChange) -> Entry:
    """Add tags to an entry and take others away; its author, and team-mates who may write.

    Raises NotFound, Forbidden for viewers, Invalid for more than 20 tags.
    """
    add, notices = cleaned_tags(data.add)

    def change(entry: Entry, _head: Head) -> Mapping[str, Any]:
        gone = set(data.remove) - set(add)
        tags = list(dict.fromkeys([*(t for t in entry.tags if t not in gone), *add]))
        if len(tags) > TAGS_MAX:
            raise Invalid.at(("add",), f"would make more than {TAGS_MAX} tags")
        return {} if tags == list(entry.tags) else {"tags": tags}

    return replace(await _shared_change(db, actor, entry_id, change), notices=notices)


async def star(db: Database, actor: Actor, entry_id: UUID, *, starred: bool) -> Entry:
    """Put a star at an entry that nobody else sees, or take it away. Raises NotFound."""
    async with db.begin(actor) as connection:
        entry = await _readable(connection, actor, entry_id)
        own = {actor.account_id: 1}
        head = (await journal.take_heads(connection, actor, own))[actor.account_id]
        act = stars.put if starred else stars.take
        if await act(connection, actor.account_id, entry_id):
            kind = "star_added" if starred else "star_removed"
            line = journal.entry(head, kind, entry_id, actor.account_id)
            await journal.append(connection, [line])
    return entry


async def _shared_change(db: Database, actor: Actor, entry_id: UUID, change: Change) -> Entry:
    async with db.begin(actor) as connection:
        entry = await _readable(connection, actor, entry_id)
        require(actor, "team.write", entry.scope_id)
        taken = await journal.take_heads(connection, actor, {entry.scope_id: 1}, outsider=NotFound)
        head = taken[entry.scope_id]
        entry = await _readable(connection, actor, entry_id)
        values = change(entry, head)
        if not values:
            return entry
        line = journal.entry(head, "knowledge_updated", entry_id, actor.account_id)
        stamps = {"version": line.version, "updated_at": head.at}
        row = await rows.change(connection, head.scope_id, entry_id, {**values, **stamps})
        if row is None:
            raise NotFound
        await journal.append(connection, [line])
    return Entry(*row)


async def _readable(connection: Connection, actor: Actor, entry_id: UUID) -> Entry:
    found: Sequence[AnyRow] = await rows.by_ids(connection, actor.access, [entry_id])
    if not found:
        raise NotFound
    return Entry(*found[0])
