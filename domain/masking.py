"""Text that others are to read, masked: secrets, and what tells who and where somebody is.

Besides `domain.redaction`, which knows secrets: the session's own folder becomes `.`, home folders
become `~`, e-mail addresses and addresses in private networks are named by their kind. Names of
people in plain words stay; nothing can tell them from other words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.redaction import redact

_MARK: Final = re.compile(r"\[redacted:([a-z0-9-]{1,60})\]")
_NAME: Final = r"[^/\\\s\"'`:;,<>|*?()\[\]{}]{1,100}"
_HOME: Final = re.compile(
    rf"(?<![A-Za-z0-9.])(?:/var|/export|/mnt/[a-z])?/(?:home|Users)/{_NAME}"
    r"|(?<![A-Za-z0-9./~])/root(?![A-Za-z0-9_.-])"
    rf"|(?<![A-Za-z0-9])[A-Za-z]:[\\/]{{1,4}}Users[\\/]{{1,4}}{_NAME}"
)
# Claude Code's and the session scripts' names of folders: a whole path with dashes in it.
_ENCODED: Final = re.compile(
    r"(?<![A-Za-z0-9-])(?:-home|-Users|[A-Za-z]--Users)-[A-Za-z0-9-]{1,250}"
)
_EMAIL: Final = re.compile(
    r"(?<![A-Za-z0-9._%+-])(?!git@)[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}"
    r"[A-Za-z]{2,24}(?![A-Za-z0-9])(?!:[A-Za-z~/])"
)
_PRIVATE_ADDRESS: Final = re.compile(
    r"(?<![\d.])(?:10(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}"
    r"|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2})(?!\.?\d)"
)
_AFTER_FOLDER: Final = r"(?![A-Za-z0-9_-])"
_RULES: Final = (
    ("home-folder", _HOME, "~"),
    ("folder", _ENCODED, "[redacted:folder]"),
    ("email-address", _EMAIL, "[redacted:email-address]"),
    ("private-address", _PRIVATE_ADDRESS, "[redacted:private-address]"),
)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text that others may read."""

    text: str
    counts: Mapping[str, int]
    """How often each kind was masked."""


class Mask:
    """Masks the texts of one session, whose folder it knows."""

    def __init__(self, folder: str | None) -> None:
        self._own: list[tuple[str, re.Pattern[str], str]] = []
        folder = (folder or "").rstrip("/\\")
        if home := _HOME.match(folder):
            # The own home is known letter by letter, so it is found wherever it stands.
            for name, path, mask in (("folder", folder, "."), ("home-folder", home.group(), "~")):
                pattern = re.escape(path).replace(r"\\", r"\\{1,4}") + _AFTER_FOLDER
                self._own.append((name, re.compile(pattern), mask))
        elif len(folder) > 1:
            self._own.append(("folder", re.compile(re.escape(folder) + _AFTER_FOLDER), "."))

    def __call__(self, text: str) -> Masked:
        """The text masked; takes time linear in its length."""
        counts = Counter(_MARK.findall(redacted := redact(text).text))
        counts.subtract(_MARK.findall(text))
        for name, pattern, mask in (*self._own, *_RULES):
            redacted, number = pattern.subn(mask, redacted)
            counts[name] += number
        return Masked(redacted, {name: n for name, n in counts.items() if n > 0})
