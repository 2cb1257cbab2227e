"""Members of an encrypted team, each with keys, pins and a client of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from teamlore_e2e import Identity, Server, Team, Trust, publish_keys
from teamlore_e2e.encoding import uuid_of
from tests.graph.client import Caller, newcomer
from tests.support.server import RunningServer


@dataclass
class Member:
    """Somebody with keys in a team."""

    caller: Caller
    own: Identity
    trust: Trust
    team: Team

    @property
    def account(self) -> str:
        """The bare id of the account."""
        return uuid_of(self.caller.id)

    def compare(self, *others: Member) -> None:
        """Tell each other fingerprints, as people do, away from the server."""
        for other in others:
            self.trust.verify(other.own.public, other.own.public.fingerprint)


async def with_keys(caller: Caller, team_id: str) -> Member:
    """Somebody who sets public keys and can work with a team."""
    own, trust = Identity.generate(caller.id), Trust()
    server = Server(caller.server.url, str(caller.api_key), client=caller.server.client)
    await publish_keys(server, own, trust)
    return Member(caller, own, trust, Team(server, team_id, own, trust))


async def encrypted_team(
    server: RunningServer, roles: Sequence[str] = ("MEMBER",), *, searchable: bool = False
) -> list[Member]:
    """The owner of a new encrypted team and its other members, who all trust each other."""
    owner = await newcomer(server)
    team_id = await owner.found_team()
    people = [await with_keys(owner, team_id)]
    for role in roles:
        people.append(await joined(people[0], role))
    for one in people:
        one.compare(*people)
    await people[0].team.enable(searchable=searchable)
    for one in people[1:]:
        await one.team.refresh()
    return people


async def joined(owner: Member, role: str = "MEMBER") -> Member:
    """Somebody who has just come into the team and has set keys."""
    caller = await newcomer(owner.caller.server)
    given = {"teamId": owner.team.id, "email": caller.email, "role": role}
    await owner.caller.do("inviteToTeam", given, "memberId")
    return await with_keys(caller, owner.team.id)
