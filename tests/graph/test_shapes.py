"""The check of generated operations finds what is wrong with a response."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema, parse

from tests.support.shapes import Shape, WrongShape, marked

SCHEMA = build_schema(
    """
    type Query { one: Thing! maybe: Thing many: [Thing!]! node: Node any: Any }
    type Thing implements Node { id: ID! size: Int kind: Kind! }
    type Other { name: String! }
    interface Node { id: ID! }
    union Any = Thing | Other
    enum Kind { GOOD BAD }
    """
)
THING = {"id": "1", "kind": "GOOD"}
RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("{ one { id kind } }", {"one": THING}),
    ("{ maybe { id } }", {"maybe": None}),
    ("{ a: maybe { id } }", {"a": {"id": "1"}}),
    ("{ many { id kind } }", {"many": [THING, THING]}),
    ("{ one { ...F kind } } fragment F on Thing { id }", {"one": THING}),
    ("{ one { id } one { kind } }", {"one": THING}),
    ("{ node { id } }", {"node": {"typename__": "Thing", "id": "1"}}),
    (
        "{ any { ... on Other { name } ... on Node { id } } }",
        {"any": {"typename__": "Other", "name": "x"}},
    ),
]
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("{ one { id kind } }", {"one": None}),
    ("{ one { id kind } }", {"one": {"id": "1"}}),
    ("{ one { id kind } }", {"one": {**THING, "more": 1}}),
    ("{ one { id kind } }", {"one": [THING]}),
    ("{ one { id kind } }", {"one": {**THING, "kind": "UGLY"}}),
    ("{ one { id kind } }", {"one": {**THING, "id": 1}}),
    ("{ one { id kind } }", {"one": {**THING, "id": None}}),
    ("{ one { size } }", {"one": {"size": "1"}}),
    ("{ one { size } }", {"one": {"size": 2**31}}),
    ("{ one { size } }", {"one": {"size": True}}),
    ("{ one { __typename } }", {"one": {"__typename": "Other"}}),
    ("{ many { id kind } }", {"many": None}),
    ("{ many { id kind } }", {"many": [THING, None]}),
    ("{ many { id kind } }", {"many": THING}),
    ("{ node { id } }", {"node": {"typename__": "Other", "id": "1"}}),
    ("{ node { id } }", {"node": {"typename__": "None", "id": "1"}}),
    ("{ any { ... on Other { name } } }", {"any": {"typename__": "Thing", "name": "x"}}),
]


def _check(text: str, data: dict[str, Any]) -> Shape:
    shape = Shape(SCHEMA, marked(SCHEMA, parse(text)))
    shape.check(data)
    return shape


@pytest.mark.parametrize(("text", "data"), RIGHT)
def test_what_the_schema_says_is_right(text: str, data: dict[str, Any]) -> None:
    _check(text, data)


@pytest.mark.parametrize(("text", "data"), WRONG)
def test_what_it_does_not_say_is_found(text: str, data: dict[str, Any]) -> None:
    with pytest.raises(WrongShape):
        _check(text, data)


def test_the_scalars_that_were_met_are_told() -> None:
    shape = _check("{ one { id kind } }", {"one": THING})
    assert shape.leaves == [("ID", "1"), ("Kind", "GOOD")]
