"""A picture of every page with a company's data, wide and on a phone, light and dark.

Not a test: `./dev screenshots` runs it. All pictures go to the folder TEAMLORE_SHOTS; those that
the README shows go to docs/images as WebP, which the browser itself encodes.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from playwright.async_api import Page

from pages import BUILT
from tests.support.browser import DESKTOP, PHONE
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage
from tests.web.demo import Demo, build
from tests.web.world import settled, sign_in

FOLDER = Path(os.environ.get("TEAMLORE_SHOTS", BUILT.parents[1] / ".dev" / "screenshots"))
IMAGES = BUILT.parents[1] / "docs" / "images"
SHOWN = {"overview": "overview.webp", "conversation": "conversation.webp"}
HEAVIEST = 150_000
FORMS = [
    (DESKTOP, False, "desktop-light"),
    (DESKTOP, True, "desktop-dark"),
    (PHONE, False, "phone-light"),
    (PHONE, True, "phone-dark"),
]


async def test_take_all(server: RunningServer, open_page: OpenPage) -> None:
    demo = await build(server)
    for size, dark, form in FORMS:
        page = (await open_page(size=size, dark=dark)).page
        await take(page, demo, form)
        await page.context.close()


async def take(page: Page, demo: Demo, form: str) -> None:
    """Every page in one form."""
    url = demo.owner.server.url
    await page.goto(f"{url}/")
    await keep(page, f"home-{form}")
    await sign_in(page, demo.owner)
    for name, address in demo.pages.items():
        await page.goto(f"{url}{address}")
        await settled(page)
        await keep(page, f"{name}-{form}")
        if form == "desktop-light" and name in SHOWN:
            show(SHOWN[name], await webp(page))
    await page.keyboard.press("Control+k")
    await page.get_by_role("option").first.wait_for()
    await page.get_by_role("combobox").fill("pay")
    await settled(page)
    await keep(page, f"palette-{form}")
    await page.keyboard.press("Escape")
    await page.goto(f"{url}/graphiql")
    await page.locator(".graphiql-query-editor .monaco-editor").first.wait_for()
    await settled(page)
    await keep(page, f"graphiql-{form}")


async def keep(page: Page, name: str) -> None:
    """A picture of the whole page, however long, in the folder."""
    await page.screenshot(path=FOLDER / f"{name}.png", full_page=True)


def show(name: str, picture: bytes) -> None:
    """Put a picture where the README looks for it, if it is light enough."""
    assert len(picture) < HEAVIEST, name
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / name).write_bytes(picture)


async def webp(page: Page) -> bytes:
    """What is in the window, as WebP."""
    devtools = await page.context.new_cdp_session(page)
    taken = await devtools.send("Page.captureScreenshot", {"format": "webp", "quality": 82})
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
