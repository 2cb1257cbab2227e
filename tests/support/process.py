"""`python -m cli serve` as a process of its own, for tests that measure or kill it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
_READY = re.compile(r"ready at (http://\S+)")


class ServerProcess:
    """A server process. `url` is where it answers once `wait_ready` has returned."""

    def __init__(
        self, environ: Mapping[str, str], folder: Path, *arguments: str, module: str = "cli"
    ) -> None:
        """Start it in `folder`, which also gets its output as `server.log`."""
        self.log = folder / "server.log"
        self.url = ""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, "serve", *arguments],
                cwd=folder,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """The process id of the server itself."""
        return self.process.pid

    def output(self) -> str:
        """Everything that the server has printed and logged so far."""
        return self.log.read_text("utf-8", errors="replace")

    def wait_ready(self, seconds: float = 60) -> str:
        """Wait until the server says where it answers, and return that URL."""
        deadline = time.monotonic() + seconds
        while (found := _READY.search(self.output())) is None:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended at once:\n{self.output()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the server is not ready:\n{self.output()}")
            time.sleep(0.01)
        self.url = found[1]
        return self.url

    def resident_bytes(self) -> int:
        """How much memory the server holds now."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def terminate(self, seconds: float = 30) -> int:
        """Ask the server to stop (SIGTERM), wait until it has and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End the server without a chance to clean up (SIGKILL)."""
        self.process.kill()
        self.process.wait()
