"""Deleting an account: everything of its own goes, and what it gave to teams stays with the teams.

What its owner is known by and gets in with ends in one transaction; then nobody sees anything of
it any more. The rest is erased in batches right after that, or by whichever server finds it
unfinished. Blocks of conversations wait for the collector.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Final
from uuid import UUID

from pydantic import StringConstraints

from db import accounts as account_rows
from db import audit as audit_rows
from db import erasure as rows
from db import invitations, log
from db import teams as team_rows
from db.claims import System
from db.engine import Connection, Database
from db.errors import NotAMemberError
from db.rows import AnyRow
from domain import audit, contributions, recovery, share_ends
from domain.actor import NOWHERE, Actor
from domain.contributions import Withdrawal
from domain.errors import (
    Conflict,
    DatabaseFullError,
    DatabaseUnavailableError,
    Invalid,
    Unauthenticated,
)
from domain.inputs import Input, Storable
from domain.names import username_key
from domain.policy import require_key
from domain.services import Services
from domain.teams import Hold, note

BATCH: Final = 5_000
PAUSE_SECONDS: Final = 0.01
AT_ONCE_SECONDS: Final = 20.0
"""For how long the answer waits for the rest to be erased, which a sweep does otherwise."""
SWEEP_MAX: Final = 20
_WORK: Final = System("deletion of an account")


class Goodbye(Input):
    """What proves that the account's owner wants it deleted."""

    password: Annotated[Storable, StringConstraints(max_length=128)] | None = None
    username: Annotated[Storable, StringConstraints(max_length=255)] | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """An account that is gone, and the teams that ended with it because they had nobody else."""

    account_id: UUID
    teams: Sequence[str]


async def delete_account(services: Services, actor: Actor, data: Goodbye) -> Erased:
    """Delete the actor's account for good.

    An account with a password proves itself by it, one without by its username. Raises Invalid
    when that is wrong (for passwords counted as a failed log-in: RateLimited), and Conflict while
    it owns a team that has other members.
    """
    require_key(actor, "admin")
    async with services.db.read(actor) as connection:
        row = await account_rows.by_id(connection, actor.account_id)
    if row is None:
        raise Unauthenticated
    if row.password_hash is not None:
        await recovery.prove(services, actor, row, data.password or "", "password")
    elif data.username is None or username_key(data.username) != row.username_key:
        raise Invalid.at("username", "is not your username")
    return await _delete(services, actor, row)


async def delete_named(services: Services, name: str) -> Erased:
    """For the server's operator: delete the account of an e-mail address or a username.

    Raises NotFound, and Conflict while it owns a team that has other members.
    """
    row = await recovery.account_named(services, name)
    return await _delete(services, Actor(row.id, {row.id: "owner"}), row, by_operator=True)


async def _delete(
    services: Services, actor: Actor, row: AnyRow, *, by_operator: bool = False
) -> Erased:
    # What is written about it from here on says who, but not from where.
    nameless = replace(actor, origin=NOWHERE, key_id=None)
    try:
        async with services.db.begin(_WORK) as connection:
            ended = await _end(connection, nameless, row)
            if by_operator:
                await audit.record_of_operator(connection, "account_deleted", row.id)
            else:
                await audit.record(connection, nameless, "account_deleted")
    except NotAMemberError:
        raise Conflict("A team changed meanwhile: try again") from None
    with suppress(DatabaseUnavailableError, DatabaseFullError, TimeoutError):
        async with asyncio.timeout(None if by_operator else AT_ONCE_SECONDS):
            await erase(services, row.id)
    return Erased(row.id, ended)


async def _end(connection: Connection, actor: Actor, row: AnyRow) -> list[str]:
    """End all that others see of the account; the names of the teams that end with it."""
    before = await rows.teams(connection, row.id)
    counts = {row.id: 1, **{team.id: 1 for team in before}}
    heads = await log.advance(connection, None, counts)
    teams = await rows.teams(connection, row.id)
    if {team.id for team in teams} != {team.id for team in before}:
        raise NotAMemberError
    owned = [team for team in teams if team.role == "owner"]
    if kept := [team.name for team in owned if team.members > 1]:
        named = ", ".join(f'"{name}"' for name in kept)
        raise Conflict(f"Other people are in teams that you own: transfer or delete {named} first")
    for team in teams:
        if team.role != "owner":
            await _leave(connection, actor, Hold(team.id, heads[team.id], team.role))
    await rows.end_scopes(connection, [row.id, *(team.id for team in owned)])
    await rows.end_account(connection, row.id, row.email_key)
    addresses = [address for address in (row.email, row.email_key) if address]
    await audit_rows.forget(connection, row.id, addresses)
    return [team.name for team in owned]


async def _leave(connection: Connection, actor: Actor, held: Hold) -> None:
    account = actor.account_id
    await team_rows.remove_member(connection, held.team_id, account)
    await invitations.end_those_of(connection, held.team_id, account)
    await note(connection, actor, held, "member_left", account)
    await share_ends.end_of_membership(connection, held.team_id, account, account)


async def erase(services: Services, account_id: UUID) -> None:
    """Erase what is left of an account that has ended. Doing it twice, or at once, is no harm."""
    gone = Actor(account_id, {})
    await contributions.withdraw(services, gone, Withdrawal(everything=True))
    async with services.db.begin(_WORK) as connection:
        await rows.empty_tombstones(connection, account_id)
        found = await rows.ended_with(connection, account_id)
    # Its own scope last: while that is there, a sweep finds the rest.
    for scope_id in sorted(found, key=lambda scope: scope == account_id):
        while True:
            async with services.db.begin(_WORK) as connection:
                if not await rows.alone(connection, account_id):
                    return
                if not await rows.erase_some(connection, scope_id, BATCH):
                    if scope_id == account_id:
                        await rows.forget_public_keys(connection, account_id)
                    await rows.end_scope(connection, scope_id)
                    break
            await asyncio.sleep(PAUSE_SECONDS)


def sweep_of(services: Services) -> Callable[[Database], Awaitable[int]]:
    """A sweep that finishes what a server left unfinished when it stopped."""

    async def sweep(db: Database) -> int:
        async with db.read(_WORK) as connection:
            found = await rows.ended(connection, SWEEP_MAX)
        for account_id in found:
            await erase(services, account_id)
        return len(found)

    return sweep
