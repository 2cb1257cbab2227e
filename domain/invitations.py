"""Letting people into teams: at once when they are registered, else by a link that works once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from db import accounts as account_rows
from db import invitations as rows
from db import log
from db import teams as team_rows
from db.claims import System
from db.engine import Connection, Database
from db.errors import DuplicateError, NotAMemberError
from domain import audit, tokens
from domain.actor import Actor, Role
from domain.errors import Conflict, Fault, NotFound
from domain.inputs import Input
from domain.names import EmailAddress, email_key
from domain.policy import NEEDED, PERMISSIONS, require, require_key, require_managed
from domain.teams import Hold, hold, note

INVITATION_LIFETIME = timedelta(days=7)
OPEN_MAX = 500
"""Open invitations that one team may have, and that one address is shown."""


class Invite(Input):
    """Whom to let in, as a member."""

    email: EmailAddress


class InviteAs(Invite):
    """Whom to let in, and as what."""

    role: Literal["admin", "member", "viewer"] = "member"


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation came to: a member at once, or a link to hand on."""

    account_id: UUID | None
    token: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation by link. The link itself is kept by nobody but who was given it."""

    id: UUID
    team_id: UUID
    email: str
    role: Role
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    team_name: str


async def invite(
    db: Database, actor: Actor, team_id: UUID, data: Invite, *, outsider: type[Fault] = NotFound
) -> Invited:
    """Let a registered person in at once; for an unknown address make a single-use link.

    An admin invites members and viewers, the owner anybody. Raises Conflict when the person is in
    already, Forbidden when the actor may not invite, or not as that.
    """
    require(actor, "team.invite", team_id, outsider=outsider)
    role: Role = data.role if isinstance(data, InviteAs) else "member"
    # Whoever is invited is looked up, and held while it joins, by somebody who does not see it.
    async with db.begin(System("whom to invite")) as connection:
        held = await hold(connection, actor, team_id, "team.invite", outsider=outsider)
        require_managed(held.role, role)
        account = await account_rows.by_email(connection, email_key(data.email))
        if account is None:
            return await _make_link(connection, actor, held, data.email, role)
        await _join(connection, actor, held, account.id, role)
    return Invited(account.id, None, None)


async def _make_link(
    connection: Connection, actor: Actor, held: Hold, email: str, role: Role
) -> Invited:
    token, expires_at = tokens.new_link_token(), datetime.now(UTC) + INVITATION_LIFETIME
    if await rows.count(connection, held.team_id) >= OPEN_MAX:
        raise Conflict(f"This team has {OPEN_MAX} open invitations: revoke some first")
    invitation_id = uuid4()
    await rows.add(
        connection,
        team_id=held.team_id,
        invitation_id=invitation_id,
        email=email,
        email_key=email_key(email),
        role=role,
        token_digest=tokens.digest(token),
        created_by=actor.account_id,
        expires_at=expires_at,
    )
    await audit.record(connection, actor, "invited", team_id=held.team_id, email=email, role=role)
    return Invited(None, token, expires_at)


async def accept(db: Database, actor: Actor, token: str) -> UUID:
    """Join the team that a link invites to; returns its id. A link works once, for seven days.

    Raises NotFound for a link that is unknown, used, revoked or too old, Conflict when already in.
    """
    require_key(actor, NEEDED["team.leave"])
    # The link is the right to it: who follows it is no member yet, of the team or of another.
    async with db.begin(System("a link of invitation")) as connection:
        invitation = await rows.by_token(connection, tokens.digest(token))
        if invitation is None:
            raise NotFound("This invitation is unknown, used or expired: ask for a new one")
        team_id: UUID = invitation.scope_id
        try:
            heads = await log.advance(connection, None, {team_id: 1})
        except NotAMemberError:
            raise NotFound from None
        # Only now, under the lock that every change of the team takes first.
        if not await rows.use(connection, team_id, invitation.id):
            raise NotFound("This invitation is unknown, used or expired: ask for a new one")
        held = Hold(team_id, heads[team_id], invitation.role)
        await _join(connection, actor, held, actor.account_id, invitation.role)
    return team_id


async def revoke(db: Database, actor: Actor, invitation_id: UUID) -> None:
    """End an open invitation. Raises NotFound when there is none that the actor may know of."""
    async with db.begin(actor) as connection:
        team_id = await rows.team_of(connection, invitation_id)
        if team_id is None:
            raise NotFound
        require(actor, "team.invite", team_id)
        held = await hold(connection, actor, team_id, "team.invite")
        row = await rows.revoke(connection, team_id, invitation_id)
        if row is None:
            raise NotFound
        require_managed(held.role, row.role)
        await audit.record(
            connection, actor, "invitation_revoked", team_id=team_id, email=row.email
        )


async def of_teams(
    db: Database, actor: Actor, team_ids: Sequence[UUID]
) -> dict[UUID, list[Invitation]]:
    """The open invitations of teams, oldest first; teams where the actor may not invite are left
    out.
    """
    require_key(actor, NEEDED["team.invite"])
    readable = [i for i in team_ids if actor.roles.get(i) in PERMISSIONS["team.invite"]]
    found: dict[UUID, list[Invitation]] = {team_id: [] for team_id in readable}
    async with db.read(actor) as connection:
        for row in await rows.of_teams(connection, readable):
            found[row.scope_id].append(Invitation(*row))
    return found


async def to_me(db: Database, actor: Actor) -> list[Invitation]:
    """The open invitations to the actor's e-mail address, oldest first.

    They tell which teams wait; to join takes the link, since an address is only claimed.
    """
    if actor.email is None:
        return []
    async with db.read(System("invitations to an address")) as connection:
        found = await rows.to(connection, email_key(actor.email), OPEN_MAX)
    return [Invitation(*row) for row in found]


async def _join(
    connection: Connection, actor: Actor, held: Hold, account_id: UUID, role: Role
) -> None:
    if not await account_rows.hold(connection, account_id):
        raise NotFound("This account was deleted meanwhile")
    try:
        await team_rows.add_member(connection, held.team_id, account_id, role)
    except DuplicateError:
        raise Conflict("Already a member of this team") from None
    await note(connection, actor, held, "member_joined", account_id, role=role)
