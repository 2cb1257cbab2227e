"""How often somebody may guess a password: per account and address, counted before each guess.

Every attempt is counted before the password is looked at and taken back when it was right, so that
a thousand aliased, or a thousand parallel, log-ins are a thousand attempts. Who reaches the limit
waits for a window, and twice as long each time it happens again (exponential back-off).

An address has a limit over all accounts, against trying one password on many; an account has one
over all addresses, which those do not feel who have logged in from theirs before.
"""

from __future__ import annotations

import hmac
from typing import Final

from db import login_attempts as rows
from db.claims import NOBODY
from db.engine import Database
from db.login_attempts import Count, Keys
from domain.errors import RateLimited

WINDOW_SECONDS: Final = 15 * 60.0
KNOWN_SECONDS: Final = 90 * 24 * 3600.0
STRIKES_MAX: Final = 5
"""A wait is never longer than 32 windows, eight hours."""
ACCOUNT_TIMES: Final = 5
ADDRESS_TIMES: Final = 50
"""The limits of an account and of an address, in limits of a pair."""
TOO_MANY: Final = "Too many failed log-ins: wait before the next attempt"


class LoginAttempts:
    """Counts attempts in the database, under digests that only this server can make."""

    def __init__(self, db: Database, secret: bytes, most: int, refusal: str = TOO_MANY) -> None:
        self._db, self._secret, self._most = db, secret, most
        self._refusal = refusal

    async def begin(self, account: str, address: str) -> None:
        """Count an attempt. Raises RateLimited when there were too many of late."""
        keys = self._keys(account, address)
        async with self._db.begin(NOBODY) as connection:
            made = await rows.begin(connection, keys, WINDOW_SECONDS, self._most)
            wait = 0.0
            for key, count, most in (
                (keys.pair, made.pair, self._most),
                (keys.address, made.address, self._most * ADDRESS_TIMES),
            ):
                if count is not None and count.tries > most:
                    seconds = count.seconds
                    if count.tries == most + 1:
                        seconds = _block_seconds(count)
                        await rows.strike(connection, key, seconds)
                    wait = max(wait, seconds)
            if _is_over(made.account, self._most * ACCOUNT_TIMES) and not made.known:
                wait = max(wait, made.account.seconds if made.account else 0.0)
        if wait:
            raise RateLimited(max(1.0, wait), self._refusal)

    async def succeeded(self, account: str, address: str) -> None:
        """The password was right: the attempt does not count."""
        async with self._db.begin(NOBODY) as connection:
            await rows.succeeded(connection, self._keys(account, address), KNOWN_SECONDS)

    def _keys(self, account: str, address: str) -> Keys:
        return Keys(
            self._digest("pair", account, address),
            self._digest("account", account),
            self._digest("address", address),
        )

    def _digest(self, *parts: str) -> bytes:
        said = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, said, "sha256")


def _is_over(count: Count | None, most: int) -> bool:
    return count is not None and count.tries > most


def _block_seconds(count: Count) -> float:
    return WINDOW_SECONDS * float(2 ** min(count.strikes, STRIKES_MAX))


async def sweep(db: Database) -> int:
    """Forget attempts of long ago; how many counts."""
    async with db.begin(NOBODY) as connection:
        return await rows.forget(connection)
