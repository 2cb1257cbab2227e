"""Key epochs of an encrypted team, and its keys wrapped for each member.

The server sees to it that a new epoch reaches everybody who has public keys at that moment, and
that only one of several is the next. Statements and signatures are bytes to it; clients check them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from db import encryption as rows
from db import public_keys as key_rows
from db.encryption import Part as Part
from db.engine import Database
from domain.actor import Actor
from domain.encryption import encrypted
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.inputs import Input, Ordinal
from domain.policy import require
from domain.public_keys import Signature
from domain.teams import Hold, hold, note

WRAPPED_BYTES: Final = 80
"""A sealed box around a key of 32 bytes."""
STATEMENT_MAX: Final = 256 * 1024
WRAPS_MAX: Final = 1_000

Wrapped = Annotated[bytes, Field(min_length=WRAPPED_BYTES, max_length=WRAPPED_BYTES)]


class MemberWrap(Input):
    """A team key wrapped for a member, by that member's keys of a number."""

    member_id: UUID
    key_number: Ordinal
    wrapped: Wrapped
    signature: Signature


class NewEpoch(Input):
    """A new team key, as far as the server may know it."""

    number: Ordinal
    signer_number: Ordinal
    statement: Annotated[bytes, Field(min_length=1, max_length=STATEMENT_MAX)]
    signature: Signature
    wraps: Annotated[tuple[MemberWrap, ...], Field(min_length=1, max_length=WRAPS_MAX)]


class EpochWrap(Input):
    """The key of one epoch, wrapped."""

    epoch: Ordinal
    wrapped: Wrapped
    signature: Signature


class Admission(Input):
    """Team keys for one member that has none yet."""

    member_id: UUID
    key_number: Ordinal
    signer_number: Ordinal
    wraps: Annotated[tuple[EpochWrap, ...], Field(min_length=1, max_length=WRAPS_MAX)]


@dataclass(frozen=True, slots=True)
class Epoch:
    """A team key, by what its maker states about it."""

    team_id: UUID
    number: int
    statement: bytes
    signature: bytes
    created_by: UUID
    signer_number: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A team key that one member can unwrap."""

    team_id: UUID
    account_id: UUID
    epoch: int
    key_number: int
    wrapped: bytes
    wrapped_by: UUID
    signer_number: int
    signature: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A member that does not have the newest team key."""

    team_id: UUID
    account_id: UUID
    joined_at: datetime
    key_number: int | None
    """The number of its newest public keys; None while it has set none."""


async def publish(db: Database, actor: Actor, team_id: UUID, data: NewEpoch) -> Epoch:
    """Begin the next epoch, with its key wrapped for every member that has public keys.

    Of several that try at once one wins. Raises NotFound and Forbidden, Conflict when the number is
    not the next one, when the actor has other keys by now, or when the wrapped keys are not those
    of the members of this moment.
    """
    require(actor, "team.rotate", team_id)
    async with db.begin(actor) as connection:
        held = await hold(connection, actor, team_id, "team.rotate")
        newest = (await encrypted(connection, team_id)).epoch
        if data.number != newest + 1:
            raise Conflict(f"The newest epoch is {newest}: look at it and try again")
        members = await key_rows.newest_of_members(connection, team_id)
        _check_signer(members, actor, data.signer_number)
        _check_wraps(members, data.wraps)
        values = data.model_dump(exclude={"wraps"}) | {
            "scope_id": team_id,
            "created_by": actor.account_id,
            "created_at": held.head.at,
        }
        await rows.add_epoch(connection, values)
        await rows.wrap(connection, [_row(held, actor, data, w) for w in data.wraps])
        await note(connection, actor, held, "epoch_published", team_id, epoch=data.number)
    return Epoch(
        team_id,
        data.number,
        data.statement,
        data.signature,
        actor.account_id,
        data.signer_number,
        held.head.at,
    )


def _row(held: Hold, actor: Actor, data: NewEpoch, wrap: MemberWrap) -> dict[str, Any]:
    return _wrapped(held, actor, data.signer_number) | {
        "account_id": wrap.member_id,
        "epoch": data.number,
        "key_number": wrap.key_number,
        "wrapped": wrap.wrapped,
        "signature": wrap.signature,
    }


def _wrapped(held: Hold, actor: Actor, signer_number: int) -> dict[str, Any]:
    return {
        "scope_id": held.team_id,
        "wrapped_by": actor.account_id,
        "signer_number": signer_number,
        "created_at": held.head.at,
    }


def _check_signer(members: dict[UUID, int], actor: Actor, number: int) -> None:
    if members.get(actor.account_id) != number:
        raise Conflict("Your public keys are not the ones that this is signed with")


def _check_wraps(members: dict[UUID, int], wraps: Sequence[MemberWrap]) -> None:
    given = {wrap.member_id: wrap.key_number for wrap in wraps}
    if len(given) != len(wraps):
        raise Invalid.at("wraps", "must name each member once")
    if given != members:
        raise Conflict("The key must be wrapped for each member's newest public keys: look again")


async def admit(db: Database, actor: Actor, team_id: UUID, data: Admission) -> list[int]:
    """Give a member team keys that the actor has; the epochs that were new to it.

    A key that is there for the member's newest public keys stays as it is. Raises NotFound for
    somebody who is not in the team, Forbidden for keys that the actor does not have itself.
    """
    require(actor, "team.admit", team_id)
    async with db.begin(actor) as connection:
        held = await hold(connection, actor, team_id, "team.admit")
        await encrypted(connection, team_id)
        members = await key_rows.newest_of_members(connection, team_id)
        _check_signer(members, actor, data.signer_number)
        if data.member_id not in members:
            raise NotFound("No such member, or one without public keys")
        if members[data.member_id] != data.key_number:
            raise Conflict("The member has other public keys by now: look again")
        asked = {wrap.epoch for wrap in data.wraps}
        if len(asked) != len(data.wraps):
            raise Invalid.at("wraps", "must name each epoch once")
        if not asked <= await rows.epochs_held(connection, team_id, actor.account_id):
            raise Forbidden("You can only hand on team keys that you were given")
        common = _wrapped(held, actor, data.signer_number)
        common |= {"account_id": data.member_id, "key_number": data.key_number}
        given = await rows.wrap(connection, [common | w.model_dump() for w in data.wraps])
        if given:
            await note(connection, actor, held, "keys_wrapped", data.member_id, epochs=given)
    return given


async def of_teams(db: Database, actor: Actor, ids: Sequence[UUID], part: Part) -> list[Epoch]:
    """A part of each team's epochs, oldest first, as far as the actor may read the teams."""
    async with db.read(actor) as connection:
        return [Epoch(*row) for row in await rows.epochs(connection, actor.access, ids, part)]


async def wrapped_for_me(
    db: Database, actor: Actor, ids: Sequence[UUID], part: Part
) -> list[WrappedKey]:
    """A part of each team's keys that the actor can unwrap, oldest epoch first."""
    async with db.read(actor) as connection:
        found = await rows.wrapped_for(connection, actor.access, ids, part)
    return [WrappedKey(*row) for row in found]


async def waiting(db: Database, actor: Actor, ids: Sequence[UUID]) -> list[Waiting]:
    """The members of these teams that wait for the newest key, first come first."""
    async with db.read(actor) as connection:
        return [Waiting(*row) for row in await rows.waiting(connection, actor.access, ids)]
