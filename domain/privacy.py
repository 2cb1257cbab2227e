"""What may not reach the community: secrets, paths, addresses, links and code.

Stricter than `domain.redaction`, whose secrets are among them: what is refused can be said in other
words, what strangers have seen cannot be taken back.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.redaction import redact
from domain.sameness import folded, unified


class Sign(NamedTuple):
    """A reason to refuse a text."""

    kind: str
    words: str


SECRET = Sign("secret", "it contains a secret")
WORDLESS = Sign("wordless", "it says nothing in words")
_SIGNS: tuple[tuple[Sign, re.Pattern[str]], ...] = (
    (
        Sign("link", "it contains a link"),
        re.compile(r"\b[a-z][a-z0-9+.\-]{1,20}://\S|\bwww\.[\w\-]+\.\w", re.IGNORECASE),
    ),
    (
        Sign("email", "it contains an e-mail address"),
        re.compile(r"[\w.+\-]+@[\w\-]+\.[\w.\-]+"),
    ),
    (
        Sign("path", "it contains a file path"),
        re.compile(
            r"(?:^|[\s\"'`(=])(?:~|\.{1,2})?/(?:[\w.\-]+/)+[\w.\-]*|\b[A-Za-z]:\\\w|\\\\\w+\\\w"
        ),
    ),
    (
        Sign("address", "it contains an IP address"),
        re.compile(
            r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-f]{1,4}:){3,7}:?[0-9a-f]{1,4}\b", re.IGNORECASE
        ),
    ),
    (
        Sign("code", "it contains code"),
        re.compile(r"```|^\s*(?:def |class |import |#include|function )", re.MULTILINE),
    ),
    (
        Sign("private_key", "it contains a private key"),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----", re.IGNORECASE),
    ),
    (
        SECRET,
        re.compile(
            r"\b(?:sk-[\w\-]{16,}|gh[pousr]_\w{20,}|xox[abprs]-[\w\-]{10,}|AKIA[0-9A-Z]{16}"
            r"|eyJ[\w\-]{10,}\.[\w\-]{10,}|[0-9a-f]{40,})\b"
            r"|(?:password|passwd|secret|token|api[_-]?key)\s*[:=]\s*\S{6,}",
            re.IGNORECASE,
        ),
    ),
)


def signs_in(*texts: str) -> list[Sign]:
    """Why these texts may not be shared with strangers; empty when they may.

    They are looked at as they stand, unified and folded, so that letters of another width, or ones
    without a look of their own, hide nothing.
    """
    forms = dict.fromkeys((*texts, *map(unified, texts)))
    looks = dict.fromkeys((*forms, *map(folded, texts)))
    found = [sign for sign, pattern in _SIGNS if any(pattern.search(text) for text in looks)]
    if SECRET not in found and any(redact(text).kinds for text in forms):
        found.append(SECRET)
    return found
