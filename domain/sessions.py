"""Sessions of Claude Code: what is known about each besides its transcript. The owner's alone.

A little long: what registers, changes and deletes rows shares the rule for who was faster.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from pydantic import AfterValidator, ConfigDict, StringConstraints

from db import conversations as versions
from db import log
from db import session_shares as share_rows
from db import sessions as rows
from db.engine import Connection, Database
from db.errors import DuplicateError, NotAMemberError
from db.log import Head
from db.sessions import Filter as Filter
from db.sessions import Keyset as Keyset
from db.sessions import Order as Order
from domain import journal, machines, share_ends
from domain.actor import Actor
from domain.errors import Conflict, NotFound
from domain.inputs import Input, Storable
from domain.repositories import normalised

BATCH: Final = 500
_TRIES: Final = 8
_SESSION_ID = re.compile(r"[A-Za-z0-9._-]{1,255}")


def _session_id(text: str) -> str:
    if not _SESSION_ID.fullmatch(text) or text in {".", ".."}:
        raise ValueError("must be 1 to 255 letters, digits, dots, dashes or underscores")
    return text


SessionId = Annotated[str, AfterValidator(_session_id)]
Directory = Annotated[Storable, StringConstraints(max_length=4096)]
Name = Annotated[Storable, StringConstraints(max_length=1024)]
Remote = Annotated[Storable, StringConstraints(max_length=2048), AfterValidator(normalised)]


class About(Input):
    """What a client says about a session; what it leaves out, or leaves empty, stays as it is."""

    # The wire of the Registry API is in snake_case.
    model_config = ConfigDict(alias_generator=None)

    working_directory: Directory | None = None
    project_name: Name | None = None
    name: Name | None = None
    git_remote: Remote | None = None
    """The repository, in the form of `domain.repositories`; what is none is left out."""

    def said(self) -> dict[str, Any]:
        """The fields with something in them."""
        fields = {name: getattr(self, name) for name in About.model_fields}
        return {name: value for name, value in fields.items() if value}


class NewSession(About):
    """A session to be registered."""

    session_id: SessionId


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its owner sees it."""

    id: UUID
    scope_id: UUID
    session_id: str
    """Claude Code's own id."""
    name: str | None
    project_name: str | None
    given_directory: str | None
    """The folder that a client named: often a guess."""
    cwd: str | None
    """The folder that the transcript names."""
    git_branch: str | None
    title: str | None
    title_rank: int | None
    first_at: datetime | None
    last_at: datetime | None
    conversation_size: int
    """Bytes."""
    conversation_lines: int
    head_number: int | None
    """The version of the conversation that is current; None while there is none."""
    version: int
    created_at: datetime
    updated_at: datetime
    tags: Sequence[str] = ()
    notes: str | None = None
    """What the owner wrote down about it; never shown to anybody else."""
    key_id: UUID | None = None
    """The API key that last backed it up."""
    git_remote: str | None = None
    """The repository that its folder is a clone of, as `host/path`."""

    @property
    def working_directory(self) -> str | None:
        """The folder it ran in: the transcript's word counts for more than the client's."""
        return self.cwd or self.given_directory

    @property
    def project(self) -> str | None:
        """What it counts to: the same repository on two machines is one project."""
        return self.git_remote or self.project_name or self.working_directory

    @property
    def said(self) -> dict[str, str | None]:
        """What clients have said about it so far."""
        return {
            "working_directory": self.given_directory,
            "project_name": self.project_name,
            "name": self.name,
            "git_remote": self.git_remote,
        }

    def place(self, order: Order) -> Keyset:
        """Where it stands in an order."""
        return rows.place_in(order, self)


@dataclass(frozen=True, slots=True)
class Registered:
    """What registering came to: ids of sessions that are new, and of those that were there."""

    created: frozenset[str]
    known: frozenset[str]


