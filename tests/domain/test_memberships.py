"""A right that ended while its holder's request was on its way is no right any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from db.engine import Database
from domain import audit, invitations, knowledge, memberships, teams
from domain.actor import Actor
from domain.audit import AuditFilter, AuditRange
from domain.entries import EntryFields, Push
from domain.errors import Fault, Forbidden, NotFound
from domain.invitations import Invite, InviteAs
from domain.memberships import NewRole
from domain.teams import NewTeam
from tests.domain.test_feed import person, team

Act = Callable[[Database, Actor, UUID, UUID], Awaitable[object]]


def _push(db: Database, actor: Actor, team_id: UUID, _other: UUID) -> Awaitable[object]:
    entry = EntryFields(type="decision", timestamp=1, summary="late")
    return knowledge.push(db, actor, Push(entries=(entry,), teamId=team_id))


ACTS: dict[str, Act] = {
    "invite": lambda db, a, t, _o: invitations.invite(db, a, t, Invite(email="a@example.org")),
    "invite as": lambda db, a, t, _o: invitations.invite(
        db, a, t, InviteAs(email="a@example.org", role="viewer")
    ),
    "change a role": lambda db, a, t, o: memberships.change_role(
        db, a, t, o, NewRole(role="viewer")
    ),
    "rename": lambda db, a, t, _o: teams.rename(db, a, t, NewTeam(name="Mine")),
    "transfer": memberships.transfer,
    "remove": memberships.remove,
    "delete": lambda db, a, t, _o: teams.delete(db, a, t),
    "push": _push,
}


@pytest.mark.parametrize("ended", ["demoted", "removed", "team deleted"])
async def test_who_was_loaded_before_its_right_ended_is_refused(db: Database, ended: str) -> None:
    everybody = await person(db), await person(db), await person(db)
    for name, act in ACTS.items():
        team_id, (owner, heir, other) = await team(db, *everybody)
        await memberships.transfer(db, owner, team_id, heir.account_id)
        heir = Actor(heir.account_id, {**heir.roles, team_id: "owner"})
        if ended == "team deleted":
            await teams.delete(db, heir, team_id)
        elif ended == "removed":
            await memberships.remove(db, heir, team_id, owner.account_id)
        else:
            demotion = NewRole(role="viewer")
            await memberships.change_role(db, heir, team_id, owner.account_id, demotion)
        # `owner` still says of itself that it owns the team.
        refusal: type[Fault] = Forbidden if ended == "demoted" or name == "push" else NotFound
        with pytest.raises(refusal):
            await act(db, owner, team_id, other.account_id)


async def test_there_is_no_act_without_its_line_in_the_audit_log_and_no_line_without_act(
    db: Database,
) -> None:
    team_id, (owner, member) = await team(db, await person(db), await person(db))
    with pytest.raises(Forbidden):
        await memberships.remove(db, member, team_id, owner.account_id)
    await teams.rename(db, owner, team_id, NewTeam(name="Readers"))  # what it is called already
    await memberships.change_role(db, owner, team_id, member.account_id, NewRole(role="member"))
    events = (await audit.of_teams(db, owner, [team_id], AuditFilter(), AuditRange(10)))[team_id]
    assert [event.kind for event in events] == ["team_created"]
