"""Sessions and their conversations, as the people who had them read them in a browser."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import quote

from playwright.async_api import expect

from tests.graph.client import newcomer
from tests.graph.test_conversations import put, talk, upload
from tests.support.dial import dial
from tests.support.library import transcript
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage
from tests.web.world import build, conversation, menu, sign_in

# Scrolls by half a window a frame; of each painted frame it looks what stands at the top, in the
# middle and at the bottom: nothing at all, or a place whose text is still on its way.
FRAMES = """async (steps) => {
  const feed = document.querySelector('[role="feed"]');
  const frames = { all: 0, blank: 0, waiting: 0 };
  for (let step = 0; step < steps; step++) {
    feed.scrollTop += feed.clientHeight / 2;
    await new Promise(requestAnimationFrame);
    await new Promise((painted) => setTimeout(painted));
    const { left, top, width, height } = feed.getBoundingClientRect();
    const seen = [0.05, 0.5, 0.95].map((part) =>
      document.elementFromPoint(left + width / 2, top + height * part)?.closest("article"));
    frames.all++;
    if (seen.some((article) => !article?.textContent)) frames.blank++;
    else if (seen.some((article) => article.querySelector(".waiting"))) frames.waiting++;
  }
  return frames;
}"""


async def test_a_session_appears_without_a_reload_and_filters_are_in_the_address(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    page = (await open_page()).page
    await sign_in(page, owner)
    await menu(page, "Sessions").click()
    await expect(page.get_by_role("heading", name="No sessions yet")).to_be_visible()
    await put(owner, "fresh", *talk(3))
    row = page.get_by_role("listitem").filter(has_text="Message 1")
    await expect(row).to_be_visible()
    await expect(row.get_by_text("running")).to_be_visible()
    await page.get_by_label("Project").fill("nowhere")
    await expect(page.get_by_role("heading", name="No session is like that")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Project")).to_have_value("nowhere")
    await page.get_by_label("Project").fill("tea")
    await expect(row).to_be_visible()


async def test_what_was_said_is_found_and_leads_to_its_line(
    server: RunningServer, open_page: OpenPage
) -> None:
    world = await build(server)
    page = (await open_page()).page
    await sign_in(page, world.owner)
    await page.goto(f"{server.url}/sessions")
    await page.get_by_label("Search inside conversations").fill('"Answer 17"')
    hit = page.get_by_role("link").filter(has_text="Answer 17")
    await expect(hit.locator("mark").first).to_be_visible()
    await hit.click()
    line = page.get_by_role("article", name="Line 53", exact=True)
    await expect(line).to_be_in_viewport()
    await expect(line.locator("mark").first).to_have_text("Answer 17")
    await line.get_by_text("Thinking").click()
    await expect(line.get_by_text("Thought 17")).to_be_visible()
    await line.get_by_text("/srv/paging.py").first.click()
    await expect(line.locator("ins")).to_have_text("WHERE id > :last")
    await line.get_by_role("button", name="Raw record of line 53").click()
    await expect(line.get_by_label("Line 53 as it is in the transcript")).to_contain_text('"a17"')


async def test_a_running_session_is_followed_to_its_new_end(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    session = await upload(owner, "runs", *talk(30))
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/sessions/{quote(session, safe='')}?line=30")
    await expect(page.get_by_text("Message 30", exact=True)).to_be_visible()
    await put(owner, "runs", *talk(33))
    await expect(page.get_by_text("Message 33", exact=True)).to_be_visible()
    await expect(page.get_by_text("33 lines", exact=True)).to_be_visible()


async def test_the_download_is_what_was_backed_up(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    lines = conversation(2)
    session = await upload(owner, "bytes", *lines)
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/sessions/{quote(session, safe='')}")
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Download", exact=True).click()
    download = await coming.value
    assert download.suggested_filename == "bytes.jsonl"
    assert (await download.path()).read_bytes() == transcript(*lines)
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Markdown").click()
    assert "Question 0" in (await (await coming.value).path()).read_text("utf-8")


async def test_a_session_is_shared_with_a_team_and_taken_back(
    server: RunningServer, open_page: OpenPage
) -> None:
    world = await build(server)
    page = (await open_page()).page
    await sign_in(page, world.owner)
    await page.goto(f"{server.url}/sessions/{quote(world.session, safe='')}")
    await page.get_by_role("button", name="Take back from Compilers").click()
    await expect(page.get_by_text("Nobody: only you see it.")).to_be_visible()
    await page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Called").fill("About cursors")
    await dialog.get_by_label("Branch").uncheck()
    await dialog.get_by_role("button", name="Share it").click()
    await expect(dialog).to_be_hidden()
    await page.goto(f"{server.url}{world.pages['team']}")
    await expect(page.get_by_role("link", name="About cursors")).to_be_visible()


async def test_a_session_is_named_tagged_and_deleted(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    session = await upload(owner, "mine", *talk(2))
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/sessions/{quote(session, safe='')}")
    await page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox", name="Name").fill("The slow query")
    await dialog.get_by_label("Tags").fill("sql, slow")
    await dialog.get_by_role("button", name="Keep it").click()
    await expect(page.get_by_role("heading", name="The slow query")).to_be_visible()
    await expect(page.get_by_text("sql, slow")).to_be_visible()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete it").click()
    await expect(page.get_by_role("heading", name="No sessions yet")).to_be_visible()


async def test_a_long_conversation_opens_anywhere_and_fills_what_it_scrolls_to(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    count = dial(3000, 100_000)
    await put(owner, "long", *talk(count))
    query = "{ sessions(first: 1) { nodes { id reading { lines } } } }"
    node: Any = {"id": "", "reading": {"lines": 0}}
    while node["reading"]["lines"] != count:
        await asyncio.sleep(0.1)
        node = (await owner.ask(query))["sessions"]["nodes"][0]
    page = (await open_page()).page
    await sign_in(page, owner)
    feed, started = page.get_by_role("feed"), time.monotonic()
    await page.goto(f"{server.url}/sessions/{quote(node['id'], safe='')}?line={count - 500}")
    await expect(feed.get_by_text(f"Message {count - 500}", exact=True)).to_be_in_viewport()
    assert time.monotonic() - started < dial(60, 2)
    await page.get_by_role("button", name="First").click()
    await expect(feed.get_by_text("Message 1", exact=True)).to_be_in_viewport()
    await page.get_by_label("Jump to line").fill(str(count // 2))
    await page.get_by_label("Jump to line").press("Enter")
    await expect(feed.get_by_text(f"Message {count // 2}", exact=True)).to_be_in_viewport()
    await feed.focus()
    for _ in range(10):
        await page.keyboard.press("PageDown")
    await expect(page.locator(".waiting")).to_have_count(0)
    assert await page.get_by_role("article").count() < 120
    frames = await page.evaluate(FRAMES, dial(120, 300))
    print(f"{frames} while scrolling {count} lines")  # noqa: T201 - figures that are quoted
    assert frames["blank"] <= dial(12, 0)  # a busy machine may paint late
    await expect(page.locator(".waiting")).to_have_count(0)
