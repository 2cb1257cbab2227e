"""Every page with real data: accessible, in light and dark, wide and on a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from pages import BUILT
from tests.support.browser import DESKTOP, PHONE
from tests.support.dial import dial
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage
from tests.web.world import build, settled, sign_in

AXE = BUILT.parent / "node_modules" / "axe-core" / "axe.min.js"
# The default run takes each width and each colour once.
FORMS = [
    pytest.param(DESKTOP, False, id="desktop-light"),
    pytest.param(PHONE, True, id="phone-dark"),
    pytest.param(DESKTOP, True, id="desktop-dark"),
    pytest.param(PHONE, False, id="phone-light"),
]
BROKEN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(" | ")}`)"""


async def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands."""
    await page.evaluate(AXE.read_text("utf-8"))  # a script element would be against the policy
    found: list[str] = await page.evaluate(BROKEN)
    return found


@pytest.mark.parametrize(("size", "dark"), FORMS[: dial(2, 4)])
async def test_every_page_is_accessible_and_fits(
    server: RunningServer, open_page: OpenPage, size: tuple[int, int], dark: bool
) -> None:
    world = await build(server)
    page = (await open_page(size=size, dark=dark)).page
    await page.goto(f"{server.url}/")
    wrong = {"home": await violations(page)}
    await sign_in(page, world.owner)
    for name, address in world.pages.items():
        await page.goto(f"{server.url}{address}")
        await settled(page)
        wrong[name] = await violations(page)
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > size[0]:
            wrong[name].append(f"it is {width} px wide")
    assert {name: found for name, found in wrong.items() if found} == {}
