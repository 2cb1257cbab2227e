"""Secrets in text, masked: for whatever is about to be shared or stored for others.

A mask names the kind (`[redacted:github-token]`), so that a reader sees what stood there. Redacting
twice changes nothing more. No list is complete: what looks like plain words, or like a hash without
a name in front that speaks of a secret, stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.secret_kinds import KINDS, Kind

_OPEN = "[redacted:"


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its secrets."""

    text: str
    kinds: tuple[str, ...]
    """The kinds that were masked, each once, in alphabetical order; empty when nothing was."""


def redact(text: str) -> Redacted:
    """Mask every secret that is recognised in `text`; takes time linear in its length."""
    lowered = text.lower()
    found: set[str] = set()
    for kind in KINDS:
        if any(mark in lowered for mark in kind.marks):
            text = _masked(kind, text, found)
    return Redacted(text, tuple(sorted(found)))


def _masked(kind: Kind, text: str, found: set[str]) -> str:
    def mask(match: re.Match[str]) -> str:
        begin, end = _span(match)
        secret = text[begin:end]
        if _OPEN in secret or not kind.check(match):
            return match.group()
        found.add(kind.name)
        return f"{text[match.start() : begin]}{_OPEN}{kind.name}]{text[end : match.end()]}"

    return kind.pattern.sub(mask, text)


def _span(match: re.Match[str]) -> tuple[int, int]:
    """Where the secret itself stands: a group, else the whole match."""
    for name in ("secret", "quoted", "bare"):
        if name in match.re.groupindex and match.group(name) is not None:
            return match.span(name)
    return match.span()
