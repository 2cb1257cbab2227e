"""By keys alone and with a screen reader: every control is reached, every dialog is sound."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import PHONE
from tests.support.dial import dial
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage
from tests.web.test_every_page import violations
from tests.web.world import World, build, settled, sign_in

WATCH = """() => {
  window.reached = new WeakSet();
  document.addEventListener("focusin", ({ target }) => window.reached.add(target));
  document.activeElement?.blur();
}"""
HERE = "() => document.activeElement === document.body"
MISSED = """() => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1'])")]
  .filter((element) => element.checkVisibility() && !element.disabled
    && element.tabIndex >= 0 && !window.reached.has(element))
  .map((element) => element.outerHTML.slice(0, 120))"""
MOST = 400
TELLING = ("overview", "sessions", "session", "knowledge", "team", "settings")
"""Pages that have every kind of control between them."""


async def test_every_control_of_every_page_is_reached_by_tab(
    server: RunningServer, open_page: OpenPage
) -> None:
    world = await build(server)
    page = (await open_page()).page
    await sign_in(page, world.owner)
    missed = {}
    for name in dial(TELLING, tuple(world.pages)):
        await page.goto(f"{server.url}{world.pages[name]}")
        await settled(page)
        missed[name] = await walk(page)
    assert {name: found for name, found in missed.items() if found} == {}


async def walk(page: Page) -> list[str]:
    """Press Tab from the top of a page until its end; what was not come by on the way."""
    await page.evaluate(WATCH)
    for _ in range(MOST):
        await page.keyboard.press("Tab")
        if await page.evaluate(HERE):
            break
    found: list[str] = await page.evaluate(MISSED)
    return found


async def overflow(page: Page) -> list[str]:
    """What is wrong with the place of the open dialog in the window."""
    box = await page.get_by_role("dialog").bounding_box()
    assert box is not None
    return [] if box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0] else [f"it is at {box}"]


def dialogs(world: World) -> list[tuple[str, str]]:
    """A page and the button on it that opens a dialog."""
    pages, mine = world.pages, "Bind ARRAY types explicitly"
    return [
        (pages["knowledge"], "Add an entry"),
        (pages["knowledge"], f"Move: {mine}"),
        (pages["session"], "Share"),
        (pages["session"], "Edit"),
        (pages["session"], "Delete"),
        (pages["team"], "Rename"),
        (pages["team"], "Delete"),
        (pages["team"], f"Remove {world.member.email}"),
        (pages["team"], f"Make owner: {world.member.email}"),
        (pages["settings"], "A new key"),
        (pages["settings"], "Sign out everywhere"),
        (pages["settings"], "Delete the account"),
    ]


@pytest.mark.parametrize("dark", dial([True], [False, True]))
async def test_every_dialog_is_accessible_and_gives_the_focus_back(
    server: RunningServer, open_page: OpenPage, dark: bool
) -> None:
    world = await build(server)
    page = (await open_page(size=PHONE, dark=dark)).page
    await sign_in(page, world.owner)
    wrong, here = {}, ""
    for address, name in dialogs(world):
        if address != here:
            await page.goto(f"{server.url}{address}")
            here = address
        button = page.get_by_role("button", name=name, exact=True)
        await button.focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("dialog").wait_for()
        await settled(page)
        wrong[name] = [*await violations(page), *await overflow(page)]
        await page.keyboard.press("Escape")
        await page.get_by_role("dialog").wait_for(state="hidden")
        try:
            await expect(button).to_be_focused()
        except AssertionError:
            wrong[name].append("the focus is elsewhere afterwards")
    await page.keyboard.press("Control+k")
    await page.get_by_role("listbox", name="Where to").get_by_role("option").first.wait_for()
    wrong["palette"] = [*await violations(page), *await overflow(page)]
    assert {name: found for name, found in wrong.items() if found} == {}
