"""A database for tests that call operations directly."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from db.engine import Database
from settings import Settings


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    assert settings.database_url is not None
    db = Database(settings.database_url)
    yield db
    await db.close()
