"""Node and the npm packages of tests/js: the clients and the audits that others have written."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[1] / "js"
INSTALLED = Path(__file__).parents[2] / ".dev" / "js"
SECONDS = 20


@cache
def packages() -> Path:
    """The folder of the locked packages, installed when the lock has changed.

    Another test run that comes meanwhile waits.
    """
    lock = (SCRIPTS / "package-lock.json").read_bytes()
    folder = INSTALLED / hashlib.sha256(lock).hexdigest()[:16]
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder)
    return folder / "node_modules"


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SCRIPTS / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise RuntimeError(f"npm cannot install the packages of tests/js:\n{done.stderr}")
    (folder / "complete").touch()


class Script:
    """A script of tests/js that runs: it prints one JSON value a line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def receive(self) -> Any:
        """The next value; None when the script has ended. Raises TimeoutError."""
        assert self._process.stdout
        async with asyncio.timeout(SECONDS):
            line = await self._process.stdout.readline()
        return json.loads(line) if line else None

    async def rest(self) -> list[Any]:
        """Everything until the script ends."""
        found = []
        while (value := await self.receive()) is not None:
            found.append(value)
        return found


@asynccontextmanager
async def script(name: str, *arguments: str) -> AsyncIterator[Script]:
    """Run `node tests/js/NAME` until the block ends. Its own mistakes are in the test's output."""
    found = await asyncio.to_thread(packages)
    process = await asyncio.create_subprocess_exec(
        "node",
        str(SCRIPTS / name),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "NODE_PATH": str(found)},
        limit=1024 * 1024,
    )
    try:
        yield Script(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
