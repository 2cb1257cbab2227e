"""What a person types into a search box, as a PostgreSQL text query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func


def words_query(words: str) -> ColumnElement[Any]:
    """Match the stemmed English words or the words as they stand; no input is an error."""
    return func.websearch_to_tsquery("english", words).op("||")(
        func.websearch_to_tsquery("simple", words)
    )
