"""Operations that the schema allows, by the hundreds: none breaks the server or the schema.

200 in the default run, 10,000 with TEAMLORE_PROVE=1. They come from somebody with data, from a
member of the same team, from a stranger and from nobody, with the ids, cursors and texts that
earlier answers brought.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from graphql import parse, print_ast, validate
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings

from graph.build import core_schema
from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, newcomer, team_of_two
from tests.support.dial import dial
from tests.support.operations import Seen, operations
from tests.support.server import RunningServer
from tests.support.shapes import Shape, marked

SCHEMA = core_schema()
RENEWED_EVERY = 100
UNLIMITED = {
    "rate_limit_max": 10**9,
    "rate_limit_anonymous_max": 10**9,
    "login_attempts_max": 10**9,
}
HARVEST = """
{ viewer { id apiKeys { id }
    teams { id members { nodes { user { id } } } }
    knowledge { edges { cursor node { id type summary project tags } } }
    sessions { edges { cursor node { id } } } } }
"""
_logger = logging.getLogger(__name__)


class Cast:
    """Who sends the operations, and what they have seen. Whoever is signed out is replaced."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._people: dict[str, Caller] = {"nobody": Caller(server)}
        self._sent = 0
        self.seen = Seen()
        self.outcomes: Counter[str] = Counter()

    async def renew(self) -> None:
        """New people with a team, entries and a summary of a session."""
        owner, member, team_id = await team_of_two(self._server)
        stranger = await newcomer(self._server)
        self._people |= {"owner": owner, "member": member, "stranger": stranger}
        for number in range(3):
            await owner.write(f"How to do {number}", tags=["a", "b"], project="teamlore")
            await member.write(f"What went wrong {number}", team_id)
        session = {"sessionId": f"s-{self._sent}", "project": "api", "summary": {"goal": "ship"}}
        await self._server.client.post("/api/sessions", json=session, headers=owner.headers)
        await self.send("owner", HARVEST)

    async def send(self, role: str, text: str) -> None:
        """Send an operation and check everything about its answer."""
        document = marked(SCHEMA, parse(text))
        answer = await self._server.client.post(
            "/graphql",
            json={"query": print_ast(document)},
            headers={
                **self._headers(role),
                "accept": "application/graphql-response+json",
            },
        )
        content = answer.json()
        assert answer.status_code < 500, (text, content)
        codes = _codes(content)
        assert "INTERNAL" not in codes, (text, content)
        self.outcomes[_outcome(content, codes)] += 1
        if content.get("data") is not None:
            assert not validate(SCHEMA, document)
            shape = Shape(SCHEMA, document)
            shape.check(content["data"])
            self.seen.learn(shape.leaves)
        if answer.status_code == 401 and role != "nobody":
            await self.renew()

    async def play(self, role: str, text: str) -> None:
        """Send a generated operation, in good company."""
        if self._sent % RENEWED_EVERY == 0:
            await self.renew()
        self._sent += 1
        await self.send(role, self.seen.filled(text))

    def _headers(self, role: str) -> dict[str, str]:
        return self._people[role].headers


def _codes(content: dict[str, Any]) -> set[str]:
    """The codes of the errors, each of which must be one that the specification allows."""
    codes = set()
    assert content.get("data") is not None or content["errors"]
    for error in content.get("errors", ()):
        assert set(error) <= {"message", "locations", "path", "extensions"}
        assert isinstance(error["message"], str)
        codes.add(error["extensions"]["code"])
        value = content.get("data")
        for step in error.get("path", ()):
            value = None if value is None else value[step]
        assert value is None, error
    return codes


def _outcome(content: dict[str, Any], codes: set[str]) -> str:
    if content.get("data") is not None:
        return "answered" if not codes else "answered in part"
    return ", ".join(sorted(codes))


@pytest.fixture
async def cast(serve: Serve, settings: Settings) -> AsyncIterator[Cast]:
    """Everybody who sends operations, and at the end a look at what became of them."""
    cast = Cast(await serve(settings.model_copy(update=UNLIMITED)))
    yield cast
    _logger.info("%s operations: %s", cast.outcomes.total(), cast.outcomes.most_common())


def generated(examples: int) -> Callable[[Any], Any]:
    """Run a test with that many operations."""
    repeated = hypothesis_settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # what an operation meets depends on those before it
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: repeated(given(text=operations(SCHEMA))(test))


@generated(dial(100, 4_500))
async def test_somebody_with_data_breaks_neither_the_server_nor_the_schema(
    cast: Cast, text: str
) -> None:
    await cast.play("owner", text)


@generated(dial(60, 3_500))
async def test_a_member_of_the_team_breaks_neither(cast: Cast, text: str) -> None:
    await cast.play("member", text)


@generated(dial(20, 1_000))
async def test_a_stranger_breaks_neither(cast: Cast, text: str) -> None:
    await cast.play("stranger", text)


@generated(dial(20, 1_000))
async def test_nobody_breaks_either(cast: Cast, text: str) -> None:
    await cast.play("nobody", text)
