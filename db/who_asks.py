"""Whose a credential is, in one round trip: every request needs to know before anything else.

Said to PostgreSQL as the server's own work, since nobody is known yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from asyncpg.pgproto.pgproto import UUID as DriverUUID  # noqa: N811 - its twin, faster to send

from db.reads import Reads

ROLES = """
    SELECT json_object_agg(m.scope_id, m.role)::text
    FROM memberships m JOIN scopes s ON s.id = m.scope_id
    WHERE m.account_id = a.id AND s.deleted_at IS NULL
"""
_ACCOUNT = f"SELECT a.id, a.email, a.username, a.token_epoch, ({ROLES})"
_CLAIM = "(SELECT set_config('teamlore.system', 'who asks', true)) IS NOT NULL"
_BY_ID = f"{_ACCOUNT} FROM accounts a WHERE a.id = $1 AND {_CLAIM}"
_BY_KEY = f"""
{_ACCOUNT}, k.id, k.last_used_at, k.scopes, k.expires_at
FROM api_keys k JOIN accounts a ON a.id = k.account_id
WHERE k.digest = $1 AND k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > now()) AND {_CLAIM}
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """An account with its roles by scope, and the key that it came with."""

    id: UUID
    email: str | None
    username: str | None
    token_epoch: int
    roles: dict[UUID, str]
    key_id: UUID | None = None
    last_used_at: datetime | None = None
    scopes: Sequence[str] = ()
    expires_at: datetime | None = None


async def by_id(reads: Reads, account_id: UUID) -> Holder | None:
    """The account with its roles."""
    rows = await reads.fetch(_BY_ID, (account_id,))
    return _holder(rows[0]) if rows else None


async def by_key_digest(reads: Reads, digest: bytes) -> Holder | None:
    """The account of an API key that is neither revoked nor expired."""
    rows = await reads.fetch(_BY_KEY, (digest,))
    return _holder(rows[0]) if rows else None


def _holder(row: Sequence[Any]) -> Holder:
    id, email, username, token_epoch, roles, *key, _number = row
    found: dict[UUID, str] = {
        DriverUUID(scope): role for scope, role in orjson.loads(roles or "{}").items()
    }
    return Holder(id, email, username, token_epoch, found, *key)
