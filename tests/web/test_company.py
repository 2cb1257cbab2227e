"""Teams, knowledge, the account and the community, in browsers of the people concerned."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Route, expect

from tests.graph.client import newcomer
from tests.support.browser import PHONE
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage
from tests.web.world import build, sign_in


async def test_an_invitation_link_leads_a_newcomer_into_the_team(
    server: RunningServer, open_page: OpenPage
) -> None:
    world = await build(server)
    page = (await open_page()).page
    await sign_in(page, world.owner)
    await page.goto(f"{server.url}{world.pages['team']}")
    await page.get_by_label("Invite by e-mail address").fill("newcomer@example.org")
    await page.get_by_role("button", name="Invite", exact=True).click()
    link = await page.get_by_label("the invitation link", exact=True).inner_text()

    other = (await open_page(size=PHONE)).page
    await other.goto(link)
    await expect(other.get_by_text("You are invited to a team.")).to_be_visible()
    await other.get_by_label("Username or e-mail address").fill("newcomer@example.org")
    await other.get_by_label("Password").first.fill("long enough")
    await other.get_by_role("button", name="Open the account").click()
    await other.get_by_role("button", name="I have kept the key").click()
    await other.get_by_role("button", name="Join the team").click()
    await expect(other.get_by_role("heading", name="Compilers", level=1)).to_be_visible()
    await expect(page.get_by_text("newcomer@example.org").first).to_be_visible()


async def test_an_owner_changes_a_role_renames_and_deletes_the_team(
    server: RunningServer, open_page: OpenPage
) -> None:
    world = await build(server)
    page = (await open_page()).page
    await sign_in(page, world.owner)
    await page.goto(f"{server.url}{world.pages['team']}")
    role = page.get_by_label(f"Role of {world.member.email}")
    await role.select_option("VIEWER")
    await expect(page.get_by_text(f"{world.member.email} is viewer now")).to_be_visible()
    await expect(role).to_have_value("VIEWER")
    await page.get_by_role("button", name="Rename").click()
    await page.get_by_role("textbox", name="Name").fill("Linkers")
    await page.get_by_role("button", name="Rename it").click()
    await expect(page.get_by_role("heading", name="Linkers", level=1)).to_be_visible()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.get_by_label("Type its name: Linkers").fill("Linkers")
    await page.get_by_role("button", name="Delete it for everybody").click()
    await expect(page.get_by_role("heading", name="You are in no team yet")).to_be_visible()


async def test_an_entry_is_found_tagged_starred_edited_and_moved(
    server: RunningServer, open_page: OpenPage
) -> None:
    world = await build(server)
    page = (await open_page()).page
    await sign_in(page, world.owner)
    await page.goto(f"{server.url}/knowledge?q=arrays")
    entry = page.get_by_role("listitem").filter(has_text="explicitly")
    await expect(entry.locator("mark")).to_have_text("ARRAY")
    await entry.get_by_role("button", name="Add a tag").click()
    await entry.get_by_label("New tag").fill("asyncpg")
    await entry.get_by_label("New tag").press("Enter")
    await expect(entry.get_by_text("asyncpg")).to_be_visible()
    await entry.get_by_role("button", name="Star").click()
    await expect(entry.get_by_role("button", name="Star")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("searchbox").fill("")
    await page.get_by_label("Only").select_option("starred")
    await expect(page.get_by_text("Use keyset cursors")).to_be_hidden()
    await expect(entry).to_be_visible()
    await entry.get_by_role("button", name="Edit").click()
    await page.get_by_label("What was learned").fill("Bind them explicitly")
    await page.get_by_role("button", name="Keep it").click()
    await expect(entry.get_by_text("Bind them explicitly")).to_be_visible()
    await entry.get_by_role("button", name="Move").click()
    await page.get_by_label("To", exact=True).select_option("Compilers")
    await page.get_by_role("button", name="Move it").click()
    await expect(entry.get_by_text("in Compilers")).to_be_visible()
    await entry.get_by_role("link", name="Bind them explicitly").click()
    await expect(page).to_have_url(re.compile("/knowledge/."))
    await expect(page.get_by_text("in Compilers")).to_be_visible()


async def test_a_star_that_is_still_on_its_way_reaches_the_list_of_starred_entries(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    await owner.write("Slow networks exist")
    page = (await open_page()).page
    await sign_in(page, owner)
    arrived = asyncio.Event()

    async def slowly(route: Route) -> None:
        if "starKnowledge" in (route.request.post_data or ""):
            await arrived.wait()
        await route.continue_()

    await page.route("**/graphql", slowly)
    await page.goto(f"{server.url}/knowledge")
    entry = page.get_by_role("listitem").filter(has_text="Slow networks")
    await entry.get_by_role("button", name="Star").click()
    await page.get_by_label("Only").select_option("starred")
    await expect(page.get_by_text("No entry is like that")).to_be_visible()
    arrived.set()
    await expect(entry).to_be_visible()


async def test_a_key_with_one_scope_is_made_labelled_and_revoked(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/settings")
    await page.get_by_role("button", name="A new key").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Label").fill("reader")
    for scope in ("write", "sync", "admin"):
        await dialog.get_by_role("checkbox", name=scope).first.uncheck()
    await dialog.get_by_role("button", name="Make it").click()
    key = await page.get_by_label("the new key", exact=True).inner_text()
    headers = {"authorization": f"Bearer {key}"}
    refused = await server.client.post("/api/teams", json={"name": "No"}, headers=headers)
    assert refused.status_code == 403
    row = page.get_by_role("listitem").filter(has_text="reader")
    await row.get_by_role("button", name="Revoke").click()
    await page.get_by_role("button", name="Revoke it").click()
    await expect(row).to_be_hidden()
    assert (await server.client.get("/api/teams", headers=headers)).status_code == 401


async def test_a_new_password_keeps_this_tab_signed_in_and_no_other(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/settings")
    await page.get_by_label("Your password so far").fill("long enough")
    await page.get_by_label("The new password").fill("longer than before")
    await page.get_by_role("button", name="Keep the new password").click()
    await expect(page.get_by_text("other sign-ins have ended")).to_be_visible()
    await expect(page.get_by_text("password changed")).to_be_visible()
    answer = await server.client.get("/api/teams", headers=owner.headers)
    assert answer.status_code == 401


async def test_the_palette_leads_anywhere_by_keys_alone(
    server: RunningServer, open_page: OpenPage
) -> None:
    world = await build(server)
    page = (await open_page()).page
    await sign_in(page, world.owner)
    await page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Go to a page, team, session or entry")
    await expect(box).to_be_focused()
    await box.fill("compil")
    await expect(page.get_by_role("option", name="Compilers")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Compilers", level=1)).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.press("Escape")
    await expect(box).to_be_hidden()


async def test_being_offline_is_said_and_passes(server: RunningServer, open_page: OpenPage) -> None:
    page = (await open_page()).page
    await sign_in(page, await newcomer(server))
    await page.context.set_offline(True)
    await expect(page.get_by_text("You are offline.")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.get_by_text("You are offline.")).to_be_hidden()
