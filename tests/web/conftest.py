"""One browser for a run of these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser

from tests.support.browser import Watched, launched
from tests.support.server import RunningServer

OpenPage = Callable[..., Awaitable[Watched]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with launched() as started:
        yield started


@pytest.fixture
async def open_page(browser: Browser, server: RunningServer) -> AsyncIterator[OpenPage]:
    """A factory of windows; afterwards none of them may have a complaint or a stranger."""
    opened: list[Watched] = []

    async def open_window(*, size: tuple[int, int] = (1280, 800), dark: bool = False) -> Watched:
        opened.append(await Watched.open(browser, server.url, size=size, dark=dark))
        return opened[-1]

    yield open_window
    for watched in opened:
        await watched.close()
        assert not watched.strangers
        assert not watched.complaints
