"""What can go wrong between a member, its team-mates and the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class E2EError(Exception):
    """The root of everything that this module raises on purpose."""


class ServerError(E2EError):
    """The server refused; `kind` is the type of the problem, such as `Conflict`."""

    def __init__(self, kind: str, message: str, problems: Sequence[Any] = ()) -> None:
        super().__init__(f"{kind}: {message}" + "".join(f"; {p}" for p in problems))
        self.kind = kind


class Tampered(E2EError):  # noqa: N818 - it says what is known of what came
    """What came is not what its author made: a signature, a tag or a digest is wrong."""


class RolledBack(Tampered):
    """What came is older than what this client has seen of the same thing."""


class KeysChanged(E2EError):  # noqa: N818 - as above
    """Somebody has other public keys than those that are pinned: compare fingerprints."""

    def __init__(self, account: str, fingerprint: str) -> None:
        super().__init__(f"The keys of {account} are now {fingerprint}: ask that person")
        self.account = account
        self.fingerprint = fingerprint


class Unverified(E2EError):  # noqa: N818 - as above
    """A team key was to be wrapped for keys that nobody here has verified."""

    def __init__(self, accounts: Sequence[str]) -> None:
        super().__init__("Verify the keys of these members first: " + ", ".join(accounts))
        self.accounts = tuple(accounts)


class NoKey(E2EError):  # noqa: N818 - as above
    """This member has not been given the team key that this needs."""
