"""An S3 server on this machine: moto, in an environment of its own.

Its packages want another version of one that ours pins, so they are never installed beside them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import httpx

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-s3.txt"
INSTALLED = ROOT / ".dev" / "s3"
START_SECONDS = 60
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "teamlore",
    "AWS_SECRET_ACCESS_KEY": "teamlore-secret",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@dataclass(frozen=True)
class S3:
    """A running server, and how to reach it."""

    url: str

    @property
    def environ(self) -> dict[str, str]:
        """What obstore reads from the environment."""
        return {**CREDENTIALS, "AWS_ENDPOINT": self.url}

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"teamlore-{uuid4().hex[:12]}"
        headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=teamlore/20260101/us-east-1/s3/x"}
        httpx.put(f"{self.url}/{name}", headers=headers).raise_for_status()
        return name


@cache
def program() -> Path:
    """The path of `moto_server`, installed when the lock file has changed.

    Another test run that comes meanwhile waits.
    """
    folder = INSTALLED / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder)
    return folder / "bin" / "moto_server"


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    base = getattr(sys, "_base_executable", sys.executable)
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    for command in (
        [base, "-m", "venv", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "install", *options, "-r", str(LOCK)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise RuntimeError(f"cannot install the S3 server for tests:\n{done.stderr}")
    (folder / "complete").touch()


@contextmanager
def s3_server(log: Path) -> Iterator[S3]:
    """Run the server until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program()), "-H", "127.0.0.1", "-p", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], **CREDENTIALS},
        )
    try:
        server = S3(f"http://127.0.0.1:{port}")
        _wait(server, process, log)
        yield server
    finally:
        process.terminate()
        process.wait()


def _wait(server: S3, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{server.url}/moto-api/", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    raise RuntimeError(f"the S3 server does not start:\n{log.read_text('utf-8', 'replace')}")
