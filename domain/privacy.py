"""What may not reach the community: secrets, paths, addresses, links and code."""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.sameness import folded


class Sign(NamedTuple):
    """A reason to refuse a text."""

    kind: str
    words: str


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
        Sign("secret", "it contains a secret"),
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

    They are looked at as they stand and in folded form, so that letters of another width, or ones
    without a look of their own, hide nothing.
    """
    looks = [*texts, *map(folded, texts)]
    return [sign for sign, pattern in _SIGNS if any(pattern.search(text) for text in looks)]
