"""A real Chromium that watches itself: what it asked of whom, and what its policy forbade."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = (1280, 800), (390, 844)
SLOW_MS = 60_000
"""How long a click may have to wait on a busy machine."""


def installed() -> str | None:
    """The path of a Chromium on this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A headless browser for as long as the block lasts."""
    path = installed()
    if path is None:
        raise RuntimeError(f"the tests of the pages need a browser: install one of {NAMES}")
    # Chromium's own sandbox does not start for root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Watched:
    """A page and everything about it that must stay empty."""

    page: Page
    origin: str
    strangers: list[str] = field(default_factory=list)
    """Addresses of other origins that it asked for."""
    complaints: list[str] = field(default_factory=list)
    """Errors of its console, reports of its policy among them."""
    refusals: bool = False
    """Whether the server is meant to refuse something: the browser notes each on its console."""

    outages: bool = False
    """Whether the server is meant to be away for a while, which the browser notes too."""

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"data", "blob"}:
            return
        if parts.netloc != urlsplit(self.origin).netloc:
            self.strangers.append(url)

    def _said(self, message: ConsoleMessage) -> None:
        if self.refusals and "the server responded with a status of 401" in message.text:
            return
        if self.outages and "ERR_CONNECTION_REFUSED" in message.text:
            return
        if message.type == "error":
            self.complaints.append(message.text)

    @classmethod
    async def open(
        cls, browser: Browser, origin: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False
    ) -> Watched:
        """A fresh window that knows nobody."""
        context: BrowserContext = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(SLOW_MS)
        watched = cls(await context.new_page(), origin)
        context.on("request", lambda request: watched._asked(request.url))
        watched.page.on("console", watched._said)
        watched.page.on("websocket", lambda socket: watched._asked(socket.url))
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        return watched

    async def close(self) -> None:
        """Close the window."""
        await self.page.context.close()
