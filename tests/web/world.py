"""Somebody with sessions, knowledge, a team and company in it: what the pages are shown with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from playwright.async_api import Locator, Page, expect

from tests.graph.client import Caller, newcomer
from tests.graph.test_conversations import upload
from tests.support.library import said
from tests.support.server import RunningServer


@dataclass(frozen=True)
class World:
    """Whose pages they are, and what is on them."""

    owner: Caller
    member: Caller
    team: str
    session: str

    @property
    def pages(self) -> dict[str, str]:
        """A name and the address of every page."""
        return {
            "overview": "/overview",
            "sessions": "/sessions",
            "search": "/sessions?q=keyset",
            "session": f"/sessions/{quote(self.session, safe='')}?line=4",
            "knowledge": "/knowledge",
            "found": "/knowledge?q=cursors",
            "teams": "/teams",
            "team": f"/teams/{quote(self.team, safe='')}",
            "community": "/community",
            "settings": "/settings",
            "invitation": "/invitations/abc",
        }


async def build(server: RunningServer) -> World:
    """A world of a few of everything."""
    owner, member = await newcomer(server), await newcomer(server)
    team = await owner.found_team("Compilers")
    await owner.do("inviteToTeam", {"teamId": team, "email": member.email}, "memberId")
    await owner.do("inviteToTeam", {"teamId": team, "email": "new@example.org"}, "memberId")
    await owner.write("Use keyset cursors, never offsets", team, tags=["paging", "sql"])
    await owner.write(
        "Bind ARRAY types explicitly", project="teamlore", details="Measured.\nTwice."
    )
    session = await upload(owner, "0b5c-talk", *conversation(20))
    await upload(owner, "7e11-other", *conversation(3))
    await owner.do(
        "shareSession", {"id": session, "teamId": team, "note": "How it was"}, "__typename"
    )
    return World(owner, member, team, session)


def conversation(turns: int) -> list[dict[str, Any]]:
    """A few turns about cursors: asked, thought about, done and answered."""
    now = datetime.now(UTC).isoformat()
    lines: list[dict[str, Any]] = []
    for turn in range(turns):
        lines.append(
            {**said(f"Question {turn}: why keyset cursors?", f"q{turn}"), "timestamp": now}
        )
        lines.append(_answer(turn, now))
        result = {"type": "tool_result", "tool_use_id": f"t{turn}", "content": f"result {turn}"}
        message = {"role": "user", "content": [result]}
        record = {"type": "user", "uuid": f"r{turn}", "timestamp": now, "message": message}
        lines.append(record)
    return lines


def _answer(turn: int, now: str) -> dict[str, Any]:
    edit = {
        "file_path": "/srv/paging.py",
        "old_string": "OFFSET 20",
        "new_string": "WHERE id > :last",
    }
    message = {
        "id": f"m{turn}",
        "role": "assistant",
        "model": "claude-opus-4-1",
        "content": [
            {"type": "thinking", "thinking": f"Thought {turn}"},
            {"type": "text", "text": f"Answer {turn}: an offset skips rows when others write."},
            {"type": "tool_use", "id": f"t{turn}", "name": "Edit", "input": edit},
        ],
        "usage": {"input_tokens": 120, "output_tokens": 45 + turn, "cache_read_input_tokens": 900},
    }
    return {
        "type": "assistant",
        "uuid": f"a{turn}",
        "timestamp": now,
        "isSidechain": turn % 5 == 4,
        "message": message,
    }


async def sign_in(page: Page, caller: Caller) -> None:
    """Sign in with the caller's key."""
    await page.goto(f"{caller.server.url}/")
    await page.get_by_label("API key").fill(caller.api_key or "")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("navigation")).to_be_visible()


def menu(page: Page, name: str) -> Locator:
    """The link to one of the pages that everybody has, which other links may be named like."""
    return page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True)


async def settled(page: Page) -> None:
    """Wait until nothing is being loaded any more."""
    await page.wait_for_load_state("networkidle")
    # Not `wait_for_function`, which has the page evaluate a text: the policy forbids that.
    await expect(page.locator(".loading")).to_have_count(0)
