"""API keys: credentials that never expire and can be revoked one by one."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain import accounts
from graph.schema import ids


@strawberry.type(description="A key that a program of yours uses in place of your password.")
class ApiKey(ids.Node):
    """A living key; its secret is never shown again."""

    kind = "ApiKey"

    label: str = strawberry.field(description="What you called it.")
    prefix: str = strawberry.field(description="The first characters of the key, to tell it by.")
    created_at: datetime = strawberry.field(description="When it was made.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to the minute; null if never."
    )

    @classmethod
    def of(cls, key: accounts.ApiKey) -> ApiKey:
        """The GraphQL view of a key."""
        return cls(
            uuid=key.id,
            label=key.label,
            prefix=key.prefix,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
        )
