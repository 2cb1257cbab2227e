"""Secrets in text, masked: for whatever is about to be shared or stored for others.

A mask names the kind (`[redacted:github-token]`), so that a reader sees what stood there. Redacting
twice changes nothing more. No list is complete: what looks like plain words, or like a hash without
a name in front that speaks of a secret, stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.secret_kinds import KINDS, Kind

_OPEN = "[redacted:"
_PLACES = {
    mark: tuple(place for place, kind in enumerate(KINDS) if mark in kind.marks)
    for mark in sorted({mark for kind in KINDS for mark in kind.marks})
}
"""Which kinds each mark speaks for."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its secrets."""

    text: str
    kinds: tuple[str, ...]
    """The kinds that were masked, each once, in alphabetical order; empty when nothing was."""


def suspected(text: str, among: Sequence[Kind] = KINDS) -> tuple[Kind, ...]:
    """Those of the kinds that may occur in `text`: a mark of theirs does.

    Of many short texts it is asked about all of them at once, joined by line ends.
    """
    lowered = text.lower()
    if among is KINDS:
        words = " ".join(set(lowered.split()))
        places = {
            place
            for mark, places in _PLACES.items()
            if mark in (lowered if " " in mark else words)
            for place in places
        }
        among = [KINDS[place] for place in sorted(places)]
    return tuple([kind for kind in among if _possible(kind, lowered)])


def redact(text: str, among: Sequence[Kind] = KINDS) -> Redacted:
    """Mask every secret that is recognised in `text`; takes time linear in its length.

    `among` says which kinds may occur at all, where `suspected` was asked before.
    """
    found: set[str] = set()
    for kind in suspected(text, among):
        text = _masked(kind, text, found)
    return Redacted(text, tuple(sorted(found)))


def _possible(kind: Kind, lowered: str) -> bool:
    for mark in kind.marks:
        if mark in lowered:
            hint = kind.hints.get(mark)
            if hint is None or hint.search(lowered) or not lowered.isascii():
                return True
    return False


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
