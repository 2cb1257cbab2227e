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
from domain.policy import Permission, permitted


async def take_heads(
    connection: Connection,
    actor: Actor,
    counts: Mapping[UUID, int],
    *,
    permission: Permission = "team.write",
    outsider: type[Fault] = Forbidden,
) -> dict[UUID, Head]:
    """Lock the scopes until commit and take so many versions of each.

    Once the locks are held the actor's role is looked at again, so that nobody acts on a right
    that ended meanwhile. Raises `outsider` when the actor was removed from one of the scopes or
    the team is gone, Forbidden when its role or its API key lacks the permission.
    """
    try:
        heads = await log.advance(connection, None, counts)
    except NotAMemberError:
        raise outsider() from None
    roles = await log.roles(connection, actor.account_id, counts)
    for scope_id in counts:
        permitted(actor, roles.get(scope_id), permission, outsider=outsider)
    return heads


def entry(head: Head, kind: str, subject_id: UUID, actor_id: UUID, **detail: Any) -> Entry:
    """The next entry of a scope's log."""
    return Entry(head.scope_id, head.take(), head.at, kind, subject_id, actor_id, detail or None)


def stamped(head: Head, version: int, kind: str, subject_id: UUID, actor_id: UUID) -> Entry:
    """An entry under a version that was taken before."""
    return Entry(head.scope_id, version, head.at, kind, subject_id, actor_id)


async def append(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write the entries; whoever follows their scopes is woken when the transaction commits."""
    await log.append(connection, entries)
