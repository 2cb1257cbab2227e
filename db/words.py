"""What a person types into a search box, as a PostgreSQL text query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, Text, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY


def words_query(words: str) -> ColumnElement[Any]:
    """Match the stemmed English words or the words as they stand; no input is an error."""
    return func.websearch_to_tsquery("english", words).op("||")(
        func.websearch_to_tsquery("simple", words)
    )


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a quoted phrase that has to occur, or with `negated` must not."""

    text: str
    quoted: bool = False
    negated: bool = False
    alternative: int = 0
    """Terms of one alternative belong together; any alternative is enough."""


_TERM = re.compile(r'(?P<minus>-(?=[^-\s]))?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


def terms(words: str) -> list[Term]:
    """The terms: words, "phrases", `or` between alternatives, -not. Nothing else is special."""
    found: list[Term] = []
    alternative = 0
    for match in _TERM.finditer(words):
        minus, phrase, word = match.group("minus", "phrase", "word")
        if word is not None and word.lower() == "or" and not minus:
            alternative += 1
        elif text := (word if phrase is None else phrase).strip():
            found.append(Term(text, phrase is not None, bool(minus), alternative))
    lone = found or not alternative
    return found if lone else [Term("or")]


def text_query(asked: Sequence[Term]) -> ColumnElement[Any]:
    """The query that the migrations' `teamlore_query` makes of terms."""

    def values(name: str, kind: type[Any]) -> ColumnElement[Any]:
        return bindparam(None, [getattr(t, name) for t in asked], type_=ARRAY(kind), unique=True)

    return func.teamlore_query(
        values("text", Text), values("quoted", Boolean), values("negated", Boolean),
        values("alternative", Integer),
    )  # fmt: skip
