"""What may not reach the community: secrets, paths, addresses, links and code."""

from __future__ import annotations

import re

_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("it contains a link", re.compile(r"\b[a-z][a-z0-9+.\-]{1,20}://\S", re.IGNORECASE)),
    ("it contains an e-mail address", re.compile(r"[\w.+\-]+@[\w\-]+\.[\w.\-]+")),
    (
        "it contains a file path",
        re.compile(r"(?:^|[\s\"'`(=])(?:~|\.{1,2})?/(?:[\w.\-]+/)+[\w.\-]*|\b[A-Za-z]:\\\w"),
    ),
    ("it contains an IP address", re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")),
    (
        "it contains code",
        re.compile(r"```|^\s*(?:def |class |import |#include|function )", re.MULTILINE),
    ),
    ("it contains a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    (
        "it contains a secret",
        re.compile(
            r"\b(?:sk-[\w\-]{16,}|gh[pousr]_\w{20,}|xox[abprs]-[\w\-]{10,}|AKIA[0-9A-Z]{16}"
            r"|eyJ[\w\-]{10,}\.[\w\-]{10,}|[0-9a-f]{40,})\b"
            r"|(?:password|passwd|secret|token|api[_-]?key)\s*[:=]\s*\S{6,}",
            re.IGNORECASE,
        ),
    ),
)


def reasons_to_refuse(*texts: str) -> list[str]:
    """Why these texts may not be shared with strangers; empty when they may."""
    return [reason for reason, sign in _SIGNS if any(sign.search(text) for text in texts)]
