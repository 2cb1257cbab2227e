"""Who is asking: a parameter of every operation, never ambient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from db.scope import Access

Role = Literal["owner", "admin", "member", "viewer"]


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated account with the scopes it belongs to, its own among them (as owner)."""

    account_id: UUID
    roles: Mapping[UUID, Role]
    email: str | None = None
    username: str | None = None
    key_id: UUID | None = None
    """The API key it came with; None for a JWT."""
    token_epoch: int | None = None
    """The epoch of the JWT it came with; None for a key."""
    expires_at: float | None = None
    """When that JWT ends, in seconds since 1970; None for a key."""

    @property
    def access(self) -> Access:
        """What the database layer needs to know of the caller."""
        return Access(self.account_id, tuple(self.roles))
