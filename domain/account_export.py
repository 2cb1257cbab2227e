"""Everything that an account keeps here as one archive, made in little memory while it is sent.

Rows come as JSON Lines in parts of one batch, transcripts as they were uploaded, all versions of
them. What can be computed from these (messages, token usage, search) is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from typing import Any, Final

import orjson

from db import conversations as versions
from db import export as rows
from domain import audit, bundle, contributions, sessions, tar
from domain.actor import Actor
from domain.audit import AuditFilter, AuditPlace, AuditRange
from domain.errors import NotFound
from domain.policy import require_key
from domain.services import Services
from domain.sessions import Session
from domain.versions import Version

BATCH: Final = 500
README: Final = b"""Everything that your account keeps on this server.

*/0001.jsonl     one JSON object a line: profile, keys (without the keys themselves), teams that you
                 are in, knowledge that you wrote, stars, summaries, sessions, versions of their
                 files, what you share, what you contribute, your log and your audit log
projects/        conversations and their further files in the current version, as Claude Code has
                 them below its folder projects
earlier/         earlier versions of them: SESSION/FILE/NUMBER
SHA256SUMS       sha256sum -c SHA256SUMS
"""


async def archive(services: Services, actor: Actor) -> AsyncIterator[bytes]:
    """A tar archive of all that is the actor's.

    Raises Forbidden for a key that may not administer the account, and BlockMissingError or
    BlockDamagedError rather than give a wrong byte; who has got some of it then misses the end.
    """
    require_key(actor, "admin")
    sums: list[str] = []

    def part(name: str, data: bytes) -> bytes:
        sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
        return tar.member(name, data)

    yield part("README.txt", README)
    async for name, lines in _sections(services, actor):
        yield part(name, b"".join(lines))
    async for name, version in _files(services, actor):
        content = version.content
        yield tar.head(name, content.size, int(version.updated_at.timestamp()))
        async for block in services.custody.read(actor, content):
            yield block
        yield tar.filling(content.size)
        sums.append(f"{content.digest.hex()}  {name}\n")
    yield tar.member(bundle.SUMS, "".join(sums).encode()) + tar.END


async def _sections(services: Services, actor: Actor) -> AsyncIterator[tuple[str, Iterable[bytes]]]:
    for section in rows.SECTIONS:
        async for number, found in _numbered(_rows(services, actor, section)):
            yield f"{section.name}/{number:04}.jsonl", (_line(row._asdict()) for row in found)
    async for number, events in _numbered(_events(services, actor)):
        yield f"audit/{number:04}.jsonl", (_line(asdict(event)) for event in events)
    async for number, said in _numbered(_contributions(services, actor)):
        yield f"contributions/{number:04}.jsonl", (_line(asdict(item)) for item in said)


async def _numbered(pages: AsyncIterator[list[Any]]) -> AsyncIterator[tuple[int, list[Any]]]:
    number = 0
    async for page in pages:
        number += 1
        yield number, page


async def _rows(
    services: Services, actor: Actor, section: rows.Section
) -> AsyncIterator[list[Any]]:
    after = None
    while True:
        async with services.db.read(actor) as connection:
            found = list(await rows.page(connection, section, actor.access, after, BATCH))
        if found:
            yield found
        if len(found) < BATCH:
            return
        after = found[-1]


async def _events(services: Services, actor: Actor) -> AsyncIterator[list[Any]]:
    after: AuditPlace | None = None
    while found := await audit.of_me(services.db, actor, AuditFilter(), AuditRange(BATCH, after)):
        yield list(found)
        after = AuditPlace(found[-1].at, found[-1].id)


async def _contributions(services: Services, actor: Actor) -> AsyncIterator[list[Any]]:
    after = None
    while found := await contributions.page(services, actor, limit=BATCH, after=after):
        yield list(found)
        after = found[-1].pattern_id


async def _files(services: Services, actor: Actor) -> AsyncIterator[tuple[str, Version]]:
    """Each version of each file of each session, with its name in the archive."""
    async for batch in sessions.every(services.db, actor):
        by_id = {session.id: session for session in batch}
        async with services.db.read(actor) as connection:
            places = await versions.numbers(connection, actor.access, list(by_id))
        for row in places:
            session = by_id[row.session]
            try:
                opened = services.custody.open
                version = (
                    await opened(actor, session.session_id, row.number, path=row.path)
                ).version
            except NotFound:
                continue  # deleted while the archive was being made
            yield _name(session, row.path, row.number, row.current), version


def _name(session: Session, path: str, number: int, current: bool) -> str:
    if current:
        return f"projects/{bundle.place_of(session, path)}"
    return f"earlier/{session.session_id}/{path or 'conversation.jsonl'}/{number}"


def _line(values: dict[str, Any]) -> bytes:
    named = {str(name): value for name, value in values.items()}  # SQLAlchemy's names are its own
    return orjson.dumps(named, default=_plain, option=orjson.OPT_APPEND_NEWLINE)


def _plain(value: object) -> Any:
    return value.hex() if isinstance(value, bytes) else str(value)
