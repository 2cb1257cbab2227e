"""Credentials as strings: signed tokens, API keys and invitation tokens.

Tokens are JWTs (RFC 7519) signed with HS256; the key id in their header lets a future rotation tell
keys apart, and the account's epoch in their body lets all of them be revoked at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import jwt

from domain.errors import Unauthenticated

KEY_BYTES = 32
PREFIX_LENGTH = 8
KEPT_TOKENS = 4096
EXPIRED = "The token has expired: log in again"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    account_id: UUID
    epoch: int
    expires_at: float
    """Seconds since 1970."""


class Tokens:
    """Signs and reads tokens with one secret."""

    def __init__(self, secret: str, lifetime: timedelta) -> None:
        self._secret = secret.encode()
        self._key_id = hashlib.sha256(b"key id:" + self._secret).hexdigest()[:16]
        self._lifetime = lifetime
        self._recent: OrderedDict[bytes, Claims] = OrderedDict()

    def sign(self, account_id: UUID, epoch: int) -> str:
        """A token for the account, good for the configured lifetime."""
        now = time.time()
        body = {
            "sub": str(account_id),
            "epoch": epoch,
            "iat": int(now),
            "exp": int(now + self._lifetime.total_seconds()),
        }
        return jwt.encode(body, self._secret, algorithm="HS256", headers={"kid": self._key_id})

    def read(self, token: str) -> Claims:
        """What the token says. Raises Unauthenticated when it is forged, broken or too old.

        A signature that was right stays right, so those of the newest tokens are checked once.
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._recent.get(digest)
        if claims is None:
            claims = self._recent[digest] = self._checked(token)
            if len(self._recent) > KEPT_TOKENS:
                self._recent.popitem(last=False)
        elif claims.expires_at <= time.time():
            raise Unauthenticated(EXPIRED)
        return claims

    def _checked(self, token: str) -> Claims:
        try:
            body = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                options={"require": ["exp", "sub", "epoch"]},
            )
            return Claims(UUID(body["sub"]), int(body["epoch"]), float(body["exp"]))
        except jwt.ExpiredSignatureError:
            raise Unauthenticated(EXPIRED) from None
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise Unauthenticated("The token is not valid") from None

    def derive(self, purpose: str) -> bytes:
        """A key for another purpose, that does not reveal the secret."""
        return hmac.digest(self._secret, purpose.encode(), "sha256")


def new_key() -> str:
    """A new API key: 64 lowercase hexadecimal characters."""
    return secrets.token_hex(KEY_BYTES)


def new_link_token() -> str:
    """A new single-use token for a link."""
    return secrets.token_urlsafe(24)


def digest(secret: str) -> bytes:
    """What is stored of a key or a link's token: its SHA-256."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
