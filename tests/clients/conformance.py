"""The Claude Agent SDK's own suite against a running server: `conformance.py <url>`.

Run by the Python of an environment that has the SDK, with `clients/session_store` on its path. Each
store gets an account of its own.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import uuid4

import httpx
from claude_agent_sdk.testing import run_session_store_conformance

from teamlore_session_store import TeamloreSessionStore


def main(url: str) -> None:
    """Run the suite; an AssertionError says what does not conform."""

    def fresh() -> TeamloreSessionStore:
        answer = httpx.post(f"{url}/api/auth/register", json={"username": f"u{uuid4().hex[:20]}"})
        return TeamloreSessionStore(url, answer.raise_for_status().json()["api_key"])

    asyncio.run(run_session_store_conformance(fresh))
    print("conforms")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
