"""The audit log: who did what to an account or a team, when, and from where.

An event is written in the transaction of the act itself, so neither is there without the other. It
is read by the account that caused it or that it concerns, and, where it is about a team, by the
team's owner and admins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from db import audit as rows
from db.audit import AuditFilter as AuditFilter
from db.audit import AuditPlace as AuditPlace
from db.audit import AuditRange as AuditRange
from db.claims import System
from db.engine import Connection, Database
from domain.actor import Actor, Origin
from domain.policy import NEEDED, PERMISSIONS, require_key

Kind = Literal[
    "registered",
    "logged_in",
    "login_failed",
    "password_changed",
    "password_set",
    "password_reset",
    "email_verified",
    "signed_out_everywhere",
    "account_deleted",
    "key_minted",
    "key_labelled",
    "key_revoked",
    "team_created",
    "team_renamed",
    "team_deleted",
    "invited",
    "invitation_revoked",
    "member_joined",
    "member_left",
    "member_removed",
    "member_role_changed",
    "ownership_transferred",
    "public_keys_set",
    "encryption_enabled",
    "epoch_published",
    "keys_wrapped",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the audit log."""

    id: UUID
    at: datetime
    kind: Kind
    actor_id: UUID | None
    """Who did it; None for a failed log-in and for the server's operator."""
    account_id: UUID | None
    """Whom it concerns."""
    team_id: UUID | None
    key_id: UUID | None
    """The API key that it was done with."""
    address: str | None
    user_agent: str | None
    detail: Mapping[str, Any] | None


async def record(
    connection: Connection,
    actor: Actor,
    kind: Kind,
    *,
    account_id: UUID | None = None,
    team_id: UUID | None = None,
    **detail: Any,
) -> None:
    """Write what the actor does, to itself unless `account_id` names somebody else."""
    values = {
        "kind": kind,
        "actor_id": actor.account_id,
        "account_id": account_id or actor.account_id,
        "team_id": team_id,
        "key_id": actor.key_id,
        "address": actor.origin.address,
        "user_agent": actor.origin.user_agent,
        "detail": detail or None,
    }
    await rows.append(connection, values)


async def record_of_operator(connection: Connection, kind: Kind, account_id: UUID) -> None:
    """Write what the server's operator does to an account."""
    detail = {"by": "operator"}
    await rows.append(connection, {"kind": kind, "account_id": account_id, "detail": detail})


async def record_failure(db: Database, email_key: str, origin: Origin, **detail: Any) -> None:
    """Write a failed log-in in a small transaction of its own, if the address has an account."""
    async with db.begin(System("failed log-in")) as connection:
        await rows.append_failure(
            connection, email_key, origin.address, origin.user_agent, detail or None
        )


async def of_me(db: Database, actor: Actor, wanted: AuditFilter, part: AuditRange) -> list[Event]:
    """What the actor did and what was done to it, newest first.

    Where others acted from is theirs: the select leaves out their address, key and program.
    """
    require_key(actor, "admin")
    async with db.read(actor) as connection:
        found = await rows.of_account(connection, actor.account_id, wanted, part)
    return [_event(row) for row in found]


async def count_of_me(db: Database, actor: Actor, wanted: AuditFilter) -> int:
    """How many events `of_me` has in all."""
    require_key(actor, "admin")
    async with db.read(actor) as connection:
        return await rows.count_of_account(connection, actor.account_id, wanted)


async def of_teams(
    db: Database,
    actor: Actor,
    team_ids: Sequence[UUID],
    wanted: AuditFilter,
    part: AuditRange,
) -> dict[UUID, list[Event]]:
    """The events of teams, newest first; all teams are read in one statement.

    Teams whose events the actor may not read are left out.
    """
    async with db.read(actor) as connection:
        found = await rows.of_teams(connection, _readable(actor, team_ids), wanted, part)
    return {team_id: [_event(row) for row in events] for team_id, events in found.items()}


async def count_of_teams(
    db: Database, actor: Actor, team_ids: Sequence[UUID], wanted: AuditFilter
) -> dict[UUID, int]:
    """How many events each of those teams has in all."""
    readable = _readable(actor, team_ids)
    async with db.read(actor) as connection:
        found = await rows.count_of_teams(connection, readable, wanted)
    return {team_id: found.get(team_id, 0) for team_id in readable}


def _readable(actor: Actor, team_ids: Sequence[UUID]) -> list[UUID]:
    require_key(actor, NEEDED["team.audit"])
    return [i for i in team_ids if actor.roles.get(i) in PERMISSIONS["team.audit"]]


def _event(row: Any) -> Event:
    return Event(*row)
