"""The schema is told in development, and in production only when the operator says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import get_introspection_query

from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller

ASKING = {
    "the standard query": get_introspection_query(),
    "a type": '{ __type(name: "Team") { name } }',
    "an alias": "{ innocent: __schema { types { name } } }",
    "a fragment": "{ ...A } fragment A on Query { __schema { types { name } } }",
    "an unused fragment": "{ __typename } fragment A on Query { __schema { types { name } } }",
    "an inline fragment": '{ ... on Query { ... { __type(name: "Team") { name } } } }',
}
INNOCENT = {
    "__typename": "{ __typename }",
    "a string": '{ searchKnowledge(query: "what is __schema?") { totalCount } }',
    "a comment": "{ __typename # __type(name:\n }",
}


def _closed(settings: Settings) -> Settings:
    return settings.model_copy(update={"environment": "production"})


@pytest.mark.parametrize("name", ASKING)
async def test_production_refuses_and_names_the_setting(
    serve: Serve, settings: Settings, name: str
) -> None:
    answer = await Caller(await serve(_closed(settings))).post(ASKING[name])
    error = answer.json()["errors"][0]
    assert error["extensions"]["code"] == "INTROSPECTION_DISABLED"
    assert "GRAPHQL_INTROSPECTION" in error["message"]
    assert "data" not in answer.json()


async def test_other_documents_are_answered_as_ever(serve: Serve, settings: Settings) -> None:
    caller = Caller(await serve(_closed(settings)))
    codes = [await caller.code(document) for document in INNOCENT.values()]
    assert codes == [None, "UNAUTHENTICATED", None]


async def test_the_operator_may_allow_it(serve: Serve, settings: Settings) -> None:
    allowed = _closed(settings).model_copy(update={"introspection": True})
    assert "__schema" in await Caller(await serve(allowed)).ask(get_introspection_query())


@pytest.mark.parametrize(
    ("environ", "allowed"),
    [
        ({}, True),
        ({"NODE_ENV": "test"}, True),
        ({"NODE_ENV": "production"}, False),
        ({"NODE_ENV": "production", "GRAPHQL_INTROSPECTION": "on"}, True),
        ({"NODE_ENV": "development", "GRAPHQL_INTROSPECTION": "off"}, False),
    ],
)
def test_the_environment_decides(environ: dict[str, str], allowed: bool, tmp_path: Path) -> None:
    environ = {**environ, "JWT_SECRET": "x" * 32, "TEAMLORE_DATA": str(tmp_path)}
    assert Settings.from_env(environ).introspection_allowed is allowed
