"""Teams and their members."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from domain import teams
from domain.scope_reader import Personal, TeamFacts
from graph.context import Info
from graph.fields import computed
from graph.mapping import Column, Embedded, GlobalId, Many, mapped
from graph.schema import ids
from graph.schema.audit import AuditEvent, OnlyEvents, team_audit
from graph.schema.encryption import TeamEncryption, team_encryption
from graph.schema.invitation import Invitation, team_invitations
from graph.schema.knowledge import KnowledgeEntry, knowledge_page
from graph.schema.knowledge_filters import Narrowed, Ordered, wanted
from graph.schema.paging import (
    After,
    Before,
    Connection,
    First,
    Last,
    Place,
    page_of_all,
    place_of,
    window,
)
from graph.schema.role import Role as Role
from graph.schema.sealed import Kinds, Matching, SealedEntry, sealed_page
from graph.schema.shared_session import SharedSession, shared_session_page
from graph.schema.user import User


@strawberry.enum(description="In which order a team's members are listed.")
class MemberOrder(Enum):
    """The orders of `Team.members`."""

    OLDEST_FIRST = strawberry.enum_value("oldest", description="First come first.")
    NEWEST_FIRST = strawberry.enum_value("newest", description="Last come first.")
    BY_ROLE = strawberry.enum_value(
        "role", description="Owner, admins, members, viewers; within a role first come first."
    )


@mapped("role", "joined_at", user=Embedded())
@strawberry.type(description="A person's place in a team.")
class Member:
    """A membership."""

    role: Role = strawberry.field(description="What this person may do in the team.")
    joined_at: datetime = strawberry.field(description="When this person came into the team.")
    user: User = strawberry.field(description="The person.")

    @classmethod
    def of(cls, member: teams.Member) -> Member:
        """The GraphQL view of a membership."""
        user = User(uuid=member.account_id, email=member.email, username=member.username)
        return cls(role=Role(member.role), joined_at=member.joined_at, user=user)


@mapped(
    "name",
    "created_at",
    id=GlobalId("Team"),
    my_role=Column("role"),
    members=Many("members", "id"),
    invitations=Many("team's invitations", "id"),
    audit=Many("team's audit", "id"),
    knowledge=Many("team's knowledge", "id"),
    shared_sessions=Many("team's shares", "id"),
)
@strawberry.type(description="People who share what they learn.")
class Team(ids.Node):
    """A team that the caller belongs to."""

    kind = "Team"

    name: str = strawberry.field(description="What the team is called.")
    created_at: datetime = strawberry.field(description="When it was founded.")
    role: strawberry.Private[Role | None]

    @computed("What you may do in it.")
    def my_role(self) -> Role:
        """The viewer's role. Raises Personal when nobody in particular asks."""
        if self.role is None:
            raise Personal
        return self.role

    @computed("Everybody in the team, first come first unless you say otherwise.")
    async def members(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        role: Annotated[
            Role | None, strawberry.argument(description="Only those with this role.")
        ] = None,
        order_by: Annotated[
            MemberOrder, strawberry.argument(description="In which order; cursors belong to it.")
        ] = MemberOrder.OLDEST_FIRST,
    ) -> Connection[Member]:
        """A page of the team's members."""
        everybody = await info.context.loaders.members.load(self.uuid)
        wanted = [m for m in everybody if role is None or m.role == str(role.value)]
        return page_of_all(wanted, window(first, after), Member.of, _PLACES[order_by])

    @computed(
        "Open invitations by link, oldest first; an error FORBIDDEN unless you own the team or are "
        "an admin of it."
    )
    async def invitations(
        self, info: Info, first: First = None, after: After = None
    ) -> Connection[Invitation]:
        """A page of the team's open invitations."""
        return await team_invitations(info, self.uuid, window(first, after))

    @computed(
        "Security events of the team, newest first; an error FORBIDDEN unless you own the team or "
        "are an admin of it."
    )
    async def audit(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: OnlyEvents = None,
    ) -> Connection[AuditEvent]:
        """A page of the team's audit log."""
        return await team_audit(info, self.uuid, filter, window(first, after, last, before))

    @computed("What the team shares, newest first.")
    async def knowledge(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Narrowed = None,
        order_by: Ordered = None,
    ) -> Connection[KnowledgeEntry]:
        """A page of the entries in the team's scope, whoever wrote them."""
        about = wanted(filter, self.uuid, only_team=True)
        return await knowledge_page(info, about, order_by, (first, after, last, before))

    @computed("The sessions that members share with the team, last shared first.")
    async def shared_sessions(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[SharedSession]:
        """A page of the team's shared sessions."""
        return await shared_session_page(info, window(first, after, last, before), self.uuid)

    @computed("How the team is end-to-end encrypted; null when it is not.")
    async def encryption(self, info: Info) -> TeamEncryption | None:
        """The team's encryption."""
        return await team_encryption(info, self.uuid)

    @computed(
        "What members keep in the team when it is encrypted, last changed first; nothing of it is "
        "in `knowledge`."
    )
    async def sealed_entries(
        self,
        info: Info,
        *,
        kind: Kinds = None,
        matching: Matching = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[SealedEntry]:
        """A page of the team's sealed entries."""
        asked = window(first, after, last, before)
        return await sealed_page(info, asked, self.uuid, kind, matching)

    @classmethod
    def of(cls, team: teams.Team | TeamFacts) -> Team:
        """The GraphQL view of a team."""
        role = Role(team.role) if isinstance(team, teams.Team) else None
        return cls(uuid=team.id, name=team.name, created_at=team.created_at, role=role)


_RANKS = {str(role.value): rank for rank, role in enumerate(Role)}
_RANK_BITS = 52  # more than the microseconds since 1970 take for a century to come


def _oldest(member: teams.Member) -> Place:
    return place_of(member.joined_at, member.account_id)


def _newest(member: teams.Member) -> Place:
    place = _oldest(member)
    return place._replace(number=-place.number)


def _by_role(member: teams.Member) -> Place:
    place = _oldest(member)
    return place._replace(number=(_RANKS[member.role] << _RANK_BITS) + place.number)


_PLACES: dict[MemberOrder, Callable[[teams.Member], Place]] = {
    MemberOrder.OLDEST_FIRST: _oldest,
    MemberOrder.NEWEST_FIRST: _newest,
    MemberOrder.BY_ROLE: _by_role,
}
