"""The audit log: security events, written once and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    column,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.rows import AnyRow, AnySelect, to_json
from db.tables import audit


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are wanted; everything narrows."""

    kinds: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    """Only earlier ones."""


class AuditPlace(NamedTuple):
    """Where an event stands in a list."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class AuditRange:
    """Which part of a list, newest first, is wanted; `backward` takes the end of it."""

    limit: int
    after: AuditPlace | None = None
    before: AuditPlace | None = None
    backward: bool = False


async def append(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Write an event."""
    await connection.execute(insert(audit).values(id=uuid4(), **values))


_FAILED = text(
    """
    INSERT INTO audit (id, kind, account_id, address, user_agent, detail)
    SELECT CAST(:id AS uuid), 'login_failed', a.id, CAST(:address AS text),
        CAST(:user_agent AS text), CAST(:detail AS jsonb)
    FROM accounts a WHERE a.email_key = :email_key
    """
)


async def append_failure(
    connection: AsyncConnection,
    email_key: str,
    address: str | None,
    user_agent: str | None,
    detail: Mapping[str, Any] | None,
) -> None:
    """Write that a log-in failed, when there is such an account.

    Takes the same time when there is none: the same statement, and no waiting for the disk.
    """
    await connection.execute(select(func.set_config("synchronous_commit", "off", True)))
    values = {
        "id": uuid4(),
        "email_key": email_key,
        "address": address,
        "user_agent": user_agent,
        "detail": None if detail is None else to_json(detail),
    }
    await connection.execute(_FAILED, values)


_OPEN_DOOR = text("SELECT set_config('teamlore.audit_door', 'open', true)")


async def open_door(connection: AsyncConnection) -> None:
    """Let the rest of this transaction change the audit log, which a trigger refuses otherwise."""
    await connection.execute(_OPEN_DOOR)


_OF_TEAMS = text(
    """
    UPDATE audit SET address = NULL, user_agent = NULL, key_id = NULL
    WHERE team_id IS NOT NULL AND actor_id = :account
    """
).bindparams(bindparam("account", type_=Uuid))
_NAMED = text(
    """
    UPDATE audit SET detail = detail - 'email'
    WHERE kind IN ('invited', 'invitation_revoked') AND lower(detail ->> 'email') = ANY(:spellings)
    """
).bindparams(bindparam("spellings", type_=ARRAY(Text)))


async def forget(connection: AsyncConnection, account_id: UUID, addresses: Sequence[str]) -> None:
    """Delete an account's own events; those of teams stay, without its addresses and programs.

    `addresses` are the spellings of its e-mail address, which invitations name.
    """
    await open_door(connection)
    own = audit.c.team_id.is_(None) & _concerns(account_id)
    await connection.execute(delete(audit).where(own))
    await connection.execute(_OF_TEAMS, {"account": account_id})
    if addresses:
        spellings = sorted({address.lower() for address in addresses})
        await connection.execute(_NAMED, {"spellings": spellings})


_PRUNE = text(
    """
    DELETE FROM audit WHERE id IN (
        SELECT id FROM audit WHERE at < :before ORDER BY at LIMIT :limit
    )
    """
).bindparams(bindparam("before", type_=DateTime(timezone=True)), bindparam("limit", type_=Integer))


async def prune(connection: AsyncConnection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the oldest events from before an instant; how many."""
    await open_door(connection)
    return (await connection.execute(_PRUNE, {"before": before, "limit": limit})).rowcount


_ORIGIN = frozenset({"key_id", "address", "user_agent"})


def events_of_account(account_id: UUID, wanted: AuditFilter, part: AuditRange) -> AnySelect:
    """Select events that the account caused or that concern it, newest first.

    Where others acted from is theirs: their key, address and program are left out. A part that is
    `backward` turns the order round.
    """
    own = or_(audit.c.actor_id == account_id, audit.c.actor_id.is_(None))
    columns = (case((own, c)).label(c.name) if c.name in _ORIGIN else c for c in audit.c)
    return _part(select(*columns).where(_concerns(account_id), *_matching(wanted)), part)


async def of_account(
    connection: AsyncConnection, account_id: UUID, wanted: AuditFilter, part: AuditRange
) -> Sequence[AnyRow]:
    """The rows of `events_of_account`, newest first."""
    found = (await connection.execute(events_of_account(account_id, wanted, part))).all()
    return found[::-1] if part.backward else found


def counted_of_account(account_id: UUID, wanted: AuditFilter) -> AnySelect:
    """Select how many events the account caused or concern it."""
    query = select(func.count()).select_from(audit)
    return query.where(_concerns(account_id), *_matching(wanted))


async def count_of_account(
    connection: AsyncConnection, account_id: UUID, wanted: AuditFilter
) -> int:
    """How many events the account caused or concern it."""
    total: int = (await connection.execute(counted_of_account(account_id, wanted))).scalar_one()
    return total


def events_of_team(
    team_id: UUID | ColumnElement[UUID], wanted: AuditFilter, part: AuditRange
) -> AnySelect:
    """Select a team's events, newest first; a part that is `backward` turns the order round."""
    return _part(select(audit).where(audit.c.team_id == team_id, *_matching(wanted)), part)


def counted_of_team(team_id: UUID, wanted: AuditFilter) -> AnySelect:
    """Select how many events a team has."""
    query = select(func.count()).select_from(audit)
    return query.where(audit.c.team_id == team_id, *_matching(wanted))


async def of_teams(
    connection: AsyncConnection, team_ids: Sequence[UUID], wanted: AuditFilter, part: AuditRange
) -> dict[UUID, list[AnyRow]]:
    """The same part of each team's events, newest first, in one statement."""
    ids = bindparam("ids", list(team_ids), type_=ARRAY(Uuid))
    teams = func.unnest(ids).table_valued(column("id", Uuid), name="w").render_derived()
    events = events_of_team(teams.c.id, wanted, part).lateral()
    order = (events.c.at, events.c.id)
    query = select(*events.c).select_from(teams.join(events, text("true")))
    query = query.order_by(*(o.desc() for o in order))
    found: dict[UUID, list[AnyRow]] = {team_id: [] for team_id in team_ids}
    for row in await connection.execute(query):
        found[row.team_id].append(row)
    return found


async def count_of_teams(
    connection: AsyncConnection, team_ids: Sequence[UUID], wanted: AuditFilter
) -> dict[UUID, int]:
    """How many events each team has; teams without any are left out."""
    query = (
        select(audit.c.team_id, func.count().label("total"))
        .where(audit.c.team_id.in_(list(team_ids)), *_matching(wanted))
        .group_by(audit.c.team_id)
    )
    return {row.team_id: row.total for row in await connection.execute(query)}


def _concerns(account_id: UUID) -> ColumnElement[bool]:
    return or_(audit.c.account_id == account_id, audit.c.actor_id == account_id)


def _matching(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.kinds:
        kinds = bindparam(None, list(wanted.kinds), type_=ARRAY(Text), unique=True)
        conditions.append(audit.c.kind == any_(kinds))
    if wanted.since is not None:
        conditions.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(audit.c.at < wanted.until)
    return conditions


def _part(query: AnySelect, part: AuditRange) -> AnySelect:
    place = tuple_(audit.c.at, audit.c.id)
    if part.after is not None:
        query = query.where(place < tuple_(*part.after))
    if part.before is not None:
        query = query.where(place > tuple_(*part.before))
    if part.backward:
        return query.order_by(audit.c.at, audit.c.id).limit(part.limit)
    return query.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(part.limit)
