"""Teams and their members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from domain import teams
from domain.scope_reader import Personal, TeamFacts
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.knowledge import KnowledgeEntry, KnowledgeFilter, knowledge_page, wanted
from graph.schema.paging import (
    After,
    Before,
    Connection,
    First,
    Last,
    Place,
    connection,
    place_of,
    window,
)
from graph.schema.user import User


@strawberry.enum(description="What somebody may do in a team.")
class Role(Enum):
    """The roles of `domain.policy`."""

    OWNER = strawberry.enum_value("owner", description="Everything; a team has one owner.")
    ADMIN = strawberry.enum_value("admin", description="Rename the team; read and write.")
    MEMBER = strawberry.enum_value("member", description="Read and write.")
    VIEWER = strawberry.enum_value("viewer", description="Read only.")


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

    @computed("Everybody in the team, first come first.")
    async def members(
        self, info: Info, first: First = None, after: After = None
    ) -> Connection[Member]:
        """A page of the team's members."""
        everybody = await info.context.loaders.members.load(self.uuid)
        return member_page(everybody, first, after)

    @computed("What the team shares, newest first.")
    async def knowledge(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[
            KnowledgeFilter | None, strawberry.argument(description="Only some of it.")
        ] = None,
    ) -> Connection[KnowledgeEntry]:
        """A page of the entries in the team's scope, whoever wrote them."""
        asked = window(first, after, last, before)
        return await knowledge_page(info, wanted(filter, self.uuid, only_team=True), asked)

    @classmethod
    def of(cls, team: teams.Team | TeamFacts) -> Team:
        """The GraphQL view of a team."""
        role = Role(team.role) if isinstance(team, teams.Team) else None
        return cls(uuid=team.id, name=team.name, created_at=team.created_at, role=role)


def member_page(
    everybody: Sequence[teams.Member], first: int | None, after: str | None
) -> Connection[Member]:
    """A page of a team's members."""

    def place(member: teams.Member) -> Place:
        return place_of(member.joined_at, member.account_id)

    async def count() -> int:
        return len(everybody)

    asked = window(first, after)
    ordered = sorted(everybody, key=place)
    rest = [member for member in ordered if asked.after is None or place(member) > asked.after]
    return connection(rest[: asked.fetch], asked, Member.of, place, count)
