"""The GraphQL-over-HTTP draft, as the npm package graphql-http audits servers for it."""

from __future__ import annotations

from tests.support.node import script
from tests.support.server import RunningServer


async def test_every_audit_is_ok(server: RunningServer) -> None:
    async with script("audit.js", f"{server.url}/graphql") as audits:
        found = await audits.rest()
    assert len(found) > 50
    assert [audit for audit in found if audit["status"] != "ok"] == []
