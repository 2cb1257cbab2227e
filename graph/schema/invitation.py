"""Invitations by link that were not taken up yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry
from strawberry import ID

from domain import invitations
from domain.errors import Forbidden
from graph.context import Info
from graph.fields import computed
from graph.mapping import Column, GlobalId, One, mapped
from graph.schema import ids
from graph.schema.paging import Connection, Place, Window, page_of_all, place_of
from graph.schema.role import Role
from graph.schema.user import User


@mapped(
    "email",
    "role",
    "created_at",
    "expires_at",
    id=GlobalId("Invitation"),
    team_id=GlobalId("Team", "scope_id"),
    team_name=Column("name"),
    inviter=One("person", "created_by"),
)
@strawberry.type(
    description="An open invitation to an address that was not registered. The link is shown only "
    "to who made it; its token joins."
)
class Invitation:
    """What the team's owner and admins, and the one who is invited, see of it."""

    id: ID = strawberry.field(description="Names this invitation for `revokeInvitation`.")
    email: str = strawberry.field(description="Whom it is addressed to.")
    role: Role = strawberry.field(description="The role that it leads to.")
    team_id: ID = strawberry.field(description="The team that it leads to.")
    team_name: str = strawberry.field(description="What that team is called.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="When its link ends.")
    inviter_uuid: strawberry.Private[UUID]

    @computed("Who made it; null when you share no team with that person.")
    async def inviter(self, info: Info) -> User | None:
        """The person who made it."""
        person = await info.context.loaders.people.load(self.inviter_uuid)
        return None if person is None else User.of(person)

    @classmethod
    def of(cls, invitation: invitations.Invitation) -> Invitation:
        """The GraphQL view of an invitation."""
        return cls(
            id=ids.encode("Invitation", invitation.id),
            email=invitation.email,
            role=Role(invitation.role),
            team_id=ids.encode("Team", invitation.team_id),
            team_name=invitation.team_name,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
            inviter_uuid=invitation.created_by,
        )


async def team_invitations(info: Info, team_id: UUID, asked: Window) -> Connection[Invitation]:
    """A page of a team's open invitations, oldest first. Raises Forbidden."""
    found = await info.context.loaders.invitations.load(team_id)
    if found is None:
        raise Forbidden("Only a team's owner and admins may see its invitations")
    return page_of_all(found, asked, Invitation.of, _place)


async def my_invitations(info: Info, asked: Window) -> Connection[Invitation]:
    """A page of the open invitations to the caller's address, oldest first."""
    found = await invitations.to_me(info.context.services.db, info.context.actor)
    return page_of_all(found, asked, Invitation.of, _place)


def _place(invitation: invitations.Invitation) -> Place:
    return place_of(invitation.created_at, invitation.id)
