"""What a browser has to load before the first page can be used."""

from __future__ import annotations

from playwright.async_api import expect

from tests.graph.client import newcomer
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage
from tests.web.world import sign_in

FIRST_LOAD = 150_000


async def test_the_overview_needs_at_most_150_kb_of_script(
    server: RunningServer, open_page: OpenPage
) -> None:
    """Charts come later and only where there is something to draw; GraphiQL on its own page."""
    page = (await open_page()).page
    owner = await newcomer(server)
    await sign_in(page, owner)
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    await page.goto(f"{server.url}/overview")
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    scripts = [url for url in loaded if url.endswith(".js")]
    assert scripts
    sizes = {}
    for url in scripts:
        answer = await server.client.head(url, headers={"accept-encoding": "br"})
        sizes[url.rsplit("/", 1)[1]] = int(answer.headers["content-length"])
    assert sum(sizes.values()) <= FIRST_LOAD, sizes
