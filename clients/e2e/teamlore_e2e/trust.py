"""What this member believes, in a local file: pinned keys, and epochs and revisions seen.

The server is not asked who somebody is twice: keys that it shows for the first time are pinned, and
other ones later are refused until a person has compared them. Reading needs pinned keys; wrapping a
team key for somebody needs verified ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from pathlib import Path
from typing import Any

from teamlore_e2e.encoding import b64, unb64
from teamlore_e2e.errors import KeysChanged, RolledBack, Tampered
from teamlore_e2e.identity import PublicKeys


@dataclass
class Pinned:
    """All keys of one account that were ever accepted here, the current ones last."""

    keys: list[PublicKeys]
    verified: bool = False
    """Whether a person has compared the current ones."""


@dataclass
class Trust:
    """Pins of one member. Without a path nothing is kept beyond the process."""

    path: Path | None = None
    pins: dict[str, Pinned] = field(default_factory=dict)
    epochs: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By team: the newest epoch that was seen, and the digest of its statement."""
    revisions: dict[str, int] = field(default_factory=dict)
    """By team and entry: the newest revision that was seen."""

    @classmethod
    def load(cls, path: Path) -> Trust:
        """The pins of a file; none when there is no such file yet."""
        if not path.exists():
            return cls(path)
        content = json.loads(path.read_text())
        pins = {
            account: Pinned([_keys(account, k) for k in pin["keys"]], pin["verified"])
            for account, pin in content["pins"].items()
        }
        epochs = {team: (number, digest) for team, (number, digest) in content["epochs"].items()}
        return cls(path, pins, epochs, content["revisions"])

    def save(self) -> None:
        """Write the file, if there is one: whole or not at all."""
        if self.path is None:
            return
        pins = {
            account: {"keys": [_plain(keys) for keys in pin.keys], "verified": pin.verified}
            for account, pin in self.pins.items()
        }
        content = {"pins": pins, "epochs": self.epochs, "revisions": self.revisions}
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(content))
        new.replace(self.path)

    def see(self, history: Sequence[PublicKeys]) -> None:
        """Pin an account's keys at first sight, newest first with those before them.

        Raises KeysChanged when the newest are others than the pinned ones.
        """
        if not history:
            return
        keys = history[0]
        pin = self.pins.get(keys.account)
        if pin is None:
            self.pins[keys.account] = Pinned(list(reversed(history)))
            self.save()
        elif not _same(pin.keys[-1], keys):
            raise KeysChanged(keys.account, keys.fingerprint)

    def verify(self, keys: PublicKeys, fingerprint: str) -> None:
        """Take keys over whose fingerprint the person has told over another channel.

        This is also how somebody's new keys are accepted; the old ones stay, for what was signed
        with them. Raises Tampered when the fingerprint is not that of the keys.
        """
        if not compare_digest(keys.fingerprint, "".join(fingerprint.split()).lower()):
            raise Tampered(f"The keys of {keys.account} have another fingerprint")
        pin = self.pins.setdefault(keys.account, Pinned([keys]))
        if not _same(pin.keys[-1], keys):
            pin.keys.append(keys)
        pin.verified = True
        self.save()

    def is_verified(self, keys: PublicKeys) -> bool:
        """Whether a person has compared exactly these keys."""
        pin = self.pins.get(keys.account)
        return pin is not None and pin.verified and _same(pin.keys[-1], keys)

    def signed_by(self, account: str, signed: bytes, signature: bytes) -> PublicKeys:
        """Which pinned keys of that account have signed this. Raises Tampered when none has."""
        for keys in reversed(self.pins[account].keys if account in self.pins else ()):
            try:
                keys.verify(signed, signature)
            except Tampered:
                continue
            return keys
        raise Tampered(f"This is not signed by {account}")

    def see_epochs(self, team: str, digests: Iterable[str]) -> None:
        """Note a team's epochs, oldest first. Raises RolledBack when one that was seen is gone."""
        shown = list(digests)
        number, digest = self.epochs.get(team, (0, ""))
        if len(shown) < number or (number and shown[number - 1] != digest):
            raise RolledBack(f"The server hides or has replaced epoch {number} of the team")
        if len(shown) > number:
            self.epochs[team] = (len(shown), shown[-1])
            self.save()

    def see_revision(self, team: str, entry: str, revision: int) -> None:
        """Note an entry's revision. Raises RolledBack for an older one than was seen."""
        key = f"{team}/{entry}"
        if revision < self.revisions.get(key, 0):
            raise RolledBack(f"The server shows an old revision of {entry}")
        self.revisions[key] = revision


def _same(one: PublicKeys, other: PublicKeys) -> bool:
    return (one.number, one.fingerprint) == (other.number, other.fingerprint)


def _plain(keys: PublicKeys) -> list[Any]:
    return [keys.number, b64(keys.wrapping), b64(keys.signing), b64(keys.proof)]


def _keys(account: str, plain: list[Any]) -> PublicKeys:
    number, wrapping, signing, proof = plain
    return PublicKeys(account, number, unb64(wrapping), unb64(signing), unb64(proof))
