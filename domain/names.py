"""How accounts are called: e-mail addresses and usernames, each in one spelling.

Usernames are compared after NFKC and case folding (Unicode Standard Annex 15 and chapter 3.13), and
two kinds of names that pass for others are refused: names that mix scripts ("paypal" with a
Cyrillic a), and names wholly in Cyrillic or Greek letters that all look like Latin ones ("coco").
That is the gist of Unicode Technical Standard 39 with a small table. It does not catch look-alikes
within one script (`rn` and `m`, `l` and `1`), nor Armenian or Cherokee ones.
"""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, StringConstraints

from domain.inputs import Storable

USERNAME_MAX = 64
_MARKS = frozenset("_.@+-")
_LIKE_LATIN = frozenset("авеѕікмнорстухһԁԛԝјґ" + "αοικνρτυχγω")
_WRITTEN_TOGETHER = (
    frozenset({"HIRAGANA", "KATAKANA", "CJK"}),
    frozenset({"HANGUL", "CJK"}),
    frozenset({"BOPOMOFO", "CJK"}),
)


def normal_email(address: str) -> str:
    """The address as it is kept. Raises ValueError with a sentence about what is wrong."""
    try:
        checked = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(f"must be an e-mail address: {error}") from None
    return checked.normalized


def email_key(address: str) -> str:
    """What all spellings of one address have in common: case, width, `xn--` or the letters."""
    with suppress(ValueError):
        address = normal_email(address)
    return unicodedata.normalize("NFKC", address).casefold()


def normal_username(name: str) -> str:
    """The name as it is kept. Raises ValueError with a sentence about what is wrong."""
    normal = unicodedata.normalize("NFKC", name)
    fits = 0 < len(normal) <= USERNAME_MAX and all(c.isalnum() or c in _MARKS for c in normal)
    if not fits or not (normal[0].isalnum() or normal[0] == "_"):
        raise ValueError(
            "must be 1 to 64 letters, digits or . _ - @ +, beginning with a letter or digit"
        )
    letters = [c for c in normal if not c.isascii() or c.isalpha()]
    scripts = {_script(c) for c in letters}
    if len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER):
        raise ValueError("must not mix scripts: some of its letters could be taken for others")
    if letters and set(username_key("".join(letters))) <= _LIKE_LATIN:
        raise ValueError("could be taken for a name in Latin letters")
    return normal


def username_key(name: str) -> str:
    """What all spellings of one username have in common."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _script(character: str) -> str:
    """The script of a letter or digit, by the first word of its name: `LATIN`, `CYRILLIC`."""
    word = unicodedata.name(character, "UNNAMED").replace("-", " ").partition(" ")[0]
    return {"IDEOGRAPHIC": "CJK", "EXTENDED": "ARABIC"}.get(word, word)


EmailAddress = Annotated[Storable, StringConstraints(max_length=255), AfterValidator(normal_email)]
Username = Annotated[Storable, AfterValidator(normal_username)]
