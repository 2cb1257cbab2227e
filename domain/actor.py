"""Who is asking: a parameter of every operation, never ambient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args
from uuid import UUID

from db.claims import Claim, of_account
from db.scope import Access

Role = Literal["owner", "admin", "member", "viewer"]
KeyScope = Literal["read", "write", "sync", "admin"]
"""What an API key may be used for; `domain.policy` says what each lets one do."""

EVERY_SCOPE: frozenset[KeyScope] = frozenset(get_args(KeyScope))
USER_AGENT_MAX = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from, for the audit log. An operator's command comes from nowhere."""

    address: str | None = None
    """The network address."""
    user_agent: str | None = None

    @classmethod
    def of(cls, address: str | None, user_agent: str | None) -> Origin:
        """The origin with what it claims of itself made storable and cut to 200 characters."""
        claimed = (user_agent or "").replace("\x00", "").encode("utf-8", "replace").decode()
        return cls(address, claimed.strip()[:USER_AGENT_MAX] or None)

    @property
    def program(self) -> str | None:
        """The user agent coarsely: its first word, such as `node/22.1`."""
        return None if self.user_agent is None else self.user_agent.split()[0][:64]


NOWHERE = Origin()


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
    """When that JWT or key ends, in seconds since 1970; None for a key that does not."""
    key_scopes: frozenset[KeyScope] = EVERY_SCOPE
    """What its key may be used for; a JWT may be used for everything."""
    origin: Origin = NOWHERE
    """Where the request comes from."""

    def having(self, scope_id: UUID, role: Role) -> Actor:
        """The same caller, once it has a role in another scope."""
        return replace(self, roles={**self.roles, scope_id: role})

    @property
    def access(self) -> Access:
        """What the database layer needs to know of the caller."""
        return Access(self.account_id, tuple(self.roles))

    @property
    def claim(self) -> Claim:
        """What row-level security is told of the caller."""
        return of_account(self.account_id)
