"""Two people with accounts on the server under test."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.mcp_client import McpClient


@pytest.fixture
async def ada(server: Any) -> McpClient:
    return await McpClient.register(server.client)


@pytest.fixture
async def bob(server: Any) -> McpClient:
    return await McpClient.register(server.client)
