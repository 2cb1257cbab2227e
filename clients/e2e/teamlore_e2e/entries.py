"""Entries: sealed with XChaCha20-Poly1305, signed by their author inside, found by keyed tokens.

The associated data binds an entry to its place: team, id, kind, author, epoch and revision.
"""

from __future__ import annotations

import hmac
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nacl.bindings import sodium_pad, sodium_unpad
from nacl.exceptions import CryptoError
from nacl.secret import Aead
from nacl.utils import random

from teamlore_e2e.encoding import statement
from teamlore_e2e.errors import Tampered
from teamlore_e2e.identity import Identity
from teamlore_e2e.team_key import TeamKey
from teamlore_e2e.trust import Trust

SIGNATURE_BYTES = 64
TOKEN_BYTES, TOKENS_MAX = 16, 512
PADDED_TO = 256
"""Bytes: the length of an entry shows in steps of this."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry belongs; the server knows it, and cannot change it."""

    team: str
    id: str
    kind: str
    author: str
    epoch: int
    revision: int

    @property
    def bound(self) -> bytes:
        """The associated data."""
        return statement(
            "entry",
            team=self.team,
            id=self.id,
            kind=self.kind,
            author=self.author,
            epoch=self.epoch,
            revision=self.revision,
        )


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry as the server gets it."""

    place: Place
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as members see it."""

    place: Place
    fields: Mapping[str, Any]


def seal(place: Place, fields: Mapping[str, Any], key: TeamKey, author: Identity) -> Sealed:
    """Encrypt an entry. Its author's signature is inside, so that team-mates cannot pass as it."""
    text = json.dumps(fields, ensure_ascii=False).encode()
    inside = sodium_pad(author.sign(place.bound + text) + text, PADDED_TO)
    nonce = random(Aead.NONCE_SIZE)
    sealed = Aead(key.content).encrypt(inside, place.bound, nonce)
    return Sealed(place, nonce, sealed.ciphertext)


def open_sealed(sealed: Sealed, key: TeamKey, trust: Trust) -> Entry:
    """Decrypt an entry and check whose it is. Raises Tampered."""
    place = sealed.place
    if (key.team, key.epoch) != (place.team, place.epoch):
        raise Tampered("This is the key of another team or epoch")
    try:
        inside = Aead(key.content).decrypt(sealed.ciphertext, place.bound, sealed.nonce)
        plain = sodium_unpad(inside, PADDED_TO)
    except (CryptoError, ValueError, TypeError):
        raise Tampered(f"{place.id} is not what its author sealed, or not in its place") from None
    signature, text = plain[:SIGNATURE_BYTES], plain[SIGNATURE_BYTES:]
    trust.signed_by(place.author, place.bound + text, signature)
    return Entry(place, json.loads(text))


def words(text: str) -> set[str]:
    """The words of a text, in one form: NFKC, folded case, letters and digits of any script."""
    return set(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def token(key: TeamKey, word: str) -> bytes:
    """HMAC-SHA256 of a word under the epoch's search key, cut to 16 bytes."""
    return hmac.digest(key.search, word.encode(), "sha256")[:TOKEN_BYTES]


def tokens_of(key: TeamKey, fields: Mapping[str, Any]) -> bytes:
    """The tokens of an entry's words, one behind the other; their order says nothing.

    Of more than 512 words, as many as there is room for.
    """
    found = {word for text in _texts(fields) for word in words(text)}
    return b"".join(sorted(token(key, word) for word in sorted(found)[:TOKENS_MAX]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
