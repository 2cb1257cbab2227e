"""How an operation writes to the log: take the heads first, change rows, append the entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from db import log
from db.engine import Connection
from db.errors import NotAMemberError
from db.log import Entry, Head
from domain.actor import Actor
from domain.errors import Fault, Forbidden


async def take_heads(
    connection: Connection,
    actor: Actor,
    counts: Mapping[UUID, int],
    *,
    outsider: type[Fault] = Forbidden,
) -> dict[UUID, Head]:
    """Lock the scopes until commit and take so many versions of each.

    Raises `outsider` when the actor has meanwhile been removed from one of them.
    """
    try:
        return await log.advance(connection, actor.account_id, counts)
    except NotAMemberError:
        raise outsider() from None


def entry(head: Head, kind: str, subject_id: UUID, actor_id: UUID, **detail: Any) -> Entry:
    """The next entry of a scope's log."""
    return Entry(head.scope_id, head.take(), head.at, kind, subject_id, actor_id, detail or None)


def stamped(head: Head, version: int, kind: str, subject_id: UUID, actor_id: UUID) -> Entry:
    """An entry under a version that was taken before."""
    return Entry(head.scope_id, version, head.at, kind, subject_id, actor_id)


async def append(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write the entries; whoever follows their scopes is woken when the transaction commits."""
    await log.append(connection, entries)
