"""Teams: create, invite, list, remove. A team is a scope with several members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID, uuid4

from pydantic import StringConstraints

from db import accounts as account_rows
from db import log
from db import teams as rows
from db.engine import Connection, Database
from db.errors import DuplicateError, NotAMemberError
from domain import journal, share_ends, tokens
from domain.accounts import EmailAddress, email_key
from domain.actor import Actor
from domain.errors import Conflict, Fault, Invalid, NotFound
from domain.inputs import Input, NonBlank
from domain.policy import require

INVITATION_LIFETIME = timedelta(days=7)


class NewTeam(Input):
    """A team to be."""

    name: Annotated[NonBlank, StringConstraints(max_length=255)]


class Invite(Input):
    """Whom to let in."""

    email: EmailAddress


@dataclass(frozen=True, slots=True)
class Team:
    """A team as one of its members sees it."""

    id: UUID
    name: str
    owner_id: UUID
    created_at: datetime
    role: str
    """The role of who asked."""


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a team."""

    team_id: UUID
    account_id: UUID
    email: str | None
    username: str | None
    role: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation came to: a member at once, or a link to hand on."""

    account_id: UUID | None
    token: str | None
    expires_at: datetime | None


async def create(db: Database, actor: Actor, data: NewTeam) -> Team:
    """Found a team; the actor is its owner."""
    team_id = uuid4()
    async with db.begin() as connection:
        created_at = await rows.create(connection, team_id, data.name, actor.account_id)
        await _note(connection, actor, team_id, "team_created", team_id)
    return Team(team_id, data.name, actor.account_id, created_at, "owner")


async def mine(db: Database, actor: Actor) -> list[Team]:
    """The teams that the actor belongs to, oldest first."""
    async with db.read() as connection:
        return [Team(*row) for row in await rows.of(connection, actor.access)]


async def members(
    db: Database, actor: Actor, team_id: UUID, *, outsider: type[Fault] = NotFound
) -> list[Member]:
    """The team's members, first come first. Raises `outsider` when the actor is not one."""
    require(actor, "team.read", team_id, outsider=outsider)
    return await members_of(db, actor, [team_id])


async def members_of(db: Database, actor: Actor, team_ids: Sequence[UUID]) -> list[Member]:
    """The members of several teams at once; teams that the actor is not in have none."""
    async with db.read() as connection:
        return [Member(*row) for row in await rows.members(connection, actor.access, team_ids)]


async def invite(
    db: Database, actor: Actor, team_id: UUID, data: Invite, *, outsider: type[Fault] = NotFound
) -> Invited:
    """Let a registered person in at once; for an unknown address make a single-use link.

    Raises Conflict when the person is in already, Forbidden when the actor may not invite.
    """
    require(actor, "team.invite", team_id, outsider=outsider)
    key = email_key(data.email)
    async with db.begin() as connection:
        account = await account_rows.by_email(connection, key)
        if account is not None:
            await journal.take_heads(connection, actor, {team_id: 0}, outsider=outsider)
            await _join(connection, actor.account_id, team_id, account.id)
            return Invited(account.id, None, None)
        token, expires_at = tokens.new_link_token(), datetime.now(UTC) + INVITATION_LIFETIME
        await journal.take_heads(connection, actor, {team_id: 1}, outsider=outsider)
        await rows.invite(
            connection,
            team_id=team_id,
            invitation_id=uuid4(),
            email=data.email,
            email_key=key,
            token_digest=tokens.digest(token),
            created_by=actor.account_id,
            expires_at=expires_at,
        )
    return Invited(None, token, expires_at)


async def accept_invitation(db: Database, actor: Actor, token: str) -> UUID:
    """Join the team that a link invites to; returns its id. A link works once, for seven days.

    Raises NotFound for a link that is unknown, used or too old, Conflict when already in.
    """
    async with db.begin() as connection:
        invitation = await rows.claim_invitation(connection, tokens.digest(token))
        if invitation is None:
            raise NotFound("This invitation is unknown, used or expired: ask for a new one")
        team_id: UUID = invitation.scope_id
        await _join(connection, actor.account_id, team_id, actor.account_id)
    return team_id


async def remove_member(
    db: Database,
    actor: Actor,
    team_id: UUID,
    account_id: UUID,
    *,
    outsider: type[Fault] = NotFound,
) -> None:
    """End a membership: the owner may end anybody's, everybody their own, nobody the owner's.

    Access ends at once, open subscriptions included. Raises Invalid for the owner, NotFound for
    somebody who is not in the team.
    """
    leaving = account_id == actor.account_id
    require(actor, "team.read" if leaving else "team.remove_member", team_id, outsider=outsider)
    async with db.begin() as connection:
        heads = await journal.take_heads(connection, actor, {team_id: 1}, outsider=outsider)
        role = await rows.role_of(connection, team_id, account_id)
        if role is None:
            raise NotFound("No such member")
        if role == "owner":
            raise Invalid.at("userId", "the owner cannot be removed: transfer the team first")
        await rows.remove_member(connection, team_id, account_id)
        kind = "member_left" if leaving else "member_removed"
        entry = journal.entry(heads[team_id], kind, account_id, actor.account_id)
        await journal.append(connection, [entry])
        await share_ends.end_of_membership(connection, team_id, account_id, actor.account_id)


async def _join(
    connection: Connection, actor_id: UUID, team_id: UUID, account_id: UUID, role: str = "member"
) -> None:
    try:
        heads = await log.advance(connection, None, {team_id: 1})
        await rows.add_member(connection, team_id, account_id, role)
    except NotAMemberError:
        raise NotFound from None
    except DuplicateError:
        raise Conflict("Already a member of this team") from None
    entry = journal.entry(heads[team_id], "member_joined", account_id, actor_id, role=role)
    await journal.append(connection, [entry])


async def _note(
    connection: Connection, actor: Actor, team_id: UUID, kind: str, subject_id: UUID
) -> None:
    heads = await journal.take_heads(connection, actor, {team_id: 1})
    entry = journal.entry(heads[team_id], kind, subject_id, actor.account_id)
    await journal.append(connection, [entry])
