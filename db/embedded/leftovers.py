"""Processes and files that a killed server left behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from db.embedded.errors import EmbeddedPostgresError

# How to end a PostgreSQL, gentlest first (its documentation, "Shutting Down the Server"), and the
# seconds that each way is given.
_WAYS = ((signal.SIGINT, 8.0), (signal.SIGQUIT, 4.0), (signal.SIGKILL, 4.0))


def clear_leftovers(cluster: Path) -> None:
    """End every PostgreSQL that still runs on `cluster` and remove its stale pid file.

    Only for the holder of the folder's lock, who thereby knows that no server owns those processes.
    Raises EmbeddedPostgresError if one cannot be ended.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    for how, seconds in _WAYS:
        running = list(_processes(cluster))
        if not running:
            break
        # Backends follow their postmaster, which is the only one to be told; the rest are told
        # when it is gone and they are still there.
        masters = [process for process in running if process.pid == postmaster(cluster)]
        for process in masters or running:
            _send(process, how)
        _wait_gone(running, seconds)
    if any(_processes(cluster)):
        raise EmbeddedPostgresError(f"a PostgreSQL that still uses {cluster} cannot be stopped")
    # PostgreSQL would refuse to start if the pid in here had meanwhile gone to another program.
    pid_file.unlink(missing_ok=True)


def postmaster(cluster: Path) -> int | None:
    """Return the process id in the cluster's pid file, which may be stale."""
    try:
        return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def is_ready(cluster: Path) -> bool:
    """Whether the postmaster takes connections: the eighth line of its pid file says so."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def is_running(cluster: Path) -> bool:
    """Whether the postmaster that the pid file names lives and takes connections."""
    pid = postmaster(cluster)
    return is_ready(cluster) and any(process.pid == pid for process in _processes(cluster))


def _processes(cluster: Path) -> Iterator[psutil.Process]:
    """Yield the PostgreSQL processes of `cluster`: each works in the data folder itself."""
    where = str(cluster.resolve())
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == where:
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


def _send(process: psutil.Process, how: signal.Signals) -> None:
    try:
        process.send_signal(how)
    except psutil.NoSuchProcess:
        return


def _wait_gone(processes: list[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(_alive(process) for process in processes):
        time.sleep(0.02)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
