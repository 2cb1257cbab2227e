"""Which system user PostgreSQL runs as, and how that user gets at a folder.

PostgreSQL refuses to run as root. A server that was started by root therefore runs it as somebody
without rights; a server that was started by anybody else runs it as that same user.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db.embedded.errors import EmbeddedPostgresError

_CANDIDATES = ("postgres", "nobody")
# Nothing of the server's own: PGDATA and the like would mean something to PostgreSQL.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Identity:
    """A user and group id for a child process; None means: as whoever runs the server."""

    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> tuple[int, ...] | None:
        """The supplementary groups: none at all once rights were dropped."""
        return None if self.uid is None else ()

    def take(self, path: Path) -> None:
        """Make this user the owner of `path`, for this user only."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)
        path.chmod(0o700)

    def run(
        self, command: Sequence[str], *, fds: Sequence[int] = (), text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` to its end as this user, feeding it `text`; output is captured.

        Raises OSError if this user cannot reach the program.
        """
        return subprocess.run(
            command,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            user=self.uid,
            group=self.gid,
            extra_groups=self.groups,
            pass_fds=fds,
            env=ENVIRONMENT,
            cwd="/",
            check=False,
        )

    def can_enter(self, folder: Path) -> bool:
        """Whether this user gets to `folder` by its path; a closed parent is enough to say no."""
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0

    @contextmanager
    def opened(self, folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield a path under which this user's processes find `folder`, and descriptors to pass.

        Root's home and pytest's scratch folders are closed to everybody else. Opening such a parent
        is not ours to do, so the folder itself, which belongs to this user, is handed over as an
        open descriptor: `/proc/self/fd/N` leads to it past its parents.
        """
        if self.can_enter(folder):
            yield str(folder), ()
            return
        if not sys.platform.startswith("linux"):
            raise EmbeddedPostgresError(f"user {self.uid} cannot reach {folder}; open its parents")
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{descriptor}", (descriptor,)
        finally:
            os.close(descriptor)


def choose_identity(cluster: Path) -> Identity:
    """Return who PostgreSQL runs as on the folder `cluster`, which need not exist yet.

    For root that is the owner of an existing cluster (who may be another than the one that a new
    cluster would get, say after a move to another system), else `postgres`, else `nobody`.
    Raises EmbeddedPostgresError if an existing cluster belongs to somebody else.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in {None, os.geteuid()}:
            raise EmbeddedPostgresError(
                f"{cluster} belongs to user {owner}; run the server as that user or as root"
            )
        return Identity()
    if owner:
        return Identity(owner, cluster.stat().st_gid)
    for name in _CANDIDATES:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if user.pw_uid != 0:
            return Identity(user.pw_uid, user.pw_gid)
    return Identity(65534, 65534)
