"""A scratch home folder with Claude Code's sessions in it, in which our scripts are run."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.server import RunningServer
from tests.support.transcripts import session_id, transcript

SECONDS = 3_000
# A stand-in for curl that notes each call (and each request of one that makes several), waits if it
# is told to, says itself what some address is to answer, and else is curl.
_COUNTING = """#!/bin/sh
printf '%s\\n' "$*" >>"{log}"
for last; do :; done
case "$last" in */config) sed -n 's/^request = /request /p' "$last" >>"{log}" ;; esac
[ -z "$SLOW" ] || sleep "$SLOW"
if [ -f "{refused}" ]; then
  read -r address status <"{refused}"
  case "$last" in *"$address") printf %s "$status"; exit 0 ;; esac
fi
exec {curl} "$@"
"""


@dataclass(frozen=True)
class Done:
    """What a script did."""

    status: int
    out: str
    err: str


class Machine:
    """Somebody's machine: `home`, and what Claude Code keeps in it."""

    def __init__(self, home: Path, server: RunningServer, key: str) -> None:
        self.home, self.url, self.key = home, server.url, key
        self.projects = home / ".claude" / "projects"
        self.settings = home / ".claude" / "settings.json"
        self.folder = home / ".config" / "teamlore"
        self.projects.mkdir(parents=True)
        self._calls, self._refused = home / "calls", home / "refused"
        self._count_calls()

    def _count_calls(self) -> None:
        folder = self.home / "bin"
        folder.mkdir()
        shim = folder / "curl"
        names = {"log": self._calls, "refused": self._refused, "curl": "/usr/bin/curl"}
        shim.write_text(_COUNTING.format(**names))
        shim.chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        """The variables that its programs run with."""
        return {
            "HOME": str(self.home),
            "PATH": f"{self.home / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "TMPDIR": str(self.home),
        }

    async def run(
        self, command: str, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> Done:
        """Run a line of bash."""
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-o", "pipefail", "-c", command],
            env={**self.environ, **(env or {})},
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    async def set_up(self, *arguments: str) -> Done:
        """Paste the one line of the documentation."""
        tail = f"bash -s -- {' '.join(arguments)}" if arguments else f"TEAMLORE_KEY={self.key} bash"
        return await self.run(f"curl -fsS {self.url}/setup.sh | {tail}")

    async def sync(self) -> Done:
        """Run the installed script, as a person would by hand."""
        return await self.run('bash "$HOME/.config/teamlore/sync.sh"')

    async def restore(self, arguments: str, env: Mapping[str, str] | None = None) -> Done:
        """Fetch the script and run it at once, with nothing set up."""
        line = f"curl -fsS {self.url}/restore.sh | TEAMLORE_KEY={self.key} bash -s -- {arguments}"
        return await self.run(line, env)

    def calls(self) -> list[str]:
        """The arguments of each call of curl since the last time that this was asked."""
        found = self._calls.read_text().splitlines() if self._calls.exists() else []
        self._calls.write_text("")
        return found

    def refuse(self, address: str, status: int) -> None:
        """Let every request to what ends so be answered with `status` and nothing else."""
        self._refused.write_text(f"{address} {status}\n")

    async def clone(self, folder: Path, remote: str) -> Path:
        """Make a repository with this address as its origin; the folder of its sessions."""
        made = await self.run(
            f"git init -q '{folder}' && git -C '{folder}' remote add origin {remote}"
        )
        assert made.status == 0, made.err
        return self.projects / encoded(str(folder))

    def files(self) -> dict[str, str]:
        """The digest of each file below the projects by its path."""
        return {
            str(path.relative_to(self.projects)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.projects.rglob("*")
            if path.is_file()
        }

    def mode(self, path: Path) -> int:
        """A file's permissions."""
        return stat.S_IMODE(path.stat().st_mode)

    def fill(self, count: int, user: str = "/home/al") -> None:
        """So many sessions in several projects, each with a subagent, some with more."""
        for number in range(count):
            cwd = f"{user}/work/my_app.v{number % 7}"
            folder = self.projects / encoded(cwd)
            folder.mkdir(exist_ok=True)
            name = session_id(number)
            write(folder / f"{name}.jsonl", contents(number, cwd))
            agents = folder / name / "subagents"
            write(agents / f"agent-a{number}.jsonl", contents(number + 1, cwd))
            if number % 5 == 0:
                write(agents / "workflows" / "run 1" / "journal.jsonl", b"{}\n" * number)
                write(agents / f"agent-a{number}.meta.json", b'{"agentType": "x"}')
                write(folder / name / "tool-results" / "toolu_ü (1).txt", b"\x00\xff" * number)


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    long_ago = path.stat().st_mtime - 3_600
    os.utime(path, (long_ago, long_ago))


def encoded(path: str) -> str:
    """The name of a project's folder, as Claude Code makes it."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in path)


def contents(number: int, cwd: str) -> bytes:
    """A transcript: most are ordinary, some are everything that files can be."""
    good = transcript(number, 2_000 * (number % 5 + 1), cwd)
    special = {
        1: good.rstrip(b"\n"),
        2: good + b"this is not JSON\n{broken\n",
        3: good + b'{"type":"user","message":{"content":"a\\u0000b \\ud83d"}}\n\x00\x00\n',
        4: good + b"\xff\xfe\x80 no UTF-8 \xc3\n",
        5: good.replace(b"\n", b"\r\n"),
        6: good + b'{"cut off in the middle of a rec',
    }
    return special.get(number % 40, good)
