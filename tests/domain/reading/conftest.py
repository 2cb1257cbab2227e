"""A library for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from settings import Settings
from tests.support.library import Library


@pytest.fixture
async def library(settings: Settings) -> AsyncIterator[Library]:
    library = Library(settings)
    await library.open()
    yield library
    await library.close()
