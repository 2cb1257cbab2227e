"""Servers as processes of their own, each on one core, and what they cost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

READY_SECONDS = 60
SERVER_CORE, OTHER_CORE = 0, 1
"""Where the measured server runs, and where the load generator and PostgreSQL do."""
_READY = re.compile(r"ready at (http://\S+)")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far."""

    cpu_seconds: float
    resident_bytes: int


_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
"""What this process could use when it began."""


def can_pin() -> bool:
    """Whether processes can be bound to cores here, and there are two."""
    return len(_CORES) > 1


def pin(core: int, *pids: int) -> None:
    """Bind processes (this one unless given), and all that they start from now on, to a core.

    Nothing happens where that is impossible.
    """
    if can_pin():
        for pid in pids or (0,):
            os.sched_setaffinity(pid, {_CORES[core]})


class Process:
    """A server that answers at `url`; its output goes to a file."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env={"PATH": os.environ["PATH"], **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        pin(SERVER_CORE, self._process.pid)
        self.url = self._wait()

    def _wait(self) -> str:
        deadline = time.monotonic() + READY_SECONDS
        while (found := _READY.search(self._log.read_text(errors="replace"))) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"it does not start:\n{self._log.read_text(errors='replace')}")
            time.sleep(0.02)
        return found[1].rstrip("/")

    def usage(self) -> Usage:
        """What it has used, with all its threads and children."""
        whole = psutil.Process(self._process.pid)
        cpu, resident = 0.0, 0
        for process in (whole, *whole.children(recursive=True)):
            times = process.cpu_times()
            cpu += times.user + times.system
            resident += process.memory_info().rss
        return Usage(cpu, resident)

    def stop(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
