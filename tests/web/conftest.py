"""One browser for a run of these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator

import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import Watched, launched
from tests.support.server import RunningServer

expect.set_options(timeout=25_000)  # a busy machine is slow, and whatever is awaited comes
FAILED = pytest.StashKey[bool]()
OpenPage = Callable[..., Awaitable[Watched]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with launched() as started:
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember for the windows of a test whether it failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
async def open_page(
    browser: Browser, server: RunningServer, request: pytest.FixtureRequest
) -> AsyncIterator[OpenPage]:
    """A factory of windows; afterwards none of them may have a complaint or a stranger.

    What the windows of a failed test show is reported.
    """
    opened: list[Watched] = []

    async def open_window(*, size: tuple[int, int] = (1280, 800), dark: bool = False) -> Watched:
        opened.append(await Watched.open(browser, server.url, size=size, dark=dark))
        return opened[-1]

    yield open_window
    if request.node.stash.get(FAILED, False):
        for watched in opened:
            shown = await watched.page.locator("body").aria_snapshot()
            request.node.add_report_section("teardown", watched.page.url, shown)
    for watched in opened:
        await watched.close()
        assert not watched.strangers
        assert not watched.complaints
