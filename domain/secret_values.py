"""Whether what stands where a secret would stand is one: no placeholder, no code, no plain word."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable

Check = Callable[[re.Match[str]], bool]

_PLACEHOLDER = re.compile(
    r"(?i)example|changeme|change_me|placeholder|your[_-]|^your|redacted|dummy|x{4}|\*{3}|\.{3}|…|"
    r"\$\{|\{\{|%\(|^\$|^<|^%[a-z_]+%?$|process\.env|environ|getenv|^env\.|secrets\.|^vault:|"
    r"^(?:password|passwd|pass|pwd|pw|secret|token|none|null|true|false|undefined|string|required)$"
)
_NO_SECRET = re.compile(
    r"(?i)(?:digest|hash|length|len|size|count|limit|type|url|uri|path|file|name|ttl|expir\w*|"
    r"field|header|prefix|pattern|regex|usage|endpoint|bucket|max|min|budget|index|number|at|"
    r"version|format|policy|strength|id)$"
)
"""Names that end so hold something about a secret."""
_CODE = re.compile(r"^(?:[A-Za-z_$][\w$]*(?:\.|->|::|\[))+[A-Za-z_$][\w$]*$|://|^/|^\.{1,2}/|^@")
_VERSION = re.compile(r"^v?\d+(?:[.:/-]\d+)+$")


def any_value(match: re.Match[str]) -> bool:
    """The form alone says it."""
    return not _PLACEHOLDER.search(_value(match)[-60:]) if match.re.groups else True


def mixed(match: re.Match[str]) -> bool:
    """Only what looks drawn by lot: letters and digits mixed up."""
    value = _value(match)
    return not _PLACEHOLDER.search(value) and _drawn(value, 2.8)


def password(match: re.Match[str]) -> bool:
    """Anything but a placeholder."""
    return not _PLACEHOLDER.search(_value(match))


def assigned(match: re.Match[str]) -> bool:
    """A value behind a name that speaks of a secret, when both look like it."""
    groups, value = match.groupdict(), _value(match)
    if _PLACEHOLDER.search(value) or _VERSION.match(value):
        return False
    if groups.get("more") and _NO_SECRET.search(groups["more"]):
        return False
    if _CODE.search(value) and not _drawn(value, 4.0):
        return False
    if groups.get("quoted"):
        personal = "pass" in groups["name"].lower() or "pwd" in groups["name"].lower()
        return _drawn(value, 2.0) if personal else len(value) >= 10 and _drawn(value, 2.8)
    return _drawn(value, 2.3 if groups.get("sign") == "=" else 2.8)


def _value(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return groups.get("secret") or groups.get("quoted") or groups.get("bare") or match.group()


def _drawn(value: str, bits: float) -> bool:
    """Whether it has letters and digits or signs in no order of words, and enough entropy."""
    digits = sum(character.isdigit() for character in value)
    letters = sum(character.isalpha() for character in value)
    signs = len(value) - digits - letters - sum(value.count(c) for c in "_-.:/")
    if not (digits or signs) or (not letters and len(value) < 12):
        return letters >= 20 and _entropy(value) > 3.9 and _capitals_inside(value)
    return _entropy(value) >= bits and not _words(value)


_WORDS = re.compile(r"^[A-Za-z]*(?:[_.:/-][A-Za-z]+)*\d{0,3}$")


def _words(value: str) -> bool:
    """An identifier such as `retry_token_v2` or `sha256`: words, perhaps with a number behind."""
    return bool(_WORDS.match(value)) and len(value) < 24 and any(c in "_.:/-" for c in value)


def _capitals_inside(value: str) -> bool:
    return sum(a.islower() and b.isupper() for a, b in itertools.pairwise(value)) >= 4


def _entropy(value: str) -> float:
    """Bits a character, by the value's own frequencies."""
    counts, length = Counter(value).values(), len(value)
    return -sum(n / length * math.log2(n / length) for n in counts)
