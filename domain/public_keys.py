"""Members' public keys, which others wrap team keys for and check signatures with.

The server keeps what the member says and checks nothing of it: whoever relies on a key compares its
fingerprint (docs/end-to-end-encryption.md). What it does is to make a change visible.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from db import public_keys as rows
from db.engine import Database
from domain import audit, journal
from domain.actor import Actor
from domain.errors import Conflict
from domain.inputs import Input, Ordinal
from domain.policy import require_key

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_CONTEXT: Final = b"teamlore-e2e/v1/fingerprint\x00"

PublicKey = Annotated[bytes, Field(min_length=KEY_BYTES, max_length=KEY_BYTES)]
Signature = Annotated[bytes, Field(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


class NewPublicKeys(Input):
    """Keys that shall be the actor's from now on."""

    number: Ordinal
    """One more than that of the keys so far."""
    wrapping_key: PublicKey
    """X25519."""
    signing_key: PublicKey
    """Ed25519."""
    proof: Signature
    """The signing key's signature over account, number and both keys."""


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What an account has set at one time."""

    account_id: UUID
    number: int
    wrapping_key: bytes
    signing_key: bytes
    proof: bytes
    created_at: datetime

    @property
    def fingerprint(self) -> str:
        """SHA-256 over account and keys, in hexadecimal; for show, clients compute their own."""
        said = _CONTEXT + self.account_id.bytes + self.wrapping_key + self.signing_key
        return hashlib.sha256(said).hexdigest()


async def publish(db: Database, actor: Actor, data: NewPublicKeys) -> PublicKeys:
    """Set the actor's keys; the audit log and the feed of every encrypted team of its tell.

    Raises Conflict when the number is not the next one, Forbidden for a key that may not.
    """
    require_key(actor, "admin")
    own = actor.account_id
    async with db.begin(actor) as connection:
        teams = await rows.encrypted_teams_of(connection, own)
        counts = dict.fromkeys((own, *teams), 1)
        heads = await journal.take_heads(connection, actor, counts, permission="team.read")
        newest = await rows.newest_number(connection, own)
        if data.number != newest + 1:
            raise Conflict(f"Your newest keys have the number {newest}: look whose they are")
        values = data.model_dump() | {"account_id": own, "created_at": heads[own].at}
        keys = PublicKeys(*await rows.add(connection, values))
        detail: dict[str, Any] = {"number": keys.number, "fingerprint": keys.fingerprint}
        for team_id in (None, *teams):
            await audit.record(connection, actor, "public_keys_set", team_id=team_id, **detail)
        told = [journal.entry(h, "public_keys_set", own, own, **detail) for h in heads.values()]
        await journal.append(connection, told)
    return keys


async def of_people(
    db: Database, actor: Actor, account_ids: Sequence[UUID]
) -> dict[UUID, list[PublicKeys]]:
    """The keys of each of those, newest first, as far as the actor has to do with them.

    Whoever has left a team is known there by what it made.
    """
    found: dict[UUID, list[PublicKeys]] = {account_id: [] for account_id in account_ids}
    async with db.read(actor) as connection:
        for row in await rows.of_people(connection, actor.access, account_ids):
            found[row.account_id].append(PublicKeys(*row))
    return found
