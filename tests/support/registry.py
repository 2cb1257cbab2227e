"""What tests of the Registry API share: accounts, and a look behind the server's back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import httpx

from settings import Settings


async def register(client: httpx.AsyncClient, username: str = "al") -> dict[str, str]:
    """Open an account; the header that its requests carry."""
    answer = await client.post("/api/auth/register", json={"username": username})
    assert answer.status_code == 201, answer.text
    return {"X-API-Key": answer.json()["api_key"]}


def conversation(session_id: str) -> str:
    """Where a session's conversation is."""
    return f"/api/sessions/conversation/{session_id}"


async def state(settings: Settings) -> dict[str, Any]:
    """Everything that a write would change: rows, versions, the log, the files of blocks."""
    assert settings.database_url is not None
    connection = await asyncpg.connect(settings.database_url)
    try:
        rows = await connection.fetch("SELECT session_id, version, xmin FROM sessions ORDER BY 1")
        versions = await connection.fetch(
            "SELECT session, number, size, xmin FROM conversation_versions ORDER BY 1, 2"
        )
        heads = await connection.fetch("SELECT id, head FROM scopes ORDER BY 1")
        entries = await connection.fetchval("SELECT count(*) FROM log")
    finally:
        await connection.close()
    return {
        "sessions": [tuple(row) for row in rows],
        "versions": [tuple(row) for row in versions],
        "heads": [tuple(row) for row in heads],
        "log": entries,
        "blocks": block_files(settings.data_dir / "blobs"),
    }


def block_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file of a block store with its size and the time of its last change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }
