"""The dashboard, as the people who use it meet it in a browser."""

from __future__ import annotations

from uuid import uuid4

from playwright.async_api import expect

from tests.graph.client import newcomer
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage
from tests.web.world import menu, sign_in


async def test_a_newcomer_opens_an_account_and_is_shown_the_key_once(
    server: RunningServer, open_page: OpenPage
) -> None:
    page = (await open_page()).page
    await page.goto(f"{server.url}/")
    await page.get_by_label("Username or e-mail address").fill(f"ada-{uuid4().hex[:6]}")
    await page.get_by_role("button", name="Open the account").click()
    key = await page.get_by_label("the key", exact=True).inner_text()
    answer = await server.client.get("/api/sessions", headers={"x-api-key": key})
    assert answer.status_code == 200
    command = await page.get_by_label("the set-up command", exact=True).inner_text()
    assert command == f"curl -fsS {server.url}/setup.sh | TEAMLORE_KEY={key} bash"
    variables = await page.locator(
        "pre[aria-label='the variables of the session scripts']"
    ).text_content()
    assert variables is not None
    assert f"CSR_API_KEY={key}" in variables
    assert f"CSR_URL={server.url}" in variables
    await page.get_by_role("button", name="I have kept the key").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert key not in await page.content()


async def test_an_entry_is_added_found_deleted_and_brought_back(
    server: RunningServer, open_page: OpenPage
) -> None:
    page = (await open_page()).page
    await sign_in(page, await newcomer(server))
    await menu(page, "Knowledge").click()
    await page.get_by_role("button", name="Add an entry").click()
    await page.get_by_label("What was learned, in a sentence").fill("Pools starve under load")
    await page.get_by_role("button", name="Keep it").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()
    entry = page.get_by_role("listitem").filter(has_text="Pools starve under load")
    await expect(entry).to_be_visible()
    await page.get_by_role("searchbox").fill("starve")
    await expect(page.get_by_text("1 entry")).to_be_visible()
    await entry.get_by_role("button", name="Delete").click()
    await expect(entry).to_be_hidden()
    await page.get_by_role("button", name="Undo").click()
    await expect(entry).to_be_visible()


async def test_two_people_of_a_team_see_each_others_knowledge_live(
    server: RunningServer, open_page: OpenPage
) -> None:
    ada, ben = await newcomer(server), await newcomer(server)
    team = await ada.found_team("Live wires")
    await ada.do("inviteToTeam", {"teamId": team, "email": ben.email}, "memberId")
    page = (await open_page()).page
    await sign_in(page, ben)
    await menu(page, "Teams").click()
    await page.get_by_role("link", name="Live wires").click()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()
    await ada.write("Retries need jitter", team)
    await expect(page.get_by_text("Retries need jitter")).to_be_visible()


async def test_a_wrong_key_is_told_at_once(server: RunningServer, open_page: OpenPage) -> None:
    watched = await open_page()
    watched.refusals = True
    await watched.page.goto(f"{server.url}/")
    await watched.page.get_by_label("API key").fill("f" * 64)
    await watched.page.get_by_role("button", name="Sign in").click()
    await expect(watched.page.get_by_text("The API key is not valid")).to_be_visible()
