"""Password hashing in a small bounded thread pool, so that log-ins cannot starve everything else.

bcrypt over an HMAC-SHA-256 of the password (passlib's `bcrypt_sha256`, version 2), so that nothing
is cut at 72 bytes and NUL is harmless.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from passlib.hash import bcrypt_sha256


class Passwords:
    """Hashes and verifies; `rounds` is the base-2 logarithm of bcrypt's cost."""

    def __init__(self, rounds: int, threads: int = 2) -> None:
        self._scheme = bcrypt_sha256.using(rounds=rounds)  # type: ignore[no-untyped-call]  # the stubs leave it out
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="bcrypt")
        self._decoy: str = self._scheme.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        """The string to store."""
        loop = asyncio.get_running_loop()
        hashed: str = await loop.run_in_executor(self._threads, self._scheme.hash, password)
        return hashed

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether `password` is the one that was stored.

        Without a stored one the answer is False, after the same work.
        """
        loop = asyncio.get_running_loop()
        matches: bool = await loop.run_in_executor(
            self._threads, self._scheme.verify, password, stored or self._decoy
        )
        return matches and stored is not None

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
