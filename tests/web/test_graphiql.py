"""GraphiQL, as a dashboard author meets it in a browser."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx
import pytest
from playwright.async_api import Page, expect

from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, newcomer
from tests.support.browser import PHONE
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage

FEED = "subscription Feed { myFeed { __typename ... on KnowledgeCreated { entry { summary } } } }"


async def sign_in(page: Page, caller: Caller) -> None:
    await page.get_by_label("API key or token").fill(caller.token or "")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_have_text(f"You ask as {caller.email}.")


async def write_query(page: Page, text: str) -> None:
    """Put `text` where the welcome was."""
    editor = page.locator(".graphiql-query-editor .monaco-editor").first
    await editor.click()
    await page.keyboard.press("Control+a")
    # insert_text is a paste: typing would be completed and indented on the way.
    await page.keyboard.insert_text(text)


async def test_somebody_signed_in_runs_a_query_and_sees_the_explorer(
    server: RunningServer, open_page: OpenPage
) -> None:
    caller = await newcomer(server)
    await caller.write("Graphs are read in a browser")
    page = (await open_page()).page
    await page.goto(f"{server.url}/graphiql")
    await sign_in(page, caller)
    await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("viewer")
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.locator(".graphiql-response")).to_contain_text("Graphs are read in a browser")

    await page.get_by_role("button", name="GraphiQL Explorer").click()
    await expect(page.locator(".graphiql-explorer-root")).to_contain_text("viewer")


async def test_a_subscription_shows_what_happens_elsewhere(
    server: RunningServer, open_page: OpenPage
) -> None:
    caller = await newcomer(server)
    page = (await open_page()).page
    await page.goto(f"{server.url}/graphiql")
    await sign_in(page, caller)
    await write_query(page, FEED)
    await expect(page.locator(".graphiql-tab")).to_contain_text("Feed")
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.get_by_role("button", name="Stop query")).to_be_visible()
    response = page.locator(".graphiql-response")
    # Nothing shows when the server has begun to follow: whoever goes on writing is seen then.
    writing = asyncio.create_task(keep_writing(caller, "Seen without a reload"))
    await expect(response).to_contain_text("Seen without a reload")
    writing.cancel()


async def test_it_is_usable_on_a_phone(server: RunningServer, open_page: OpenPage) -> None:
    caller = await newcomer(server)
    await caller.write("Read on the way")
    page = (await open_page(size=PHONE)).page
    await page.goto(f"{server.url}/graphiql")
    await sign_in(page, caller)
    await write_query(page, "query Read { knowledge { nodes { summary } } }")
    await expect(page.locator(".graphiql-tab")).to_contain_text("Read")
    await page.get_by_role("button", name="Execute query").click()
    response = page.locator(".graphiql-response")
    await expect(response).to_contain_text("Read on the way")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    for part in (page.locator(".graphiql-query-editor"), response):
        box = await part.bounding_box()
        assert box is not None
        assert box["width"] >= 150, box
        assert box["height"] >= 200, box
        assert box["x"] + box["width"] <= PHONE[0] + 1, box


async def keep_writing(caller: Caller, summary: str) -> None:
    for _ in range(50):
        with suppress(AssertionError):  # one that a busy machine refuses is written again
            await caller.write(summary)
        await asyncio.sleep(0.5)


async def test_a_wrong_key_is_said_to_be_wrong(server: RunningServer, open_page: OpenPage) -> None:
    watched = await open_page()
    watched.refusals = True
    page = watched.page
    await page.goto(f"{server.url}/graphiql")
    await page.get_by_label("API key or token").fill("0" * 64)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_have_text("The API key is not valid")


async def test_the_page_may_load_nothing_from_elsewhere(server: RunningServer) -> None:
    answer = await server.client.get("/graphiql")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy


async def test_what_it_loads_is_compressed_and_kept(server: RunningServer) -> None:
    page = (await server.client.get("/graphiql")).text
    script = page.split('src="')[1].split('"')[0]
    for encoding in ("br", "gzip"):
        answer = await server.client.get(script, headers={"accept-encoding": encoding})
        assert answer.headers["content-encoding"] == encoding
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
    plain = await server.client.get(script, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert (await server.client.get("/assets/none.js")).status_code == 404


@pytest.mark.parametrize(
    ("environment", "wanted", "status"),
    [
        ("production", None, 404),
        ("production", True, 200),
        ("test", None, 200),
        ("test", False, 404),
    ],
)
async def test_it_is_off_in_production_unless_asked_for(
    settings: Settings, serve: Serve, environment: str, wanted: bool | None, status: int
) -> None:
    server = await serve(
        settings.model_copy(update={"environment": environment, "graphiql": wanted})
    )
    answer: httpx.Response = await server.client.get("/graphiql")
    assert answer.status_code == status
