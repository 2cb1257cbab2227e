"""Transcripts whose bytes are as hard to compress as Claude Code's: real prose, real code.

Words drawn from a short list compress far better than what people and models write, so the texts
are pieces of Python's standard library: its manual for what is said, its sources for what tools
read and print. Around them stands what Claude Code puts around them: ids, times and token counts
that never repeat; signatures of thinking and now and then a screenshot, both as good as random; and
each result of a tool twice, once as the model gets it and once as `toolUseResult`.
"""

from __future__ import annotations

import base64
import json
import random
import sysconfig
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any, Final

from tests.support.transcripts import session_id

PROJECTS: Final = 20
GROWING_SHARE: Final = 0.05
GROWTH_BYTES: Final = 10_000
_SIGNATURES: Final = (300, 1_500)
_SCREENSHOT: Final = (20_000, 120_000)
_SCREENSHOTS_IN: Final = 1_000
"""One record in so many holds a screenshot."""


@cache
def _sources() -> str:
    folder = Path(sysconfig.get_path("stdlib"))
    files = sorted(folder.glob("*.py")) + sorted(folder.glob("[a-z]*/*.py"))
    return "".join(path.read_text("utf-8", "replace") for path in files)


@cache
def _prose() -> str:
    return "".join(topics.values())


class Writer:
    """Writes one session's records, one after the other, without end."""

    def __init__(self, seed: int, cwd: str) -> None:
        self._chance = random.Random(seed)
        self._at = datetime(2026, 5, 1, tzinfo=UTC)
        self._session, self._cwd = session_id(seed), cwd
        self._parent: str | None = None

    def lines(self) -> Iterator[bytes]:
        """The records, each with its end."""
        for number in count():
            made = self._asked(number) if number % 8 == 0 else self._worked(number)
            for record in made:
                text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
                yield text.encode("utf-8", "replace") + b"\n"

    def _asked(self, number: int) -> Iterator[dict[str, Any]]:
        content: Any = self._piece(_prose(), 20, 600)
        if number % _SCREENSHOTS_IN == _SCREENSHOTS_IN // 2:
            source = {"type": "base64", "media_type": "image/png"}
            source["data"] = self._random(*_SCREENSHOT)
            content = [{"type": "text", "text": content}, {"type": "image", "source": source}]
        yield self._record("user", {"role": "user", "content": content})

    def _worked(self, number: int) -> Iterator[dict[str, Any]]:
        """An answer with a call of a tool, and what the tool said."""
        chance = self._chance
        call = f"toolu_01{self._id(22)}"
        said: list[dict[str, Any]] = [{"type": "text", "text": self._piece(_prose(), 40, 1_200)}]
        if number % 4 == 0:
            thought = self._piece(_prose(), 100, 2_000)
            signature = self._random(*_SIGNATURES)
            said.insert(0, {"type": "thinking", "thinking": thought, "signature": signature})
        code = self._piece(_sources(), 60, 6_000)
        name, given = chance.choice(
            [
                ("Read", {"file_path": f"{self._cwd}/src/{self._id(6)}.py"}),
                ("Bash", {"command": self._piece(_sources(), 20, 200), "description": "Run it"}),
                ("Write", {"file_path": f"{self._cwd}/{self._id(6)}.py", "content": code}),
            ]
        )
        said.append({"type": "tool_use", "id": call, "name": name, "input": given})
        yield self._answer(said)
        result = code if name != "Write" else "The file has been written."
        numbered = "".join(
            f"{line:>6}\u2192{text}" for line, text in enumerate(result.splitlines(True), 1)
        )
        content = {"tool_use_id": call, "type": "tool_result"}
        content["content"] = numbered if name == "Read" else result
        record = self._record("user", {"role": "user", "content": [content]})
        yield {**record, "toolUseResult": {"stdout": result, "stderr": "", "interrupted": False}}

    def _answer(self, said: list[dict[str, Any]]) -> dict[str, Any]:
        chance = self._chance
        message = {
            "id": f"msg_01{self._id(22)}",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5-20250929",
            "content": said,
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": chance.randint(1, 9),
                "cache_creation_input_tokens": chance.randint(100, 9_000),
                "cache_read_input_tokens": chance.randint(10_000, 150_000),
                "output_tokens": chance.randint(1, 2_000),
                "service_tier": "standard",
            },
        }
        return {**self._record("assistant", message), "requestId": f"req_01{self._id(22)}"}

    def _record(self, kind: str, message: dict[str, Any]) -> dict[str, Any]:
        self._at += timedelta(milliseconds=self._chance.randint(500, 90_000))
        own = self._uuid()
        record = {
            "parentUuid": self._parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": self._cwd,
            "sessionId": self._session,
            "version": "2.1.14",
            "gitBranch": "main",
            "type": kind,
            "message": message,
            "uuid": own,
            "timestamp": self._at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        self._parent = own
        return record

    def _uuid(self) -> str:
        digits = f"{self._chance.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{digits[16:20]}-{digits[20:]}"

    def _id(self, length: int) -> str:
        return self._random(length, length)

    def _random(self, least: int, most: int) -> str:
        length = self._chance.randint(least, most)
        return base64.b64encode(self._chance.randbytes(length), b"-_").decode()[:length]

    def _piece(self, text: str, least: int, most: int) -> str:
        """Some of `text`: mostly little, sometimes much."""
        length = min(most, round(least * self._chance.paretovariate(0.8)))
        start = self._chance.randrange(len(text) - length)
        return text[start : start + length]


def make(folder: Path, sessions: int, size: int) -> list[Path]:
    """Write `sessions` transcripts of `size` bytes together; like real ones, most are short.

    They lie as Claude Code lays them: in a folder for each project.
    """
    chance = random.Random(1)
    weights = [chance.paretovariate(1.2) for _ in range(sessions)]
    unit = size / sum(weights)
    files = []
    for number, weight in enumerate(weights):
        project = number % PROJECTS
        path = folder / f"-home-al-project-{project}" / f"{session_id(number)}.jsonl"
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            _fill(file, Writer(number, f"/home/al/project-{project}"), weight * unit)
        files.append(path)
    return files


def grow(files: list[Path], number: int) -> int:
    """Let a share of the files grow; how many bytes came in."""
    chance = random.Random(number)
    added = 0
    for path in chance.sample(files, max(1, round(len(files) * GROWING_SHARE))):
        with path.open("ab") as file:
            before = file.tell()
            _fill(file, Writer(chance.getrandbits(30), "/home/al/app"), before + GROWTH_BYTES)
            added += file.tell() - before
    return added


def _fill(file: Any, writer: Writer, until: float) -> None:
    for line in writer.lines():
        if file.tell() >= until:
            return
        file.write(line)
