"""Where the words of a search stand in what it found, as pieces of text: never as markup."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from db import knowledge_search
from db.engine import Database
from db.words import terms
from domain.actor import Actor
from domain.entries import Entry

ELLIPSIS = " … "
_AROUND = 90
_CUTS = 3


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a text; `hit` where it is what was searched for."""

    text: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Highlights:
    """The whole summary and the places of the details that matter, each in pieces."""

    summary: tuple[Fragment, ...]
    details: tuple[Fragment, ...]


async def highlights(
    db: Database, actor: Actor, words: str, entries: Sequence[Entry]
) -> dict[UUID, Highlights]:
    """The highlights of what a search for `words` found, by id.

    PostgreSQL marks what its stemmers recognise, between marks that nobody can know beforehand;
    words inside longer ones and scripts without spaces are looked for as they stand.
    """
    nonce = secrets.token_hex(8)
    async with db.read(actor) as connection:
        ids = [entry.id for entry in entries]
        rows = await knowledge_search.headlines(connection, actor.access, words, ids, nonce)
    marked = {row.id: row for row in rows}
    return {
        entry.id: Highlights(
            summary_of(row.marked_summary, entry.summary, nonce, words),
            details_of(row.marked_details, entry.details, nonce, words),
        )
        for entry in entries
        if (row := marked.get(entry.id)) is not None
    }


def summary_of(marked: str, text: str, nonce: str, words: str) -> tuple[Fragment, ...]:
    """The pieces of a summary, of which PostgreSQL has marked a copy with `nonce`."""
    return _fragments(marked, text, nonce, _literally(words), whole=True)


def details_of(marked: str, text: str | None, nonce: str, words: str) -> tuple[Fragment, ...]:
    """The pieces of the details, of which PostgreSQL has cut and marked a copy."""
    return _fragments(marked, text or "", nonce, _literally(words), whole=False)


def _literally(words: str) -> re.Pattern[str] | None:
    asked = sorted((t.text for t in terms(words) if not t.negated), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, asked)), re.IGNORECASE) if asked else None


def _fragments(
    marked: str, text: str, nonce: str, literally: re.Pattern[str] | None, *, whole: bool
) -> tuple[Fragment, ...]:
    found = tuple(_unmarked(marked, nonce))
    if any(fragment.hit for fragment in found):
        return tuple(_joined(piece for f in found for piece in _deeper(f, literally)))
    shown = text if whole else ELLIPSIS.join(_cuts(text, literally))
    return tuple(_joined(_split(shown, literally))) if shown else ()


def _unmarked(marked: str, nonce: str) -> Iterator[Fragment]:
    hit = False
    for piece in re.split(rf"({nonce}[bec])", marked):
        if piece.startswith(nonce):
            hit = piece.endswith("b")
            if piece.endswith("c"):
                yield Fragment(ELLIPSIS, False)
        elif piece:
            yield Fragment(piece, hit)


def _deeper(fragment: Fragment, literally: re.Pattern[str] | None) -> Iterator[Fragment]:
    """Hits of other than Latin letters that the parser did not see as words."""
    if fragment.hit or fragment.text.isascii():
        return iter((fragment,))
    return _split(fragment.text, literally, foreign=True)


def _split(
    text: str, literally: re.Pattern[str] | None, *, foreign: bool = False
) -> Iterator[Fragment]:
    end = 0
    for match in literally.finditer(text) if literally else ():
        if foreign and match.group().isascii():
            continue
        yield Fragment(text[end : match.start()], False)
        yield Fragment(match.group(), True)
        end = match.end()
    yield Fragment(text[end:], False)


def _cuts(text: str, literally: re.Pattern[str] | None) -> list[str]:
    """The surroundings of the first hits; none where there is no hit."""
    cuts: list[tuple[int, int]] = []
    for match in literally.finditer(text) if literally else ():
        start, end = max(0, match.start() - _AROUND), min(len(text), match.end() + _AROUND)
        if cuts and start <= cuts[-1][1]:
            cuts[-1] = (cuts[-1][0], max(end, cuts[-1][1]))
        elif len(cuts) < _CUTS:
            cuts.append((start, end))
        if len(cuts) == _CUTS and match.start() > cuts[-1][1]:
            break
    return [text[start:end] for start, end in cuts]


def _joined(pieces: Iterator[Fragment]) -> Iterator[Fragment]:
    """The pieces without empty ones, neighbours of one kind as one."""
    last: Fragment | None = None
    for piece in pieces:
        if not piece.text:
            continue
        if last is not None and last.hit == piece.hit:
            last = Fragment(last.text + piece.text, last.hit)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last
