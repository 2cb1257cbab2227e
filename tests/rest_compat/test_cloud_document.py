"""The curl lines of the Cloud document, cut out and run as they are printed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parent.parent / "data" / "cloud_document.txt"
DIGEST = "ad87be55d3c2cd38a73c80b2652320752e22299e91cf82b458c8a6b5127bb8bf"


def _commands() -> list[str]:
    """The three curl commands of the quick start: register, log in, API key."""
    text = DOCUMENT.read_bytes().decode()
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    block = next(b for b in blocks if "curl" in b)
    return re.findall(r"^curl (?:.*\\\n)*.*$", block, re.MULTILINE)


async def _run(command: str, url: str) -> Any:
    command = command.replace("http://localhost:3000", url)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command.replace("curl ", "curl -s ", 1), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)


def test_the_document_is_the_one_that_was_published() -> None:
    assert hashlib.sha256(DOCUMENT.read_bytes()).hexdigest() == DIGEST


async def test_the_documents_curl_lines_work(server: Any) -> None:
    register, log_in, api_key = _commands()
    made = await _run(register, server.url)
    assert made["user"]["email"] == "you@example.com"
    token = (await _run(log_in, server.url))["token"]
    key = (await _run(api_key.replace("<your-jwt>", token), server.url))["apiKey"]
    answer = await server.client.get("/api/auth/me", headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["email"] == "you@example.com"
