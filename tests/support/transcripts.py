"""Transcripts as Claude Code writes them, made up and reproducible."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

WORDS = [
    *("the", "build", "fails", "because", "migration", "order", "cache", "token", "retry"),
    *("index", "parser", "socket", "while", "refactor", "handler", "test", "passes", "deploy"),
    *("branch", "review", "fix", "query", "lock", "stream", "résumé", "日本語", "данные"),
]


def session_id(seed: int) -> str:
    """A session id like Claude Code's."""
    return str(UUID(int=random.Random(seed).getrandbits(128), version=4))


def records(seed: int, cwd: str = "/home/al/app") -> Iterator[bytes]:
    """An endless conversation, line by line."""
    chance, at = random.Random(seed), datetime(2026, 5, 1, tzinfo=UTC)
    for number in range(10**9):
        at += timedelta(seconds=chance.randint(1, 90))
        kind = "user" if number % 3 == 0 else "assistant"
        yield _record(chance, number, kind, at, seed, cwd)


def _record(
    chance: random.Random, number: int, kind: str, at: datetime, seed: int, cwd: str
) -> bytes:
    text = " ".join(chance.choices(WORDS, k=chance.randint(5, 120)))
    content: object = text
    if kind == "assistant":
        call = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": text}}
        content = [{"type": "text", "text": text}, call]
    elif number % 2:
        content = [{"type": "tool_result", "tool_use_id": f"t{number}", "content": text}]
    record = {
        "type": kind,
        "uuid": str(UUID(int=chance.getrandbits(128))),
        "sessionId": session_id(seed),
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "cwd": cwd,
        "gitBranch": "main",
        "message": {"role": kind, "content": content},
    }
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def transcript(seed: int, size: int, cwd: str = "/home/al/app") -> bytes:
    """Whole lines, of at least `size` bytes together."""
    collected = bytearray()
    for line in records(seed, cwd):
        if len(collected) >= size:
            break
        collected += line
    return bytes(collected)


def stream(seed: int, size: int, chunk: int = 256 * 1024) -> Iterator[bytes]:
    """A conversation of exactly `size` bytes that never repeats, and costs little to make.

    The lines of one piece come again and again, each time under other numbers.
    """
    piece = transcript(seed, chunk).replace(b'"uuid": "', b'"uuid": "%012d-')
    holes, sent, number = piece.count(b"%012d"), 0, 0
    piece = piece.replace(b"%", b"%%").replace(b"%%012d", b"%012d")
    while sent < size:
        block = (piece % tuple(range(number, number + holes)))[: size - sent]
        number += holes
        sent += len(block)
        yield block
