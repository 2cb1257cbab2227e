"""The caller's own account, and everything that starts from it."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import ID

from domain import accounts, teams, usage
from graph.context import Info
from graph.fields import computed
from graph.mapping import GlobalId, Many, One, mapped
from graph.schema import ids
from graph.schema import knowledge_filters as of_knowledge
from graph.schema.api_key import ApiKey, key_page
from graph.schema.audit import AuditEvent, OnlyEvents, my_audit
from graph.schema.contribution import Contribution, contribution_page
from graph.schema.invitation import Invitation, my_invitations
from graph.schema.knowledge import KnowledgeEntry, knowledge_page
from graph.schema.machine import MachineFields
from graph.schema.paging import After, Before, Connection, First, Last, window
from graph.schema.session import Session
from graph.schema.session_list import Narrowed, OfProject, Ordered, SessionOrder, session_page
from graph.schema.team import Team
from graph.schema.token_usage import TokenUsageFields
from graph.schema.usage import Usage


@mapped(
    "email",
    "username",
    "tier",
    "created_at",
    "email_verified_at",
    id=GlobalId("User"),
    api_keys=Many("keys"),
    audit=Many("own audit"),
    teams=Many("my teams"),
    knowledge=Many("own knowledge"),
    sessions=Many("sessions"),
    usage=One("usage"),
)
@strawberry.type(description="You, as only you see yourself.")
class Viewer(TokenUsageFields, MachineFields):
    """The account that the credential belongs to."""

    id: ID = strawberry.field(description="The id under which others know you as a User.")
    email: str | None = strawberry.field(
        description="Your e-mail address; null for an account that has only a username."
    )
    username: str | None = strawberry.field(
        description="Your username; null for an account that has only an e-mail address."
    )
    tier: str = strawberry.field(description="Your plan.")
    created_at: datetime = strawberry.field(description="When you opened the account.")
    email_verified_at: datetime | None = strawberry.field(
        description="When you proved the address to be yours by a code that was sent to it; null "
        "when you have not."
    )

    @computed("Your API keys that are not revoked, oldest first.")
    async def api_keys(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ApiKey]:
        """A page of the caller's keys."""
        return await key_page(info, window(first, after, last, before))

    @computed(
        "Open invitations to your e-mail address, oldest first. They tell you which teams wait; to "
        "join takes the link, since anybody may claim an address."
    )
    async def invitations(
        self, info: Info, first: First = None, after: After = None
    ) -> Connection[Invitation]:
        """A page of the invitations to the caller."""
        return await my_invitations(info, window(first, after))

    @computed(
        "Security events that you caused or that concern you, newest first. An API key needs the "
        "scope ADMIN for it."
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
        """A page of the caller's audit log."""
        return await my_audit(info, filter, window(first, after, last, before))

    @computed("The teams that you belong to, oldest first.")
    async def teams(self, info: Info) -> list[Team]:
        """The caller's teams."""
        return await my_teams(info)

    @computed("What you learned, in teams and in private, newest first.")
    async def knowledge(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: of_knowledge.Narrowed = None,
        order_by: of_knowledge.Ordered = None,
    ) -> Connection[KnowledgeEntry]:
        """A page of the caller's own entries."""
        about = of_knowledge.wanted(filter, None, only_team=False)
        return await knowledge_page(info, about, order_by, (first, after, last, before))

    @computed("Your sessions of Claude Code, last changed first unless you say otherwise.")
    async def sessions(
        self,
        info: Info,
        *,
        project: OfProject = None,
        filter: Narrowed = None,
        order_by: Ordered = SessionOrder.UPDATED,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Session]:
        """A page of the caller's sessions."""
        asked = window(first, after, last, before)
        return await session_page(info, asked, filter, project, order_by)

    @computed("What you contribute to the community. Only you can see that it is you.")
    async def contributions(
        self, info: Info, first: First = None, after: After = None
    ) -> Connection[Contribution]:
        """A page of the caller's contributions."""
        return await contribution_page(info, window(first, after))

    @computed("What you keep on this server, and what you do there.")
    async def usage(self, info: Info) -> Usage:
        """The caller's usage."""
        return Usage.of(await usage.of(info.context.services, info.context.actor))

    @classmethod
    def of(cls, account: accounts.Account) -> Viewer:
        """The GraphQL view of the caller's account."""
        return cls(
            id=ids.encode("User", account.id),
            email=account.email,
            username=account.username,
            tier=account.tier,
            created_at=account.created_at,
            email_verified_at=account.email_verified_at,
        )


async def my_teams(info: Info) -> list[Team]:
    """The caller's teams."""
    found = await teams.mine(info.context.services.db, info.context.actor)
    return [Team.of(team) for team in found]
