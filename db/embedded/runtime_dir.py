"""The private folder of PostgreSQL's socket.

`data_dir/run` where that works. A socket's path may have 107 bytes at most, PostgreSQL's user must
get there by name, and the drivers' URL syntax gives commas and colons another meaning; where any of
that fails, it is a folder in the system's place for such, and `data_dir/run` is a link to it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from db.embedded.identity import Identity

_SOCKET_NAME_BYTES = len("/.s.PGSQL.5432")
_PATH_BYTES = 103  # macOS; Linux has four more
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


def make_runtime_dir(data_dir: Path, identity: Identity) -> Path:
    """Return a new, empty folder for the socket, which only `identity` (and root) can enter."""
    remove_runtime_dir(data_dir)
    wanted = data_dir / "run"
    if _is_usable(wanted) and identity.can_enter(data_dir):
        wanted.mkdir(mode=0o700)
        identity.take(wanted)
        return wanted
    made = Path(tempfile.mkdtemp(prefix="teamlore-", dir=_system_dir()))
    identity.take(made)
    wanted.symlink_to(made)
    return made


def remove_runtime_dir(data_dir: Path) -> None:
    """Remove what `make_runtime_dir` made, also in an earlier run that was killed."""
    path = data_dir / "run"
    if path.is_symlink():
        target = path.readlink()
        if target.name.startswith("teamlore-"):
            shutil.rmtree(target, ignore_errors=True)
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _is_usable(path: Path) -> bool:
    plain = _PLAIN.fullmatch(str(path)) is not None
    return plain and len(os.fsencode(path)) + _SOCKET_NAME_BYTES <= _PATH_BYTES


def _system_dir() -> Path:
    own = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    # Root's own is closed to the user that PostgreSQL runs as.
    if os.geteuid() != 0 and own.is_absolute() and own.is_dir() and len(os.fsencode(own)) < 60:
        return own
    return Path("/tmp")  # noqa: S108 - the folder in it is made by mkdtemp, private and unguessable
