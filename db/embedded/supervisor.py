"""The process between the server and its PostgreSQL. It outlives the server by a few seconds.

It runs PostgreSQL as its child and reads a pipe whose other end only the server holds. However the
server ends, kill -9 included, the pipe then reads as ended, and PostgreSQL is stopped. A byte in
the pipe says that the start succeeded: from then on a PostgreSQL that dies is started again.

It runs as a script on the standard library alone (`python -I -S supervisor.py SPEC`), to start fast
and to depend on nothing that may be going away.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TypedDict

FAST_SHUTDOWN_SECONDS = 8.0
IMMEDIATE_SHUTDOWN_SECONDS = 4.0
LOG_BYTES = 4 * 1024 * 1024  # then it becomes <name>.1, and the one before that goes


class Spec(TypedDict):
    """What the server tells its supervisor, as JSON in the one argument."""

    command: list[str]
    uid: int | None
    gid: int | None
    fds: list[int]
    log: str
    remove: str | None
    """A folder made for this run, which is removed at its end."""


class Supervisor:
    """Keeps one PostgreSQL running until the pipe on standard input ends."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._log = Path(spec["log"])
        self._child: subprocess.Popen[bytes] | None = None
        self._started_well = False
        self._stopping = threading.Event()

    def run(self) -> int:
        """Run until told to stop, or until a first start fails; return PostgreSQL's exit status."""
        status = self._run_once()
        while self._started_well and not self._stopping.is_set():
            # Its backends need a moment to notice, and PostgreSQL waits for none of them.
            self._stopping.wait(0.3)
            if not self._stopping.is_set():
                status = self._run_once()
        if self._spec["remove"]:
            shutil.rmtree(self._spec["remove"], ignore_errors=True)
        return status

    def watch(self) -> None:
        """Read the pipe to its end, then stop PostgreSQL: gently, then less so."""
        while os.read(0, 1):
            self._started_well = True
        self._stopping.set()
        for how, seconds in (
            (signal.SIGINT, FAST_SHUTDOWN_SECONDS),
            (signal.SIGQUIT, IMMEDIATE_SHUTDOWN_SECONDS),
            (signal.SIGKILL, 2.0),
        ):
            deadline = time.monotonic() + seconds
            child = self._child
            if child is not None and child.returncode is None:
                child.send_signal(how)
            while time.monotonic() < deadline:
                # A child that was being started when the pipe ended is met here.
                if self._child is not child:
                    break
                time.sleep(0.05)
        os._exit(1)  # something still holds the log's pipe; the next start deals with it

    def _run_once(self) -> int:
        self._child = child = subprocess.Popen(
            self._spec["command"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=self._spec["uid"],
            group=self._spec["gid"],
            extra_groups=None if self._spec["uid"] is None else (),
            pass_fds=self._spec["fds"],
            umask=0o077,
        )
        assert child.stdout is not None  # noqa: S101 - it was asked for
        # Until the last process that could log has gone, so a restart finds the folder unused.
        self._keep_log(child.stdout)
        return child.wait()

    def _keep_log(self, lines: IO[bytes]) -> None:
        for line in lines:
            try:
                with self._log.open("ab") as file:
                    file.write(line)
                    full = file.tell() > LOG_BYTES
                if full:
                    self._log.replace(self._log.with_name(self._log.name + ".1"))
            except OSError:
                continue  # a full disk must not stop PostgreSQL, which would block on the pipe


def main() -> int:
    """Run what the one argument describes."""
    # A terminal's Ctrl-C, or a service manager that signals the whole group, means the server,
    # which drains its requests before PostgreSQL may go.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    os.umask(0o077)
    supervisor = Supervisor(json.loads(sys.argv[1]))
    threading.Thread(target=supervisor.watch, daemon=True).start()
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
