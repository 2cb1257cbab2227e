"""A server that is killed under an open page, and comes back."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, expect

from settings import Settings
from tests.conftest import ServeProcess
from tests.graph.client import newcomer
from tests.graph.test_conversations import put, talk
from tests.support.browser import Watched
from tests.support.server import RunningServer
from tests.web.world import menu, sign_in


async def test_what_happened_meanwhile_is_there_without_a_reload(
    serve_process: ServeProcess, settings: Settings, browser: Browser
) -> None:
    process = serve_process()
    url = process.url
    async with httpx.AsyncClient(base_url=url) as client:
        server = RunningServer(url, settings, client)
        owner = await newcomer(server)
        team = await owner.found_team("Survivors")
        watched = await Watched.open(browser, url)
        watched.outages = True
        page, other = watched.page, await watched.page.context.new_page()
        await sign_in(page, owner)
        await menu(page, "Sessions").click()
        await expect(page.get_by_role("heading", name="No sessions yet")).to_be_visible()
        await sign_in(other, owner)
        await menu(other, "Teams").click()
        await other.get_by_role("link", name="Survivors").click()
        await expect(other.get_by_text("live", exact=True)).to_be_visible()
        await owner.write("Before the fall", team)
        await expect(other.get_by_text("learned: Before the fall")).to_be_visible()

        process.process.kill()
        process.process.wait()
        await expect(other.get_by_text("reconnecting")).to_be_visible()
        elsewhere = serve_process()
        async with httpx.AsyncClient(base_url=elsewhere.url) as second:
            away = type(owner)(
                RunningServer(elsewhere.url, settings, second), owner.id, owner.email, owner.token
            )
            await away.write("While it was down", team)
            await put(away, "meanwhile", *talk(2))
        serve_process({"PORT": str(urlsplit(url).port)})
        await expect(other.get_by_text("learned: While it was down")).to_be_visible(timeout=40_000)
        await expect(other.get_by_text("learned: While it was down")).to_have_count(1)
        await expect(page.get_by_role("link").filter(has_text="Message 1")).to_be_visible(
            timeout=40_000
        )
        await watched.close()
        assert not watched.strangers
        assert not watched.complaints
