"""The embedded PostgreSQL as its user sees it: start, a connection string, stop."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from db.embedded import supervisor
from db.embedded.binaries import programs_for
from db.embedded.cluster import DATABASE, USER, ensure_cluster
from db.embedded.errors import EmbeddedPostgresError
from db.embedded.folder_lock import FolderLock
from db.embedded.identity import ENVIRONMENT, Identity, choose_identity
from db.embedded.leftovers import clear_leftovers, is_ready, is_running
from db.embedded.runtime_dir import make_runtime_dir, remove_runtime_dir

# Replaying the log of a crash can take a while, and giving up would not make it shorter.
START_SECONDS = 300.0
STOP_SECONDS = 20.0  # more than the supervisor takes for all its ways of stopping


class EmbeddedPostgres:
    """One PostgreSQL on the folder `data_dir`, reached through a unix socket and nothing else.

    `data_dir` gets: `postgres` (the cluster), `postgres.log`, `postgres.lock` and `run` (the
    socket's folder). `settings` override those in postgresql.conf, for tests.
    """

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self._data_dir = data_dir.absolute()
        self._cluster = self._data_dir / "postgres"
        self._settings = dict(settings or {})
        self._lock = FolderLock(self._data_dir / "postgres.lock")
        self._supervisor: subprocess.Popen[bytes] | None = None
        self.dsn = ""
        """The address for asyncpg, once `start` has returned."""

    @property
    def log(self) -> Path:
        """PostgreSQL's log file."""
        return self._data_dir / "postgres.log"

    def start(self) -> str:
        """Start PostgreSQL, making the cluster on first use, and return a DSN for asyncpg.

        Whatever a killed server left on the folder is stopped first. Raises EmbeddedPostgresError
        if another process uses the folder, its version differs, or PostgreSQL does not start.
        """
        try:
            self._make_data_dir()
            lock = self._lock.acquire()
            try:
                self.dsn = self._start_locked(lock)
            except BaseException:
                self.stop()
                raise
            return self.dsn
        except OSError as error:
            raise EmbeddedPostgresError(f"cannot use {self._data_dir}: {error}") from error

    def running(self) -> str | None:
        """The DSN of the PostgreSQL that another process runs on the folder; None if none does."""
        runtime_dir = (self._data_dir / "run").resolve()
        return _dsn(runtime_dir) if is_running(self._cluster) and runtime_dir.exists() else None

    def stop(self) -> None:
        """Stop PostgreSQL and wait until it has; nothing happens if it does not run."""
        process, self._supervisor = self._supervisor, None
        if process is not None:
            assert process.stdin is not None  # noqa: S101 - it is a pipe
            process.stdin.close()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            clear_leftovers(self._cluster)
            remove_runtime_dir(self._data_dir)
        self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _make_data_dir(self) -> None:
        if not self._data_dir.exists():
            self._data_dir.mkdir(mode=0o700, parents=True)

    def _start_locked(self, lock: int) -> str:
        identity = choose_identity(self._cluster)
        programs = programs_for(identity)
        clear_leftovers(self._cluster)
        ensure_cluster(self._cluster, programs, identity, self._settings)
        runtime_dir = make_runtime_dir(self._data_dir, identity)
        with identity.opened(self._cluster) as (path, fds):
            command = self._command(programs, path, runtime_dir)
            self._supervisor = self._supervise(command, identity, fds, lock, runtime_dir)
        self._wait_ready(self._supervisor)
        return _dsn(runtime_dir)

    def _command(self, programs: Path, cluster: str, runtime_dir: Path) -> list[str]:
        settings = {
            **self._settings,
            "listen_addresses": "",
            "unix_socket_directories": str(runtime_dir),
            "port": "5432",
            "logging_collector": "off",  # the supervisor keeps the log, and keeps it small
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(programs / "postgres"), "-D", cluster, *options]

    def _supervise(
        self,
        command: list[str],
        identity: Identity,
        fds: tuple[int, ...],
        lock: int,
        runtime_dir: Path,
    ) -> subprocess.Popen[bytes]:
        spec: supervisor.Spec = {
            "command": command,
            "uid": identity.uid,
            "gid": identity.gid,
            "fds": list(fds),
            "log": str(self.log),
            "remove": str(runtime_dir),
        }
        return subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(lock, *fds),
            env=ENVIRONMENT,
            cwd="/",
            # Out of reach of a terminal's Ctrl-C, which is for the server alone.
            start_new_session=True,
        )

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready(self._cluster):
            if process.poll() is not None:
                raise EmbeddedPostgresError(f"PostgreSQL does not start:\n{self._log_end()}")
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL is not ready; see {self.log}")
            time.sleep(0.01)
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.write(b"1")  # from now on the supervisor starts it again if it dies
        process.stdin.flush()

    def _log_end(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
        return "(it logged nothing)"


def _dsn(runtime_dir: Path) -> str:
    return f"postgresql://{USER}@/{DATABASE}?host={quote(str(runtime_dir))}"
