"""Public keys of people, for encrypted teams."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry

from domain import public_keys
from graph.context import Info
from graph.schema.scalars import Base64


@strawberry.type(
    description="Public keys that a person has set. This server has checked nothing of them: "
    "compare the fingerprint with the person, and compute it yourself."
)
class PublicKeys:
    """As `domain.public_keys.PublicKeys`."""

    number: int = strawberry.field(description="1 for the first, and so on; the highest counts.")
    wrapping_key: Base64 = strawberry.field(
        description="The X25519 key that team keys are wrapped for."
    )
    signing_key: Base64 = strawberry.field(
        description="The Ed25519 key that the person's signatures are checked with."
    )
    proof: Base64 = strawberry.field(
        description="The signing key's signature over account, number and both keys."
    )
    fingerprint: str = strawberry.field(
        description="SHA-256 over account and keys, in hexadecimal."
    )
    created_at: datetime = strawberry.field(description="When they were set.")

    @classmethod
    def of(cls, keys: public_keys.PublicKeys) -> PublicKeys:
        """The GraphQL view of keys."""
        return cls(
            number=keys.number,
            wrapping_key=Base64(keys.wrapping_key),
            signing_key=Base64(keys.signing_key),
            proof=Base64(keys.proof),
            fingerprint=keys.fingerprint,
            created_at=keys.created_at,
        )


async def keys_of(info: Info, account_id: UUID) -> list[PublicKeys]:
    """All keys of somebody whom the caller has to do with, newest first."""
    found = await info.context.loaders.encryption.keys.load(account_id)
    return [PublicKeys.of(keys) for keys in found]
