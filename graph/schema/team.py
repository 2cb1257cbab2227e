"""Teams and their members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import strawberry

from domain import teams
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.knowledge import KnowledgeEntry, knowledge_page
from graph.schema.knowledge_filters import Narrowed, Ordered, wanted
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
    my_role: Role = strawberry.field(description="What you may do in it.")

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

    @classmethod
    def of(cls, team: teams.Team) -> Team:
        """The GraphQL view of a team."""
        return cls(
            uuid=team.id, name=team.name, created_at=team.created_at, my_role=Role(team.role)
        )


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
