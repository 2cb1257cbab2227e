"""Files that are either whole and on the disk, or not there: the floor under the local store."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from db.errors import BlockMissingError, StorageFullError, StorageUnavailableError

DRAFTS: Final = ".drafts"
"""Where files are written before they get their name; what a crash leaves here is rubbish."""
LASTING_MAX: Final = 20_000
"""Folders of which is remembered that their names are on the disk; forgetting costs a sync."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class BlockFolder:
    """A folder of files named by relative addresses `a/b/c`; every call blocks.

    Methods raise StorageFullError when the disk is, StorageUnavailableError for any other trouble.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lasting: set[Path] = set()
        """Folders whose own names are known to be on the disk; none is ever removed."""

    def write(self, address: str, content: bytes) -> None:
        """Put a file at `address`, replacing what is there; on the disk when this returns."""
        self.write_all({address: content})

    def write_all(self, contents: Mapping[str, bytes]) -> None:
        """Put a file at each address, replacing what is there; on the disk when this returns.

        Written aside, synced, then renamed: a crash at any moment leaves of each the old file, the
        new one, or none, never a part of one. The folders' syncs make the names themselves last.
        The steps are taken with all files together, because a file system that is asked to sync
        one file often brings others that were just written along.
        """
        paths = {self.root / address: content for address, content in contents.items()}
        with _translated(next(iter(contents), "")), ExitStack() as drafts:
            self._make_root()
            for folder in {self.root / DRAFTS, *(path.parent for path in paths)}:
                self._make(folder)
            written = [(path, self._draft(drafts, content)) for path, content in paths.items()]
            for _, draft in written:
                _sync(draft)
            for path, draft in written:
                draft.replace(path)
            drafts.pop_all()
            self._sync_names(list(paths))

    def _draft(self, drafts: ExitStack, content: bytes) -> Path:
        """A file beside the others, which goes with `drafts` unless it got another name by then."""
        handle, name = tempfile.mkstemp(dir=self.root / DRAFTS)  # mode 0600
        draft = Path(name)
        drafts.callback(_forget, draft)
        with os.fdopen(handle, "wb", buffering=0) as file:
            _write_all(file.fileno(), content)
        return draft

    def confirm(self, address: str) -> bool:
        """Make sure that a file which is there stays there; False when it has just gone.

        Whoever wrote it may not have synced its name yet. The new time tells a collector of
        unused files that this one is wanted again.
        """
        path = self.root / address
        try:
            with _translated(address):
                os.utime(path)
                self._sync_names([path])
        except BlockMissingError:
            return False
        return True

    def read(self, address: str) -> bytes:
        """The file's content. Raises BlockMissingError."""
        with _translated(address):
            return (self.root / address).read_bytes()

    def has(self, address: str) -> bool:
        """Whether a file is at `address`."""
        with _translated(address):
            return (self.root / address).is_file()

    def names(self, address: str) -> Sequence[str]:
        """The names of the folders in the folder at `address`; none where there is no such."""
        try:
            with _translated(address), os.scandir(self.root / address) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except BlockMissingError:
            return []

    def files(self, address: str) -> Sequence[tuple[str, datetime, int]]:
        """The files in the folder at `address`: name, time of the last write or wish, size."""
        found = []
        with _translated(address), os.scandir(self.root / address) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((entry.name, _instant(status.st_mtime), status.st_size))
        return found

    def remove(self, addresses: Sequence[str], before: datetime) -> int:
        """Delete those of the files that nobody wrote or wanted since `before`; how many."""
        removed = 0
        for address in addresses:
            path = self.root / address
            with suppress(BlockMissingError), _translated(address):
                if _instant(path.stat().st_mtime) < before:
                    path.unlink()
                    removed += 1
        return removed

    def tidy(self, before: datetime) -> int:
        """Delete the drafts that a crash before that instant has left; how many."""
        if not self.has_folder(DRAFTS):
            return 0
        old = [f"{DRAFTS}/{name}" for name, at, _ in self.files(DRAFTS) if at < before]
        return self.remove(old, before)

    def has_folder(self, address: str) -> bool:
        """Whether a folder is at `address`."""
        with _translated(address):
            return (self.root / address).is_dir()

    def _make_root(self) -> None:
        """Make the root where it is missing, its name and those of its new parents on the disk."""
        new = self.root
        made = []
        while not new.is_dir():
            made.append(new)
            new = new.parent
        if made:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in made:
                _sync_folder(folder.parent)

    def _make(self, folder: Path) -> None:
        """Make a folder where it is missing."""
        if not folder.is_dir():
            self._lasting.discard(folder)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _sync_names(self, paths: Sequence[Path]) -> None:
        """Put the files' names, and those of the folders down to them, on the disk.

        Another thread or process may have made a folder and not have synced it yet, so each
        process syncs each folder's name once; after that only the files' own are new.
        """
        parents = {path.parent for path in paths}
        new = parents - self._lasting
        above = {folder for parent in new for folder in _between(self.root, parent)}
        for folder in parents | above:
            _sync_folder(folder)
        if len(self._lasting) + len(new) > LASTING_MAX:
            self._lasting.clear()
        self._lasting |= new


@contextmanager
def _translated(address: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise BlockMissingError(address.rpartition("/")[2]) from None
    except OSError as error:
        raise (StorageFullError if error.errno in _NO_ROOM else StorageUnavailableError) from error


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    _sync(folder, os.O_DIRECTORY)


def _sync(path: Path, flags: int = 0) -> None:
    descriptor = os.open(path, os.O_RDONLY | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget(draft: Path) -> None:
    with suppress(OSError):
        draft.unlink()


def _between(root: Path, folder: Path) -> Iterator[Path]:
    """The folders above `folder`, up to and with `root`."""
    for above in folder.parents:
        yield above
        if above == root:
            return
