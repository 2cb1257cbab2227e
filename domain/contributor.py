"""Who contributes to the community, seen only as digests.

What makes contributors independent is the account, never a hash that a request claims: an account
is seen as an HMAC of itself and the pattern, so that contributions cannot be joined across patterns
without the server's key.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from domain.actor import Actor
from domain.errors import Unauthenticated
from domain.services import Services


@dataclass(frozen=True, slots=True)
class Contributor:
    """Who contributes: a way to digest it for one pattern (by the pattern's sameness)."""

    seen_as: Callable[[bytes], bytes]
    groups: Callable[[bytes], list[bytes]]
    """The same for its teams: members of one count once."""
    identity: bytes
    """For the number of contributors alone."""
    anonymous: bool


def contributor(
    services: Services, actor: Actor | None, claimed_hash: str | None = None
) -> Contributor:
    """Who asks, as the community sees it. Raises Unauthenticated when it has to have an account."""
    secret = services.tokens.derive("community contributors")

    def digest(*parts: bytes) -> bytes:
        return hmac.digest(secret, b"\0".join(parts), "sha256")

    if actor is not None:
        account = actor.account_id.bytes
        teams = [scope.bytes for scope in actor.roles if scope != actor.account_id]
        return Contributor(
            lambda key: digest(b"account", account, key),
            lambda key: [digest(b"team", team, key) for team in teams],
            digest(b"account", account),
            anonymous=False,
        )
    if not services.settings.allow_anonymous_contributions:
        raise Unauthenticated
    claimed = (claimed_hash or "").encode()
    return Contributor(
        lambda key: digest(b"anonymous", claimed, key), lambda _key: [], b"", anonymous=True
    )
