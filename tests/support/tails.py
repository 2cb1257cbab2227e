"""What many files have grown by, in one request, as a client puts it together."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True)
class Growth:
    """A file that had `offset` bytes when it was last sent, and is `whole` now."""

    session_id: str
    whole: bytes
    offset: int = 0
    path: str = ""
    others: dict[str, Any] = field(default_factory=dict)
    """Further fields, or wrong ones instead of the right ones."""

    @property
    def more(self) -> bytes:
        """What it has grown by."""
        return self.whole[self.offset :]

    def announced(self) -> dict[str, Any]:
        """What the first line says of it."""
        return {
            "session_id": self.session_id,
            "path": self.path,
            "offset": self.offset,
            "length": len(self.more),
            "sha256": hashlib.sha256(self.whole).hexdigest(),
            **self.others,
        }


def body(*grown: Growth) -> bytes:
    """The whole body."""
    first = json.dumps({"tails": [file.announced() for file in grown]}).encode()
    return first + b"\n" + b"".join(file.more for file in grown)


def outcomes(answer: httpx.Response) -> list[dict[str, Any]]:
    """What each file came to."""
    return [json.loads(line) for line in answer.content.splitlines()]


async def send(
    client: httpx.AsyncClient, headers: dict[str, str], *grown: Growth
) -> list[dict[str, Any]]:
    """Send them; what each came to."""
    answer = await client.post("/api/tails", headers=headers, content=body(*grown))
    assert answer.status_code == 200, answer.text
    return outcomes(answer)


async def statuses(client: httpx.AsyncClient, headers: dict[str, str], *grown: Growth) -> list[int]:
    """Send them; the status of each."""
    return [item["status"] for item in await send(client, headers, *grown)]
