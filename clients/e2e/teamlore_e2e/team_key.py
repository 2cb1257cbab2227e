"""Team keys: what is derived from one, and how it gets to a member."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from nacl.encoding import RawEncoder
from nacl.exceptions import CryptoError
from nacl.hash import blake2b
from nacl.public import PublicKey, SealedBox
from nacl.utils import random

from teamlore_e2e.encoding import statement
from teamlore_e2e.errors import Tampered
from teamlore_e2e.identity import Identity, PublicKeys

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class TeamKey:
    """The key of one epoch of one team. It never encrypts; what is derived from it does."""

    team: str
    epoch: int
    secret: bytes

    @classmethod
    def generate(cls, team: str, epoch: int) -> TeamKey:
        """A random key."""
        return cls(team, epoch, random(KEY_BYTES))

    @property
    def content(self) -> bytes:
        """The key of the cipher."""
        return self._derived(b"tl-e2e-content")

    @property
    def search(self) -> bytes:
        """The key of the search tokens."""
        return self._derived(b"tl-e2e-search")

    @property
    def commitment(self) -> str:
        """Says which key it is without telling it, in hexadecimal: everybody has the same one."""
        return self._derived(b"tl-e2e-commit").hex()

    def _derived(self, purpose: bytes) -> bytes:
        """BLAKE2b, keyed with the secret and personalised with the purpose."""
        place = UUID(self.team).bytes + self.epoch.to_bytes(4, "big")
        return blake2b(
            place, digest_size=KEY_BYTES, key=self.secret, person=purpose, encoder=RawEncoder
        )


@dataclass(frozen=True, slots=True)
class Wrap:
    """A team key in a sealed box for one member, signed by who wrapped it."""

    member: str
    key_number: int
    wrapped: bytes
    signature: bytes


def wrap(key: TeamKey, member: PublicKeys, by: Identity) -> Wrap:
    """Wrap a key for a member."""
    wrapped = SealedBox(PublicKey(member.wrapping)).encrypt(key.secret)
    signature = by.sign(wrap_statement(key.team, key.epoch, member, wrapped))
    return Wrap(member.account, member.number, wrapped, signature)


def wrap_statement(team: str, epoch: int, member: PublicKeys, wrapped: bytes) -> bytes:
    """What the signature of a wrapped key is about."""
    return statement(
        "wrap",
        team=team,
        epoch=epoch,
        member=member.account,
        fingerprint=member.fingerprint,
        wrapped=wrapped.hex(),
    )


def unwrap(team: str, epoch: int, wrapped: bytes, own: Identity, commitment: str) -> TeamKey:
    """The key in a sealed box, if it is the one that the epoch commits to. Raises Tampered."""
    try:
        secret = SealedBox(own.private).decrypt(wrapped)
    except (CryptoError, ValueError, TypeError):
        raise Tampered(f"The key of epoch {epoch} is not wrapped for these keys") from None
    key = TeamKey(team, epoch, secret)
    if len(secret) != KEY_BYTES or key.commitment != commitment:
        raise Tampered(f"What is wrapped is not the key of epoch {epoch}")
    return key
