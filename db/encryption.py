"""Which teams are encrypted, their key epochs, and the team keys wrapped for each member."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Table,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.scope import Access, in_scopes, scoped
from db.tables import (
    encryptions,
    key_epochs,
    knowledge,
    memberships,
    public_keys,
    session_shares,
    summaries,
    wrapped_keys,
)

_ERASED: Mapping[Table, Mapping[str, Any]] = {
    knowledge: {
        "summary": "", "details": None, "project": None, "session_id": None, "tags": [],
        "related_files": [], "sameness": b"",
    },
    summaries: {"summary": {}, "project": None, "session_id": ""},
    session_shares: {"title": None, "note": None},
}  # fmt: skip
"""What of a deleted row says something, and what is left in its place."""


async def one(connection: Connection, scope_id: UUID) -> AnyRow | None:
    """A team's encryption; None for a team without."""
    query = select(*encryptions.c).where(encryptions.c.scope_id == scope_id)
    return (await connection.execute(query)).one_or_none()


async def any_of(connection: Connection, scope_ids: Iterable[UUID]) -> bool:
    """Whether one of the scopes is encrypted."""
    query = select(exists().where(in_scopes(encryptions, scope_ids)))
    return bool((await connection.execute(query)).scalar_one())


async def of_teams(
    connection: Connection, access: Access, team_ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """The encryptions of those of the teams that the caller may read."""
    query = scoped(encryptions, access).where(encryptions.c.scope_id.in_(list(team_ids)))
    return (await connection.execute(query)).all()


async def enable(connection: Connection, values: Mapping[str, Any]) -> None:
    """Make a team an encrypted one."""
    await connection.execute(insert(encryptions).values(**values))


async def holds_plaintext(connection: Connection, scope_id: UUID) -> bool:
    """Whether something alive in the scope is kept in plaintext."""
    parts = [
        select(literal(1)).where(table.c.scope_id == scope_id, table.c.deleted_at.is_(None))
        for table in _ERASED
    ]
    found = union_all(*parts).limit(1)
    return (await connection.execute(found)).first() is not None


async def count_dead(connection: Connection, scope_id: UUID) -> int:
    """How many deleted rows `erase` would go through."""
    counts = [
        select(func.count().label("n")).select_from(table).where(table.c.scope_id == scope_id)
        for table in _ERASED
    ]
    query = select(func.sum(union_all(*counts).subquery().c.n))
    return int((await connection.execute(query)).scalar_one() or 0)


async def erase(connection: Connection, scope_id: UUID) -> None:
    """Take from the scope's deleted rows what they said."""
    for table, nothing in _ERASED.items():
        dead = (table.c.scope_id == scope_id, table.c.deleted_at.is_not(None))
        await connection.execute(update(table).where(*dead).values(**nothing))


async def add_epoch(connection: Connection, values: Mapping[str, Any]) -> None:
    """Store an epoch and make it the team's newest. The caller holds the scope's lock."""
    await connection.execute(insert(key_epochs).values(**values))
    newest = {"epoch": values["number"], "rotation_due": False}
    query = update(encryptions).where(encryptions.c.scope_id == values["scope_id"])
    await connection.execute(query.values(**newest))


class Part(NamedTuple):
    """Which epochs of a team are wanted: the first `limit` above `after`."""

    after: int
    limit: int


async def epochs(
    connection: Connection, access: Access, team_ids: Sequence[UUID], part: Part
) -> Sequence[AnyRow]:
    """That part of the epochs of each of the teams that the caller may read, oldest first."""
    query = scoped(key_epochs, access).where(key_epochs.c.scope_id.in_(list(team_ids)))
    return await _first(connection, query, key_epochs.c.number, part)


async def _first(
    connection: Connection, query: AnySelect, epoch: ColumnElement[int], part: Part
) -> Sequence[AnyRow]:
    """The first rows of each scope above a place, in the order of epochs."""
    scope_id = query.selected_columns["scope_id"]
    place = func.row_number().over(partition_by=scope_id, order_by=epoch)
    found = query.where(epoch > part.after).add_columns(place.label("place")).subquery()
    shown = [column for column in found.c if column.name != "place"]
    few = select(*shown).where(found.c.place <= part.limit)
    return (await connection.execute(few.order_by(found.c.scope_id, found.c.place))).all()


async def wrap(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Store wrapped keys where the member has none for its newest keys; the epochs written."""
    if not rows:
        return []
    query = insert(wrapped_keys).values(list(rows))
    newer = query.excluded.key_number > wrapped_keys.c.key_number
    names = ("key_number", "wrapped", "wrapped_by", "signer_number", "signature", "created_at")
    query = query.on_conflict_do_update(
        index_elements=["scope_id", "account_id", "epoch"],
        set_={name: query.excluded[name] for name in names},
        where=newer,
    )
    done = await connection.execute(query.returning(wrapped_keys.c.epoch))
    return sorted(done.scalars())


async def epochs_held(connection: Connection, team_id: UUID, account_id: UUID) -> set[int]:
    """The epochs whose key is wrapped for that member."""
    query = select(wrapped_keys.c.epoch).where(
        wrapped_keys.c.scope_id == team_id, wrapped_keys.c.account_id == account_id
    )
    return set((await connection.execute(query)).scalars())


async def wrapped_for(
    connection: Connection, access: Access, team_ids: Sequence[UUID], part: Part
) -> Sequence[AnyRow]:
    """That part of the keys of each team that are wrapped for the caller, oldest epoch first."""
    query = scoped(wrapped_keys, access).where(
        wrapped_keys.c.scope_id.in_(list(team_ids)),
        wrapped_keys.c.account_id == access.account_id,
    )
    return await _first(connection, query, wrapped_keys.c.epoch, part)


async def waiting(
    connection: Connection, access: Access, team_ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """`scope_id, account_id, joined_at, number`: members without the newest team key.

    A key that was wrapped for keys that the member has replaced since does not count. `number` is
    that of the member's newest keys, None when it has set none.
    """
    newest = (
        select(func.max(public_keys.c.number))
        .where(public_keys.c.account_id == memberships.c.account_id)
        .correlate(memberships)
        .scalar_subquery()
    )
    held = (
        exists()
        .correlate(memberships, encryptions)
        .where(
            wrapped_keys.c.scope_id == memberships.c.scope_id,
            wrapped_keys.c.account_id == memberships.c.account_id,
            wrapped_keys.c.epoch == encryptions.c.epoch,
            wrapped_keys.c.key_number == newest,
        )
    )
    query = (
        select(
            memberships.c.scope_id,
            memberships.c.account_id,
            memberships.c.joined_at,
            newest.label("number"),
        )
        .join(encryptions, encryptions.c.scope_id == memberships.c.scope_id)
        .where(
            in_scopes(memberships, access.scopes),
            memberships.c.scope_id.in_(list(team_ids)),
            or_(encryptions.c.epoch == 0, ~held),
        )
        .order_by(memberships.c.scope_id, memberships.c.joined_at, memberships.c.account_id)
    )
    return (await connection.execute(query)).all()
