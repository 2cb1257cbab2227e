"""Coming, going and owning: teams, accounts and the community, click by click."""

from __future__ import annotations

import json

from playwright.async_api import Page, Route, expect

from tests.graph.client import newcomer
from tests.graph.test_patterns import offer, pattern
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage
from tests.web.world import build, sign_in


async def test_a_member_is_removed_and_a_team_handed_over_and_left(
    server: RunningServer, open_page: OpenPage
) -> None:
    world = await build(server)
    third = await newcomer(server)
    asked = {"teamId": world.team, "email": third.email}
    await world.owner.do("inviteToTeam", asked, "memberId")
    page = (await open_page()).page
    await sign_in(page, world.owner)
    await page.goto(f"{server.url}{world.pages['team']}")
    people = page.get_by_role("region", name="People")
    await people.get_by_role("button", name=f"Remove {third.email}").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    await expect(people.get_by_text(third.email)).to_be_hidden()
    assert (await third.ask("{ teams { id } }"))["teams"] == []

    log = page.get_by_role("region", name="What was done")
    await people.get_by_role("button", name=f"Make owner: {world.member.email}").click()
    await page.get_by_role("button", name="Hand it over").click()
    own = page.get_by_role("region", name="The team")
    await expect(own.get_by_role("button", name="Leave")).to_be_visible()
    await page.reload()
    await expect(log.get_by_text(f"member removed: {third.email}")).to_be_visible()
    await expect(log.get_by_text("ownership transferred")).to_be_visible()
    await own.get_by_role("button", name="Leave").click()
    await page.get_by_role("button", name="Leave it").click()
    await expect(page.get_by_role("heading", name="You are in no team yet")).to_be_visible()
    member = (await world.member.ask("{ teams { myRole } }"))["teams"]
    assert member == [{"myRole": "OWNER"}]


async def test_who_is_invited_sees_by_whom_and_a_role_is_undone(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner, member = await newcomer(server), await newcomer(server)
    team = await owner.found_team("Compilers")
    await owner.do("inviteToTeam", {"teamId": team, "email": member.email}, "memberId")
    invited = f"later-{owner.email}"
    await owner.do("inviteToTeam", {"teamId": team, "email": invited}, "expiresAt")
    given = {"email": invited, "password": "long enough"}
    key = (await owner.do("register", given, "apiKey"))["apiKey"]
    guest = type(owner)(server, email=invited, api_key=key)
    page = (await open_page()).page
    await sign_in(page, guest)
    await page.goto(f"{server.url}/teams")
    told = page.get_by_role("region", name="You are invited")
    await expect(told.get_by_text("Compilers")).to_be_visible()
    await expect(told.get_by_text("member", exact=True)).to_be_visible()

    other = (await open_page()).page
    await sign_in(other, owner)
    await other.goto(f"{server.url}/teams/{team}")
    role = other.get_by_label(f"Role of {member.email}")
    await role.select_option("ADMIN")
    await other.get_by_role("status").get_by_role("button", name="Undo").click()
    await expect(role).to_have_value("MEMBER")
    await expect(other.get_by_text(f"{member.email} is member now")).to_be_visible()


async def test_the_community_is_followed_and_a_contribution_withdrawn(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    await offer(owner, pattern("Vacuum before you measure"))
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/community")
    await expect(page.get_by_role("main").get_by_text("live", exact=True)).to_be_visible()
    await expect(page.get_by_role("heading", name="Nothing is shared yet")).to_be_visible()
    for _ in range(3):
        await offer(await newcomer(server), pattern("Batch the writes of a loop"))
    await page.get_by_role("button", name="since you look: show").click()
    patterns = page.get_by_role("region", name="Patterns")
    await expect(patterns.get_by_text("Batch the writes of a loop")).to_be_visible()
    mine = page.get_by_role("complementary", name="About the community")
    await mine.get_by_role("button", name="Withdraw: vacuum before you measure").click()
    await expect(mine.get_by_text("Nothing. A client contributes only")).to_be_visible()


async def test_signing_out_everywhere_ends_the_keys_too_when_asked(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    page, elsewhere = (await open_page()).page, await open_page()
    elsewhere.refusals = True
    for window in (page, elsewhere.page):
        await sign_in(window, owner)
        await window.goto(f"{server.url}/settings")
    await page.get_by_role("button", name="Sign out everywhere").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("End all API keys too").click()
    await dialog.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.get_by_text("Signed out everywhere", exact=True)).to_be_visible()
    await expect(page.get_by_text("signed out everywhere", exact=True)).to_be_visible()
    await elsewhere.page.reload()
    await expect(elsewhere.page.get_by_role("heading", name="Sign in")).to_be_visible()
    key = {"x-api-key": owner.api_key or ""}
    assert (await server.client.get("/api/sessions", headers=key)).status_code == 401


async def test_an_account_is_deleted_by_whoever_knows_its_password(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/settings")
    await page.get_by_role("button", name="Delete the account").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Your password").fill("something else")
    await dialog.get_by_role("button", name="Delete it for good").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_label("Your password").fill("long enough")
    await dialog.get_by_role("button", name="Delete it for good").click()
    await expect(page.get_by_role("heading", name="Open an account")).to_be_visible()
    key = {"x-api-key": owner.api_key or ""}
    assert (await server.client.get("/api/sessions", headers=key)).status_code == 401


async def test_what_the_server_refuses_is_as_it_was(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    await owner.write("Locks are held briefly", tags=["locks"])
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/knowledge")
    entry = page.get_by_role("listitem").filter(has_text="held")
    await refuse(page, "tagKnowledge", "updateKnowledge", "starKnowledge", "deleteKnowledge")
    for button in ("Take the tag locks away", "Star: Locks", "Delete: Locks"):
        await entry.get_by_role("button", name=button).click()
        await expect(page.get_by_role("status").get_by_text("Not today").last).to_be_visible()
    await expect(entry.get_by_text("locks", exact=True)).to_be_visible()
    await expect(entry.get_by_role("button", name="Star")).to_have_attribute(
        "aria-pressed", "false"
    )
    await entry.get_by_role("button", name="Edit").click()
    await entry.get_by_label("What was learned").fill("Locks are never held")
    await entry.get_by_role("button", name="Keep it").click()
    await expect(entry.get_by_role("alert")).to_have_text("Not today")
    await expect(entry.get_by_label("What was learned")).to_have_value("Locks are never held")
    await page.unroute_all()
    await entry.get_by_role("button", name="Keep it").click()
    await expect(entry.get_by_role("link", name="Locks are never held")).to_be_visible()
    await entry.get_by_role("button", name="Take the tag locks away").click()
    await page.get_by_role("status").get_by_role("button", name="Undo").click()
    await expect(entry.get_by_role("button", name="Take the tag locks away")).to_be_visible()


async def refuse(page: Page, *mutations: str) -> None:
    """Let the server say no to these, as it does to whoever may not."""

    async def answer(route: Route) -> None:
        asked = route.request.post_data or ""
        for name in mutations:
            if f"{name}(" in asked:
                result = {"__typename": "Forbidden", "message": "Not today"}
                body = json.dumps({"data": {name: result}})
                return await route.fulfill(content_type="application/json", body=body)
        return await route.continue_()

    await page.route("**/graphql", answer)