class Stale(Exception):  # noqa: N818 - reads as what it says
    """Somebody else changed the session meanwhile: look again and try again."""


async def get(db: Database, actor: Actor, either_id: str) -> Session:
    """The actor's session by Claude Code's id or by ours. Raises NotFound."""
    ours = None
    with suppress(ValueError):
        ours = UUID(either_id)
    async with db.read(actor) as connection:
        row = await rows.by_either_id(connection, actor.access, either_id, ours)
    if row is None:
        raise NotFound("No such session")
    return Session(*row)


async def every(
    db: Database, actor: Actor, project: str | None = None
) -> AsyncIterator[Sequence[Session]]:
    """All of the actor's sessions in batches, each exactly once; memory holds one batch.

    `project` narrows it to a project: repository, name or folder, whole or its last part.
    """
    after = ""
    while True:
        async with db.read(actor) as connection:
            batch = await rows.batch(connection, actor.access, project, after, BATCH)
        if batch:
            yield [Session(*row) for row in batch]
        if len(batch) < BATCH:
            return
        after = batch[-1].session_id


async def page(
    db: Database,
    actor: Actor,
    wanted: Filter,
    *,
    limit: int,
    order: Order = "updated",
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> list[Session]:
    """Sessions, last changed, last begun or largest first.

    `backward` takes the last `limit` of the range instead.
    """
    async with db.read(actor) as connection:
        found = await rows.page(
            connection,
            actor.access,
            wanted,
            limit=limit,
            order=order,
            after=after,
            before=before,
            backward=backward,
        )
    return [Session(*row) for row in found]


async def count(db: Database, actor: Actor, wanted: Filter) -> int:
    """How many of the actor's sessions a list has in all."""
    async with db.read(actor) as connection:
        return await rows.count(connection, actor.access, wanted)


async def by_ids(db: Database, actor: Actor, ids: Sequence[UUID]) -> list[Session]:
    """Those of the actor's sessions that have these ids of ours, in any order."""
    async with db.read(actor) as connection:
        return [Session(*row) for row in await rows.by_ids(connection, actor.access, ids)]


async def by_session_ids(db: Database, actor: Actor, session_ids: Sequence[str]) -> list[Session]:
    """Those of the actor's sessions that Claude Code calls so, in any order."""
    async with db.read(actor) as connection:
        found = await rows.by_session_ids(connection, actor.access, session_ids)
    return [Session(*row) for row in found]


async def register(db: Database, actor: Actor, items: Iterable[NewSession]) -> Registered:
    """Make known what a client says of its sessions; of several about one the last counts.

    Sessions about which nothing new is said are not written. Raises Conflict when others keep
    changing the same sessions.
    """
    wanted = {item.session_id: item.said() for item in items}
    ids = list(wanted)
    created: set[str] = set()
    for start in range(0, len(ids), BATCH):
        part = {session_id: wanted[session_id] for session_id in ids[start : start + BATCH]}
        for attempt in range(_TRIES):
            try:
                created |= await _register(db, actor, part)
                break
            except (Stale, DuplicateError):
                if attempt == _TRIES - 1:
                    raise Conflict("Others keep changing this session: try again") from None
    return Registered(frozenset(created), frozenset(wanted) - created)


async def _register(
    db: Database, actor: Actor, wanted: Mapping[str, Mapping[str, Any]]
) -> set[str]:
    async with db.read(actor) as connection:
        found = await rows.by_session_ids(connection, actor.access, list(wanted))
    known = {row.session_id: Session(*row) for row in found}
    changes = [
        (session, changed)
        for session_id, session in known.items()
        if (changed := news(session, wanted[session_id]))
    ]
    fresh = [session_id for session_id in wanted if session_id not in known]
    if changes or fresh:
        async with db.begin(actor) as connection:
            await _write(connection, actor, changes, {key: wanted[key] for key in fresh})
    return set(fresh)


async def _write(
    connection: Connection,
    actor: Actor,
    changes: Sequence[tuple[Session, Mapping[str, Any]]],
    fresh: Mapping[str, Mapping[str, Any]],
) -> None:
    scope, total = actor.account_id, len(changes) + len(fresh)
    counts = {scope: total}
    head = (await journal.take_heads(connection, actor, counts, permission="team.push"))[scope]
    entries, added = [], []
    for session, changed in changes:
        entry = journal.entry(head, "session_updated", session.id, actor.account_id)
        stamp = {"version": entry.version, "updated_at": head.at, **machines.mark(actor)}
        if not await rows.change(
            connection, actor.access, session.id, session.version, {**changed, **stamp}
        ):
            raise Stale
        entries.append(entry)
    for session_id, said in fresh.items():
        entry = journal.entry(head, "session_created", uuid4(), actor.account_id)
        added.append(new_row(actor, session_id, entry.subject_id, said, entry.version, head.at))
        entries.append(entry)
    if added:
        await rows.add(connection, added)
    await journal.append(connection, entries)


async def update(db: Database, actor: Actor, either_id: str, data: About) -> Session:
    """Change what is said about a session. Raises NotFound, or Conflict when others are faster."""
    session_id = (await get(db, actor, either_id)).session_id
    await register(db, actor, [NewSession.model_construct(session_id=session_id, **data.said())])
    return await get(db, actor, session_id)


async def delete(db: Database, actor: Actor, either_id: str) -> None:
    """Delete a session with every version of its conversation; teams it is shared with lose it.

    There is no way back. Raises NotFound, or Conflict when it is shared anew again and again.
    """
    session = await get(db, actor, either_id)
    for _ in range(_TRIES):
        with suppress(Stale):
            return await _delete(db, actor, session)
    raise Conflict("Others keep changing this session: try again")


async def _delete(db: Database, actor: Actor, session: Session) -> None:
    scope = actor.account_id
    async with db.begin(actor) as connection:
        shares = await share_rows.teams_of(connection, actor.access, session.id)
        heads = await _heads_for_end(connection, [scope, *shares])
        if await share_rows.teams_of(connection, actor.access, session.id) != shares:
            raise Stale
        head = heads[scope]
        version = head.take()
        gone = await rows.bury(connection, actor.access, session.session_id, version, head.at)
        if gone is None:
            raise NotFound("No such session")
        await versions.forget(connection, actor.access, gone)
        entry = journal.stamped(head, version, "session_deleted", gone, actor.account_id)
        await journal.append(connection, [entry])
        for team, share in sorted(shares.items()):
            await share_ends.end(connection, heads[team], [share], "session_deleted", scope)


async def _heads_for_end(connection: Connection, scopes: Sequence[UUID]) -> dict[UUID, Head]:
    """The heads of the own scope and of teams, of which one may have been left meanwhile."""
    try:
        return await log.advance(connection, None, dict.fromkeys(scopes, 1))
    except NotAMemberError:
        raise Stale from None


async def shared_beginnings(db: Database, actor: Actor, length: int) -> set[str]:
    """Beginnings of `length` characters, in lower case, that several session ids have."""
    async with db.read(actor) as connection:
        return await rows.shared_beginnings(connection, actor.access, length)


def news(session: Session, said: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the fields that differ from what has been said about the session before."""
    return {name: value for name, value in said.items() if session.said[name] != value}


def new_row(
    actor: Actor,
    session_id: str,
    id: UUID,
    said: Mapping[str, Any],
    version: int,
    at: datetime,
) -> dict[str, Any]:
    """A row for a session that was not known before."""
    blank = dict.fromkeys(About.model_fields)
    return {
        **blank,
        **said,
        "key_id": actor.key_id,
        "scope_id": actor.account_id,
        "id": id,
        "session_id": session_id,
        "version": version,
        "created_at": at,
        "updated_at": at,
    }
