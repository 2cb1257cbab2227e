"""One server at a time on a data folder."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import psutil

from db.embedded.errors import EmbeddedPostgresError

# A killed server's supervisor keeps the lock while it stops PostgreSQL.
_PATIENCE_SECONDS = 30.0


class FolderLock:
    """An exclusive lock, held through an open file: the system drops it when its holders are gone.

    The supervisor inherits the file, so the folder is free only when PostgreSQL has stopped too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> int:
        """Take the lock and return its descriptor.

        Raises EmbeddedPostgresError naming the process that has it, if that process lives.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait_for(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return descriptor

    def release(self) -> None:
        """Give the lock up; nothing happens if it is not held."""
        if self._descriptor is not None:
            os.truncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 32, 0).strip().decode()
            else:
                return
            if holder.isdigit() and _lives(int(holder)):
                raise EmbeddedPostgresError(
                    f"{self._path.parent} is already used by process {holder}"
                )
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"{self._path.parent} is still used by a PostgreSQL that does not stop"
                )
            time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
