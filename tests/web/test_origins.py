"""Where things come from: machines, days, files, prices, and the lines that taught something."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from playwright.async_api import expect

from tests.graph.client import newcomer
from tests.graph.test_conversations import upload
from tests.graph.test_machines import a_key, back_up
from tests.support.library import said, transcript
from tests.support.server import RunningServer
from tests.web.conftest import OpenPage
from tests.web.world import conversation, sign_in


async def test_the_overview_names_machines_storage_and_an_estimated_price(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    _id, laptop = await a_key(owner, "laptop")
    _id, desktop = await a_key(owner, "desktop")
    await back_up(owner, laptop, "from-the-laptop", 3)
    await back_up(owner, desktop, "from-the-desktop", 2)
    await upload(owner, "priced", *conversation(3))
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/overview")
    tokens = page.get_by_role("region", name="Tokens and what they cost")
    await expect(tokens.get_by_text("$0.02", exact=True).first).to_be_visible()
    storage = page.get_by_role("region", name="Storage")
    await expect(storage.get_by_text("All versions")).to_be_visible()
    machines = page.get_by_role("region", name="Machines")
    await machines.get_by_role("link", name="laptop").click()
    rows = page.get_by_role("main").get_by_role("listitem")
    await expect(rows).to_have_count(1)
    await expect(page.get_by_label("Machine")).to_have_value(_machine_in(page.url))
    await page.get_by_label("Machine").select_option("every one")
    await expect(rows).to_have_count(3)
    await page.get_by_label("To", exact=True).fill("2026-05-02")
    await expect(rows).to_have_count(2)
    await page.get_by_label("From", exact=True).fill("2026-05-02")
    await page.get_by_label("To", exact=True).fill("2026-05-03")
    await expect(page.get_by_role("heading", name="No session is like that")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("From", exact=True)).to_have_value("2026-05-02")


def _machine_in(url: str) -> str:
    return url.rsplit("machine=", 1)[1]


async def test_an_entry_leads_to_what_was_said_and_a_session_to_its_subagents(
    server: RunningServer, open_page: OpenPage
) -> None:
    owner = await newcomer(server)
    lines = [
        said(f"Message {n}", f"u{n}", timestamp=f"2026-05-01T10:{n:02}:00Z") for n in range(1, 41)
    ]
    session = await upload(owner, "taught", *lines)
    agent = transcript(said("I am the subagent", "s1", isSidechain=True, agentId="a1"))
    answer = await server.client.put(
        "/api/sessions/taught/files/subagents/agent-a1.jsonl", content=agent, headers=owner.headers
    )
    assert answer.status_code in {200, 201}, answer.text
    at = datetime.fromisoformat("2026-05-01T10:23:30+00:00")
    await owner.write(
        "Learned in between", sessionId="taught", timestamp=int(at.timestamp() * 1000)
    )
    page = (await open_page()).page
    await sign_in(page, owner)
    await page.goto(f"{server.url}/knowledge")
    await page.get_by_role("link", name="Where it was said").click()
    await expect(page.get_by_text("Message 23", exact=True)).to_be_in_viewport()
    assert page.url.endswith(f"/sessions/{quote(session, safe='')}?line=23")

    about = page.get_by_role("complementary", name="About this session")
    await about.get_by_role("link", name="subagents/agent-a1.jsonl").click()
    feed = page.get_by_role("feed")
    await expect(feed.get_by_text("I am the subagent")).to_be_visible()
    await expect(feed.get_by_text("subagent a1")).to_be_visible()
    await about.get_by_role("link", name="The conversation", exact=True).click()
    await expect(feed.get_by_text("Message 1", exact=True)).to_be_visible()
