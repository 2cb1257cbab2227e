"""A member's own keys, and other members' public ones."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from nacl.exceptions import BadSignatureError, CryptoError
from nacl.public import PrivateKey
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.signing import SigningKey, VerifyKey

from teamlore_e2e.encoding import CONTEXT, b64, statement, unb64, uuid_of
from teamlore_e2e.errors import E2EError, Tampered

_GROUPS, _GROUP_BYTES = 12, 5


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What a member lets others know."""

    account: str
    number: int
    wrapping: bytes
    signing: bytes
    proof: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 over account and keys, in hexadecimal."""
        told = f"{CONTEXT}fingerprint\0".encode() + UUID(self.account).bytes
        return hashlib.sha256(told + self.wrapping + self.signing).hexdigest()

    def check(self) -> None:
        """Raises Tampered unless the signing key has signed account, number and both keys."""
        self.verify(_proven(self.account, self.number, self.wrapping, self.signing), self.proof)

    def verify(self, signed: bytes, signature: bytes) -> None:
        """Raises Tampered unless this member's signing key has signed that."""
        try:
            VerifyKey(self.signing).verify(signed, signature)
        except (BadSignatureError, ValueError, TypeError):
            raise Tampered(f"This is not signed by {self.account}") from None

    @classmethod
    def received(cls, account: str, node: dict[str, Any]) -> PublicKeys:
        """Keys as the server tells them, with their proof checked. Raises Tampered."""
        wrapping, signing = unb64(node["wrappingKey"]), unb64(node["signingKey"])
        keys = cls(uuid_of(account), node["number"], wrapping, signing, unb64(node["proof"]))
        keys.check()
        return keys


def safety_number(one: PublicKeys, other: PublicKeys) -> str:
    """Twelve groups of five digits that two members compare over another channel.

    It is the same for both, and another one when either sees other keys than the other has.
    """
    both = "".join(sorted((one.fingerprint, other.fingerprint)))
    digest = hashlib.sha512(f"{CONTEXT}safety-number\0{both}".encode()).digest()
    starts = range(0, _GROUPS * _GROUP_BYTES, _GROUP_BYTES)
    groups = (int.from_bytes(digest[i : i + _GROUP_BYTES], "big") % 100_000 for i in starts)
    return " ".join(f"{group:05}" for group in groups)


class Identity:
    """A member's private keys. Whoever loses them loses what is sealed for them."""

    def __init__(self, account: str, number: int, wrapping: bytes, signing: bytes) -> None:
        self.account = uuid_of(account)
        self.number = number
        self.private = PrivateKey(wrapping)
        self._signing = SigningKey(signing)

    @classmethod
    def generate(cls, account: str, number: int = 1) -> Identity:
        """New keys for an account; `number` is one more than that of its keys so far."""
        return cls(account, number, bytes(PrivateKey.generate()), bytes(SigningKey.generate()))

    @property
    def public(self) -> PublicKeys:
        """What others may know."""
        wrapping, signing = bytes(self.private.public_key), bytes(self._signing.verify_key)
        proof = self.sign(_proven(self.account, self.number, wrapping, signing))
        return PublicKeys(self.account, self.number, wrapping, signing, proof)

    def sign(self, what: bytes) -> bytes:
        """The Ed25519 signature, 64 bytes."""
        return self._signing.sign(what).signature

    def save(self, path: Path, passphrase: bytes) -> None:
        """Keep the keys in a file, encrypted under a passphrase (Argon2id, XSalsa20-Poly1305)."""
        salt = os.urandom(argon2id.SALTBYTES)
        secret = b64(bytes(self.private)), b64(bytes(self._signing))
        sealed = SecretBox(_stretched(passphrase, salt)).encrypt(json.dumps(secret).encode())
        content = {"account": self.account, "number": self.number}
        content |= {"salt": b64(salt), "sealed": b64(bytes(sealed))}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file)

    @classmethod
    def load(cls, path: Path, passphrase: bytes) -> Identity:
        """The keys of a file. Raises E2EError for a wrong passphrase."""
        content = json.loads(path.read_text())
        key = _stretched(passphrase, unb64(content["salt"]))
        try:
            opened = SecretBox(key).decrypt(unb64(content["sealed"]))
        except CryptoError:
            raise E2EError("The passphrase is wrong, or the file is damaged") from None
        wrapping, signing = (unb64(text) for text in json.loads(opened))
        return cls(content["account"], content["number"], wrapping, signing)


def _proven(account: str, number: int, wrapping: bytes, signing: bytes) -> bytes:
    keys = {"wrapping": wrapping.hex(), "signing": signing.hex()}
    return statement("public-keys", account=account, number=number, **keys)


def _stretched(passphrase: bytes, salt: bytes) -> bytes:
    limits = argon2id.OPSLIMIT_INTERACTIVE, argon2id.MEMLIMIT_INTERACTIVE
    return argon2id.kdf(SecretBox.KEY_SIZE, passphrase, salt, *limits)
