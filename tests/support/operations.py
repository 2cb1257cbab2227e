"""Operations generated from the schema, with places for values that only a running server has.

A place is a string such as `"@ID:7@"`; `filled` puts the seventh id that was seen there. So the
strategy knows nothing of the data, and the operations still reach it.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import defaultdict, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, StringValueNode, ValueNode
from hypothesis import strategies as st
from hypothesis_graphql import Mode, from_schema, nodes
from hypothesis_graphql import queries as from_queries

KEPT = 200
_PLACE = re.compile(r'"@(\w+):(\d+)@"')
_TEXTS = st.text(max_size=30)
_FEW = st.integers(1, 5)
_EDGES = st.sampled_from([0, -1, 100, 100, 101, 2**31 - 1])
_WHOLE = st.integers(0, 2 * 10**12)
_INSTANTS = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
_OF: dict[str, st.SearchStrategy[ValueNode]] = {
    "Int": st.one_of(*[_FEW] * 6, _EDGES).map(nodes.Int),
    "DateTime": _INSTANTS.map(nodes.String),
    "EpochMillis": _WHOLE.map(nodes.Int),
    "Base64": st.binary(max_size=100).map(b64encode).map(bytes.decode).map(nodes.String),
    "BigInt": _WHOLE.map(nodes.Int),
    "String": (_TEXTS | st.emails() | st.sampled_from(["decision", "long enough"])).map(
        nodes.String
    ),
}
_STRINGS = {"ID", "String", "Cursor", "DateTime"}


def _place(scalar: str) -> st.SearchStrategy[ValueNode]:
    return st.integers(0, KEPT - 1).map(lambda n: StringValueNode(value=f"@{scalar}:{n}@"))


def _any(kind: GraphQLScalarType) -> st.SearchStrategy[ValueNode]:
    """Values of a scalar that nothing is known of but what it takes."""
    taken = []
    for sample, values in (("x", _TEXTS.map(nodes.String)), (7, _WHOLE.map(nodes.Int))):
        with suppress(GraphQLError, ValueError):
            kind.parse_value(sample)
            taken.append(values)
    return st.one_of(taken or [_TEXTS.map(nodes.String)])


def _scalars(schema: GraphQLSchema) -> dict[str, st.SearchStrategy[ValueNode]]:
    """How to make the values of every scalar of the schema, those that are yet to come as well."""
    made = {}
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLScalarType) or name in {"Boolean", "Float"}:
            continue
        any_value = _OF[name] if name in _OF else _any(kind)
        # Most ids are to be real ones, most texts are not.
        chances = {"ID": 9, "Cursor": 4}.get(name, 1)
        places = [_place(name)] * chances if name in _STRINGS else []
        made[name] = st.one_of(*places, any_value)
    return made


def operations(schema: GraphQLSchema) -> st.SearchStrategy[str]:
    """Queries and mutations, one in twelve of them wrong in one place."""
    scalars = _scalars(schema)
    right = from_schema(schema, custom_scalars=scalars)
    wrong = from_schema(schema, custom_scalars=scalars, mode=Mode.NEGATIVE)
    return st.integers(0, 11).flatmap(lambda n: right if n else wrong).map(str)


def queries(schema: GraphQLSchema) -> st.SearchStrategy[str]:
    """Queries only, all of them valid."""
    return from_queries(schema, custom_scalars=_scalars(schema)).map(str)


@dataclass
class Seen:
    """The values that responses brought, newest last."""

    by_scalar: dict[str, deque[Any]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=KEPT))
    )

    def learn(self, leaves: Iterable[tuple[str, Any]]) -> None:
        """Remember the strings among these."""
        for scalar, value in leaves:
            if scalar in _STRINGS and isinstance(value, str):
                self.by_scalar[scalar].append(value)

    def filled(self, text: str) -> str:
        """The operation with values in its places."""

        def value(match: re.Match[str]) -> str:
            known = self.by_scalar[match[1]]
            found = known[int(match[2]) % len(known)] if known else match[0]
            return json.dumps(found, ensure_ascii=False)

        return _PLACE.sub(value, text)
