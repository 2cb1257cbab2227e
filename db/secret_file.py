"""Secrets that the server makes for itself: once, kept in a private file."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

FOLDER = "secrets"


def ensure_secret(data_dir: Path, name: str) -> str:
    """Return the secret `name` of this installation: 32 random bytes as 64 hex digits.

    The first call makes it, in `data_dir/secrets/<name>` with mode 0600 in a folder with mode 0700.
    Of two processes that ask at the same moment both get the secret of whoever was first.
    Raises OSError if the folder cannot be written.
    """
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    path = folder / name
    if not path.exists():
        _publish(path, secrets.token_hex(32))
    return path.read_text("ascii").strip()


def _publish(path: Path, secret: str) -> None:
    """Put a complete file at `path`, unless one is there: readers never see half a secret."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # link, not rename: it fails instead of replacing what another process published first.
            path.hardlink_to(draft)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        Path(draft).unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
