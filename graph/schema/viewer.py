"""The caller's own account, and everything that starts from it."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import ID

from domain import accounts, teams
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.api_key import ApiKey
from graph.schema.knowledge import KnowledgeEntry, knowledge_page
from graph.schema.knowledge_filters import Narrowed, Ordered, wanted
from graph.schema.paging import After, Before, Connection, First, Last, window
from graph.schema.session import OfProject, Session, session_page
from graph.schema.team import Team


@strawberry.type(description="You, as only you see yourself.")
class Viewer:
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

    @computed("Your API keys that are not revoked, oldest first.")
    async def api_keys(self, info: Info) -> list[ApiKey]:
        """The living keys."""
        keys = await accounts.keys(info.context.services, info.context.actor)
        return [ApiKey.of(key) for key in keys]

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
        filter: Narrowed = None,
        order_by: Ordered = None,
    ) -> Connection[KnowledgeEntry]:
        """A page of the caller's own entries."""
        about = wanted(filter, None, only_team=False)
        return await knowledge_page(info, about, order_by, (first, after, last, before))

    @computed("Your sessions of Claude Code, last changed first.")
    async def sessions(
        self,
        info: Info,
        *,
        project: OfProject = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Session]:
        """A page of the caller's sessions."""
        return await session_page(info, window(first, after, last, before), project)

    @classmethod
    def of(cls, account: accounts.Account) -> Viewer:
        """The GraphQL view of the caller's account."""
        return cls(
            id=ids.encode("User", account.id),
            email=account.email,
            username=account.username,
            tier=account.tier,
            created_at=account.created_at,
        )


async def my_teams(info: Info) -> list[Team]:
    """The caller's teams."""
    found = await teams.mine(info.context.services.db, info.context.actor)
    return [Team.of(team) for team in found]
