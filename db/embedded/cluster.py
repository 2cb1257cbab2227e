"""The data folder of PostgreSQL: made once, recognised later."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from db.embedded.binaries import major_version
from db.embedded.errors import EmbeddedPostgresError
from db.embedded.identity import Identity

USER = DATABASE = "teamlore"

# Written to postgresql.conf once, so that an operator can change them there.
_TUNING = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def ensure_cluster(
    cluster: Path, programs: Path, identity: Identity, settings: Mapping[str, str]
) -> None:
    """Make the cluster if there is none, and check that `programs` can open it if there is one.

    It is made beside its place and then renamed, so an interrupted attempt leaves no cluster and is
    done again. Raises EmbeddedPostgresError for a cluster of another major version, a folder with
    something else in it, and when initdb fails.
    """
    if (cluster / "PG_VERSION").exists():
        _check_version(cluster, programs)
        return
    if cluster.exists() and any(cluster.iterdir()):
        raise EmbeddedPostgresError(f"{cluster} holds no PostgreSQL data but is not empty")
    draft = cluster.with_name(cluster.name + ".new")
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir()
    identity.take(draft)
    _initialise(draft, programs, identity, sync=settings.get("fsync") != "off")
    draft.rename(cluster)
    descriptor = os.open(cluster.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_version(cluster: Path, programs: Path) -> None:
    found = (cluster / "PG_VERSION").read_text().strip()
    ours = major_version(programs)
    if found != str(ours):
        raise EmbeddedPostgresError(
            f"{cluster} was made by PostgreSQL {found}, and this server brings PostgreSQL {ours}. "
            f"Dump the data with PostgreSQL {found} (pg_dumpall), start this server on an empty "
            "folder and load the dump, or set DATABASE_URL."
        )


def _initialise(draft: Path, programs: Path, identity: Identity, *, sync: bool) -> None:
    with identity.opened(draft) as (path, fds):
        initdb = [
            str(programs / "initdb"),
            f"--pgdata={path}",
            f"--username={USER}",
            "--encoding=UTF8",
            "--locale=C",
            # The order of code points, the same on every system and after every upgrade.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            # Whoever reaches the socket in its private folder could read the files as well.
            "--auth=trust",
            "--no-instructions",
            *([] if sync else ["--no-sync"]),
            *(f"--set={name}={value}" for name, value in _TUNING.items()),
        ]
        _checked(identity, initdb, fds, "")
        # Single-user mode: the database is there before the cluster counts as made.
        single = [str(programs / "postgres"), "--single", "-D", path]
        flush = [] if sync else ["-c", "fsync=off"]
        _checked(identity, [*single, *flush, "postgres"], fds, f"CREATE DATABASE {DATABASE}\n")


def _checked(identity: Identity, command: list[str], fds: tuple[int, ...], text: str) -> None:
    finished = identity.run(command, fds=fds, text=text)
    if finished.returncode != 0 or "ERROR:" in finished.stdout:
        name = Path(command[0]).name
        raise EmbeddedPostgresError(f"{name} failed:\n{finished.stdout.strip()}")
