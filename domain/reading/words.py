"""The words of a text in any script, and what a person types to find them.

Letters, marks and digits make a word, case and compatibility forms folded; an underscore parts
words, as code needs it. Scripts that write no spaces are indexed by overlapping pairs of
characters (bigrams, as Lucene's CJK analyser does) plus the last one alone, so that any part of a
run is found. Every term carries its scope in front: the posting lists of the index are then those
of one scope, as with a key that leads with it.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

TERM_MAX: Final = 64
WORDS_MAX: Final = 16_000
"""PostgreSQL counts no position above 16,383."""
QUERY_TERMS_MAX: Final = 64
_SOLID: Final = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005\u3007"
    "\u3041-\u3096\u309d-\u30fa\u30fc-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)


def _ranges(wanted: Callable[[str], bool]) -> str:
    """The characters of the basic plane that are `wanted`, as the inside of a character class."""
    found: list[list[int]] = []
    for code in range(0x300, 0xD800):
        if wanted(chr(code)):
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in found)


_JOINERS: Final = "\u200c\u200d"
_MARKS: Final = _ranges(lambda char: unicodedata.category(char) in {"Mn", "Mc"}) + _JOINERS
_UNSPOKEN = re.compile(f"['\\\\{_JOINERS}]")
"""What joins letters, and what would end a term where PostgreSQL reads it."""
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(f"([{_SOLID}]+)|((?:[^\\W_{_SOLID}]+|[{_MARKS}]+)+)")
_PIECE = re.compile(r'(-(?=["\w]))?(?:"([^"]*)"?|(\S+))')


class Token(NamedTuple):
    """A term and where it stands in the text."""

    term: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The terms of a text in order."""
    for found in _WORD.finditer(text):
        start, end = found.span()
        if found[1] is None:
            if term := _folded(found[0])[:TERM_MAX]:
                yield Token(term, start, end)
        else:
            yield from _pairs(found[0], start)


def _pairs(run: str, start: int) -> Iterator[Token]:
    for index in range(len(run)):
        pair = run[index : index + 2]
        yield Token(_folded(pair), start + index, start + index + len(pair))


@lru_cache(maxsize=4096)
def _folded(word: str) -> str:
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKC", word).casefold()
    return _UNSPOKEN.sub("", plain)


def _terms(text: str) -> Iterator[str]:
    """The terms of `tokens` alone, which is what most of the time goes into."""
    if text.isascii():
        return (word[:TERM_MAX] for word in _ASCII_WORD.findall(text.lower()))
    return _terms_of_any_script(text)


def _terms_of_any_script(text: str) -> Iterator[str]:
    for run, word in _WORD.findall(text):
        if run:
            for index in range(len(run)):
                yield _folded(run[index : index + 2])
        elif word.isascii():
            yield word.lower()[:TERM_MAX]
        elif term := _folded(word)[:TERM_MAX]:
            yield term


def tag(scope_id: UUID) -> str:
    """What the terms of a scope begin with: short, for it is in every term.

    Of scopes that share one, rows are told apart by their `scope_id` as everywhere.
    """
    return base64.b32encode(scope_id.bytes[-5:]).decode().lower()[:4]


def vector(scope_tag: str, text: str) -> str:
    """The text's terms with their positions, as PostgreSQL writes a tsvector."""
    places: dict[str, list[str]] = {}
    for position, term in enumerate(_terms(text), 1):
        if position > WORDS_MAX:
            break
        places.setdefault(term, []).append(str(position))
    return " ".join(
        f"'{scope_tag}{term}':{','.join(found[:255])}" for term, found in places.items()
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody searches for."""

    pieces: Sequence[tuple[str, ...]]
    """Each one a run of terms that follow each other; all of them have to be there."""
    unwanted: Sequence[tuple[str, ...]]

    def tsquery(self, scope_tag: str) -> str | None:
        """As PostgreSQL writes a tsquery; None when nothing can match."""
        if not self.pieces:
            return None
        parts = [_phrase(scope_tag, piece) for piece in self.pieces]
        return " & ".join(parts + ["!" + _phrase(scope_tag, piece) for piece in self.unwanted])

    def hits(self, text: str) -> list[tuple[int, int]]:
        """Where the text has one of the pieces, term by term, in order."""
        found = list(tokens(text))
        places: set[tuple[int, int]] = set()
        for index in range(len(found)):
            for piece in self.pieces:
                run = found[index : index + len(piece)]
                if len(run) == len(piece) and all(map(_is_meant, run, piece)):
                    places.update((token.start, token.end) for token in run)
        return sorted(places)


def _is_meant(token: Token, term: str) -> bool:
    return token.term.startswith(term[:-1]) if term.endswith("*") else token.term == term


def wanted(query: str) -> Wanted:
    """Read a search box: words, "phrases", word* for a beginning, -word for what must not be.

    Nothing that can be typed is an error; where all is unwanted, all is wanted.
    """
    kept: tuple[list[tuple[str, ...]], list[tuple[str, ...]]] = ([], [])
    left = QUERY_TERMS_MAX
    for minus, phrase, word in _PIECE.findall(query):
        terms = _query_terms(word or phrase)[:left]
        left -= len(terms)
        if terms:
            kept[bool(minus)].append(terms)
    return Wanted(*kept) if kept[0] else Wanted(kept[1], ())


def _query_terms(text: str) -> tuple[str, ...]:
    found = list(tokens(text))
    if not found:
        return ()
    terms = [token.term for token in found]
    last = found[-1]
    if len(found) > 1 and last.start == found[-2].end - 1:
        terms.pop()  # the last character of a run: what is searched for may be longer
    elif text.endswith("*") or _is_single(text[last.start : last.end]):
        terms[-1] += "*"
    return tuple(terms)


def _is_single(word: str) -> bool:
    found = _WORD.fullmatch(word)
    return len(word) == 1 and found is not None and found[1] is not None


def _phrase(scope_tag: str, terms: Sequence[str]) -> str:
    quoted = (
        f"'{scope_tag}{term[:-1]}':*" if term.endswith("*") else f"'{scope_tag}{term}'"
        for term in terms
    )
    return f"({' <-> '.join(quoted)})"
