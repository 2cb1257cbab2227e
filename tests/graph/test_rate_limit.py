"""Operations are charged what they cost, and say so wherever they come from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.shared_budgets import LEASES
from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, newcomer, socket_of
from tests.support.server import RunningServer

RATE = "rateLimit { cost remaining limit resetAt }"
PAGE = "{ knowledge(first: 50) { nodes { id type } } }"
PAGE_COST = 151


async def test_an_operation_takes_its_cost_and_sees_what_is_left(server: RunningServer) -> None:
    person = await newcomer(server)
    before = (await person.ask(f"{{ {RATE} }}"))["rateLimit"]
    assert (before["cost"], before["limit"]) == (5, 120_000)
    after = (await person.ask(f"{PAGE[:-1]} {RATE} }}"))["rateLimit"]
    assert after["cost"] == PAGE_COST + 5
    assert after["remaining"] == before["remaining"] - after["cost"]
    left = datetime.fromisoformat(after["resetAt"]) - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(seconds=60)


async def test_the_headers_say_what_the_field_says(server: RunningServer) -> None:
    person = await newcomer(server)
    answer = await person.post(f"{PAGE[:-1]} {RATE} }}")
    said = answer.json()["data"]["rateLimit"]
    assert int(answer.headers["RateLimit-Limit"]) == said["limit"]
    assert int(answer.headers["RateLimit-Remaining"]) == said["remaining"]
    assert 0 < int(answer.headers["RateLimit-Reset"]) <= 60
    events = await server.client.post(
        "/graphql",
        json={"query": PAGE},
        headers={**person.headers, "accept": "text/event-stream"},
    )
    assert int(events.headers["RateLimit-Remaining"]) == said["remaining"] - PAGE_COST


async def test_variables_decide_the_cost(server: RunningServer) -> None:
    query = f"query ($n: Int) {{ knowledge(first: $n) {{ nodes {{ id }} }} {RATE} }}"
    person = await newcomer(server)
    for size in (1, 100):
        cost = (await person.ask(query, n=size))["rateLimit"]["cost"]
        assert cost == 1 + 2 * size + 5


async def test_what_costs_more_than_is_left_waits_and_a_cheap_one_still_passes(
    serve: Serve, settings: Settings
) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_max": 20}))
    person = await newcomer(server)
    assert await person.code(PAGE) is None
    refused = await person.post(PAGE)
    assert refused.status_code == 429
    error = refused.json()["errors"][0]["extensions"]
    assert error["code"] == "RATE_LIMITED"
    assert int(refused.headers["Retry-After"]) == error["retryAfter"] >= 1
    assert int(refused.headers["RateLimit-Remaining"]) == 200 - PAGE_COST - 10
    assert await person.code("{ viewer { id } }") is None


async def test_what_costs_more_than_a_whole_window_takes_all_of_it(
    serve: Serve, settings: Settings
) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_max": 5}))
    person = await newcomer(server)
    answer = await person.post(PAGE)
    assert answer.status_code == 200
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert await person.code("{ __typename }") == "RATE_LIMITED"


async def test_a_document_that_is_refused_costs_a_request(server: RunningServer) -> None:
    person = await newcomer(server)
    before = (await person.ask(f"{{ {RATE} }}"))["rateLimit"]["remaining"]
    await person.post("{ nonsense }")
    assert (await person.ask(f"{{ {RATE} }}"))["rateLimit"]["remaining"] == before - 10 - 5


async def test_both_transports_draw_on_one_budget(serve: Serve, settings: Settings) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_max": 20}))
    person = await newcomer(server)
    await person.ask(PAGE)
    rest = await server.client.get("/api/usage", headers=person.headers)
    assert rest.headers["RateLimit-Limit"] == "20"
    assert rest.headers["RateLimit-Remaining"] == str((200 - PAGE_COST - 10) // 10)


async def test_a_socket_is_told_by_an_error_and_stays_open(
    serve: Serve, settings: Settings
) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_max": 20}))
    async with socket_of(await newcomer(server)) as socket:
        await socket.subscribe(PAGE, "1")
        assert (await socket.receive())["type"] == "next"
        assert (await socket.receive())["type"] == "complete"
        await socket.subscribe(PAGE, "2")
        refused = await socket.receive()
        assert (refused["type"], refused["id"]) == ("error", "2")
        extensions = refused["payload"][0]["extensions"]
        assert extensions["code"] == "RATE_LIMITED"
        assert extensions["retryAfter"] >= 1
        await socket.subscribe("{ viewer { id } }", "3")
        assert (await socket.receive())["type"] == "next"


async def test_each_address_without_a_credential_has_a_budget(
    serve: Serve, settings: Settings
) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_anonymous_max": 2}))
    said = (await Caller(server).ask(f"{{ {RATE} }}"))["rateLimit"]
    assert (said["limit"], said["remaining"]) == (20, 15)


async def test_two_servers_together_let_through_what_one_may(
    serve: Serve, settings: Settings
) -> None:
    most = 80
    limited = settings.model_copy(update={"rate_limit_max": most})
    servers = [await serve(limited), await serve(limited)]
    person = await newcomer(servers[0])
    passed = 0
    for turn in range(most + 20):
        answer = await servers[turn % 2].client.get("/api/usage", headers=person.headers)
        passed += answer.status_code == 200
    assert most * (1 - 1 / LEASES) <= passed <= most
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
