"""The committed schema is the one that is served."""

from __future__ import annotations

from pathlib import Path

from graph.build import schema

COMMITTED = Path(__file__).parents[2] / "schema.graphql"


def test_the_committed_schema_is_the_printed_one() -> None:
    assert COMMITTED.read_text().rstrip() == schema.as_str().rstrip(), "run ./dev schema"
