"""Guessing passwords: each guess counts, however packed, and no answer tells of accounts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from domain import accounts
from domain.passwords import Passwords
from graph import limits
from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, Json, newcomer
from tests.graph.test_accounts import username_only
from tests.graph.test_statements import counted
from tests.support.dial import dial
from tests.support.server import RunningServer

LIFTED = ("MAX_ALIASES", "MAX_FIELDS", "MAX_TOKENS", "MAX_COST", "MAX_DOCUMENT_BYTES")


def guesses(count: int) -> str:
    """A document that tries to log in so many times."""
    fields = "\n".join(f"a{n}: logIn(input: $input) {{ __typename }}" for n in range(count))
    return f"mutation ($input: LogInInput!) {{ {fields} }}"


async def outcomes(server: RunningServer, count: int, given: Json) -> Counter[str]:
    """How so many guesses in one request ended."""
    data = await Caller(server).ask(guesses(count), input=given)
    return Counter(result["__typename"] for result in data.values())


@pytest.mark.parametrize("known", [True, False])
async def test_a_thousand_aliased_guesses_in_one_request_are_a_thousand_attempts(
    serve: Serve, settings: Settings, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """The bounds of a document are lifted here, so that nothing but the counting is in the way."""
    monkeypatch.setattr(accounts, "NOTING_SECONDS", 0.0)
    for name in LIFTED:
        monkeypatch.setattr(limits, name, 10**6)
    count = dial(100, 1_000)
    server = await serve(settings.model_copy(update={"login_attempts_max": count - 1}))
    email = (await newcomer(server)).email if known else "nobody@example.org"
    given = {"email": email, "password": "a guess or so"}
    assert await outcomes(server, count, given) == {
        "InvalidCredentials": count - 1,
        "RateLimited": 1,
    }
    assert await outcomes(server, 1, {**given, "password": "long enough"}) == {"RateLimited": 1}


async def test_the_largest_document_that_passes_counts_for_each_of_its_aliases(
    serve: Serve, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "NOTING_SECONDS", 0.0)
    most = limits.MAX_ALIASES
    server = await serve(settings.model_copy(update={"login_attempts_max": most + 1}))
    given = {"email": (await newcomer(server)).email, "password": "a guess or so"}
    content = (await Caller(server).post(guesses(most + 1), {"input": given})).json()
    assert content["errors"][0]["extensions"] == {
        "code": "TOO_COMPLEX",
        "aliases": most + 1,
        "limit": most,
    }
    assert await outcomes(server, most, given) == {"InvalidCredentials": most}
    left = {"InvalidCredentials": 1, "RateLimited": most - 1}
    assert await outcomes(server, most, given) == left
    assert await outcomes(server, most, given) == {"RateLimited": most}


async def test_an_unknown_account_costs_the_same_work_and_gets_the_same_answer(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done is compared; bench/login_timing.py measures how long it takes."""
    work: list[bool] = []
    verify = Passwords.verify

    async def noted(self: Passwords, password: str, stored: str | None) -> bool:
        right = await verify(self, password, stored)
        work.append(right)
        return right

    monkeypatch.setattr(Passwords, "verify", noted)
    await username_only(server, "bash")
    seen: list[Any] = []
    for email in ((await newcomer(server)).email, "nobody@example.org", "bash", "no address", ""):
        work.clear()
        with counted() as statements:
            answer = await Caller(server).post(
                guesses(1), {"input": {"email": email, "password": "a guess or so"}}
            )
            rest = await server.client.post(
                "/api/auth/login", json={"email": email, "password": "a guess or so"}
            )
        seen.append((work.copy(), statements, answer.json(), rest.status_code, rest.json()))
    assert seen[0][0] == [False, False]
    assert len(seen[0][1]) >= 4
    assert all(case == seen[0] for case in seen[1:])
