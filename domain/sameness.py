"""What two wordings have in common, and the words by which a text is found, in any script.

Texts are compared as Unicode's NFKC_Casefold does it (compatibility forms unified, case folded,
characters without a look of their own dropped; https://www.unicode.org/reports/tr44/), and then
without punctuation and runs of space. Scripts that put no spaces between words are found by pairs
of their letters.
"""

from __future__ import annotations

import re
import unicodedata

_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
# Letters of several scripts and pictures are joined and varied by these; the rest only hides text.
_HIDING = re.compile(f"(?![\u200c\u200d\ufe0e\ufe0f])(?:{_IGNORABLE.pattern})|[\u2066-\u2069]")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc]")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_OPERATORS = re.compile(r'"|(?:^|\s)-\S|(?:^|\s)or(?:\s|$)', re.IGNORECASE)
_WORD_MAX = 100


def unified(text: str) -> str:
    """A text with one form for each letter, and none that has no look of its own."""
    return unicodedata.normalize("NFKC", _IGNORABLE.sub("", text))


def folded(text: str) -> str:
    """A text without what makes no difference: case, forms of letters, runs of space."""
    text = unified(text).casefold()
    return " ".join(_IGNORABLE.sub("", unicodedata.normalize("NFKC", text)).split())


def legible(text: str) -> str:
    """A text as strangers may be shown it: as it is spelled, without characters that hide text.

    Tag characters, for one, are seen by no person, but read by every model.
    """
    return unicodedata.normalize("NFC", _HIDING.sub("", text)).strip()


def plain(text: str) -> str:
    """The same without punctuation: letters of every script, their marks, digits, symbols."""
    kept = _APOSTROPHES.sub("", folded(text))
    return " ".join(
        "".join(" " if unicodedata.category(c)[0] in "PZC" else c for c in kept).split()
    )


def terms(*texts: str) -> list[str]:
    """What texts are found by: each word; of unspaced scripts each letter and pair of letters."""
    found: set[str] = set()
    for word in " ".join(map(plain, texts)).split():
        found.update(part[:_WORD_MAX] for part in _UNSPACED.sub(" ", word).split())
        for run in _UNSPACED.findall(word):
            found.update(run)
            found.update(run[i : i + 2] for i in range(len(run) - 1))
    return sorted(found)


def wanted_terms(query: str) -> list[str] | None:
    """The terms that a match must have all of; None for a query that uses operators."""
    if _OPERATORS.search(query):
        return None
    found: set[str] = set()
    for word in plain(query).split():
        found.update(part[:_WORD_MAX] for part in _UNSPACED.sub(" ", word).split())
        for run in _UNSPACED.findall(word):
            found.update([run] if len(run) == 1 else (run[i : i + 2] for i in range(len(run) - 1)))
    return sorted(found)
