"""Sessions as one archive, laid out as Claude Code has them below its folder `projects`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from db.engine import Database
from domain import manifest, tar
from domain.actor import Actor
from domain.conversations import Custody
from domain.errors import NotFound
from domain.manifest import Item
from domain.sessions import Session

SUMS: Final = "SHA256SUMS"
_FOLDER_MAX: Final = 200
_OTHER: Final = re.compile(r"[^a-zA-Z0-9]")


async def archive(
    db: Database, custody: Custody, actor: Actor, session_id: str | None = None
) -> AsyncIterator[bytes]:
    """A tar archive of the actor's sessions, or of one: every file, then the sums of all.

    Raises NotFound when there is none, and BlockMissingError or BlockDamagedError rather than give
    a wrong byte; who has got some of it then misses the end.
    """
    sums: list[str] = []
    async for item in manifest.every(db, actor, session_id):
        try:
            found = await custody.open(actor, item.session.session_id, path=item.path)
        except NotFound:
            continue  # deleted while the archive was being made
        content, name = found.version.content, place(item)
        yield tar.head(name, content.size, int(found.version.updated_at.timestamp()))
        async for block in custody.read(actor, content):
            yield block
        yield tar.filling(content.size)
        sums.append(f"{content.digest.hex()}  {name}\n")
    if not sums:
        raise NotFound("No such session")
    yield tar.member(SUMS, "".join(sums).encode()) + tar.END


def place(item: Item) -> str:
    """Where a file stands below `projects`."""
    return place_of(item.session, item.path)


def place_of(session: Session, path: str) -> str:
    """Where the conversation, whose path is empty, or a further file stands below `projects`."""
    tail = f"{session.session_id}/{path}" if path else f"{session.session_id}.jsonl"
    return f"{folder(session.project_name, session.working_directory)}/{tail}"


def folder(project_name: str | None, directory: str | None) -> str:
    """The name of a project's folder: the one it had, else as Claude Code makes it of the path."""
    name = project_name or ""
    if name and "/" not in name and not name.startswith(".") and name.isprintable():
        return name
    return _OTHER.sub("-", directory or "restored")[:_FOLDER_MAX]
