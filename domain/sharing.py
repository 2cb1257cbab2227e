"""Sharing a session with a team: an explicit act of its owner, about single facts of it.

A team sees what the owner chose to show (title, project, branch, times, sizes, the last part of
the folder), as it is now, and by an explicit word what was said until then, masked
(`domain.reading.shared`); never the transcript's bytes, the owner's notes and tags, or whole paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, get_args
from uuid import UUID, uuid4

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from db import session_shares as rows
from db import sessions as session_rows
from db.engine import Database
from db.rows import AnyRow
from db.session_shares import Keyset as Keyset
from domain import journal, share_ends
from domain.actor import Actor
from domain.encryption import refuse_plaintext
from domain.errors import Forbidden, NotFound
from domain.inputs import Input, NonBlank
from domain.masking import Mask
from domain.policy import PERMISSIONS, require

Fact = Literal["title", "project", "branch", "directory", "times", "size", "conversation"]
USUAL_FACTS: Final[tuple[Fact, ...]] = tuple(f for f in get_args(Fact) if f != "conversation")
"""What is shown unless told otherwise: what was said only ever by an explicit word."""


def _in_future(instant: datetime) -> datetime:
    if instant <= datetime.now(UTC):
        raise ValueError("must be in the future")
    return instant


class NewShare(Input):
    """What of a session to show to a team, and until when."""

    team_id: UUID
    title: Annotated[NonBlank, StringConstraints(max_length=255)] | None = None
    note: Annotated[NonBlank, StringConstraints(max_length=2_000)] | None = None
    show: Annotated[tuple[Fact, ...], Field(max_length=50)] | None = None
    """The usual facts unless told which."""
    expires_at: Annotated[AwareDatetime, AfterValidator(_in_future)] | None = None


@dataclass(frozen=True, slots=True)
class SharedSession:
    """A session as a team sees it; what its owner does not show is None."""

    id: UUID
    """The share's own id."""
    team_id: UUID
    owner_id: UUID
    session: UUID
    """The session's id, for the owner and for what reads it on the team's behalf."""
    note: str | None
    shared_at: datetime
    expires_at: datetime | None
    title: str | None
    project: str | None
    branch: str | None
    directory: str | None
    """Only the last part of the folder."""
    first_at: datetime | None
    last_at: datetime | None
    conversation_size: int | None
    """Bytes."""
    conversation_lines: int | None

    @property
    def place(self) -> Keyset:
        """Where it stands in the order last shared first."""
        return Keyset(self.shared_at, self.id)


def _seen(row: AnyRow) -> SharedSession:
    """A share as others see it: a title may quote the first prompt, so it is masked as that is."""
    shared = SharedSession(*row)
    if shared.title is None:
        return shared
    return replace(shared, title=Mask(None)(shared.title).text)


async def share(db: Database, actor: Actor, session: UUID, data: NewShare) -> SharedSession:
    """Show one of the actor's sessions to a team; where it is shared already, change how.

    Raises NotFound for somebody else's session or team, Forbidden when the actor may not write in
    the team.
    """
    team_id, own = data.team_id, actor.account_id
    if team_id == own:
        raise NotFound("No such team")
    require(actor, "team.write", team_id)
    async with db.begin(actor) as connection:
        # The own scope is locked too, so that the session cannot be deleted meanwhile.
        counts = {team_id: 1, own: 0}
        heads = await journal.take_heads(connection, actor, counts, outsider=NotFound)
        head = heads[team_id]
        await refuse_plaintext(connection, team_id)
        if not await session_rows.by_ids(connection, actor.access, [session]):
            raise NotFound("No such session")
        version = head.take()
        values = data.model_dump(exclude={"team_id", "show"}) | {
            "scope_id": team_id,
            "id": uuid4(),
            "owner_id": own,
            "session": session,
            "shown": sorted(set(USUAL_FACTS if data.show is None else data.show)),
            "shared_at": head.at,
            "version": version,
        }
        share_id = await rows.put(connection, values)
        entry = journal.stamped(head, version, "session_shared", share_id, own)
        await journal.append(connection, [entry])
    return await get(db, actor, share_id)


async def unshare(db: Database, actor: Actor, share_id: UUID) -> SharedSession:
    """End a share: its owner may, and who may tidy up in the team; the share as it was.

    Raises NotFound for outsiders and Forbidden for other members.
    """
    shared = await get(db, actor, share_id)
    role = require(actor, "team.read", shared.team_id)
    if shared.owner_id != actor.account_id and role not in PERMISSIONS["team.unshare"]:
        raise Forbidden
    async with db.begin(actor) as connection:
        counts = {shared.team_id: 1}
        heads = await journal.take_heads(connection, actor, counts, outsider=NotFound)
        head = heads[shared.team_id]
        if not await share_ends.end(connection, head, [share_id], "unshared", actor.account_id):
            raise NotFound
    return shared


async def get(db: Database, actor: Actor, share_id: UUID) -> SharedSession:
    """A share that the actor may see at this moment. Raises NotFound.

    Whoever shows more of a shared session to a team begins here.
    """
    found = await by_ids(db, actor, [share_id])
    if not found:
        raise NotFound("No such shared session")
    return found[0]


async def by_ids(db: Database, actor: Actor, ids: Sequence[UUID]) -> list[SharedSession]:
    """Those of the shares that the actor may see, in any order."""
    async with db.read(actor) as connection:
        return [_seen(row) for row in await rows.by_ids(connection, actor.access, ids)]


async def of_sessions(db: Database, actor: Actor, ids: Sequence[UUID]) -> list[SharedSession]:
    """Where these sessions of the actor's own are shared, first shared first."""
    async with db.read(actor) as connection:
        found = await rows.of_sessions(connection, actor.access, ids)
    return [_seen(row) for row in found]


async def page(
    db: Database,
    actor: Actor,
    team_id: UUID,
    *,
    limit: int,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> list[SharedSession]:
    """What is shared with a team, last shared first. Raises NotFound for outsiders."""
    require(actor, "team.read", team_id)
    async with db.read(actor) as connection:
        found = await rows.page(
            connection,
            actor.access,
            team_id,
            limit=limit,
            after=after,
            before=before,
            backward=backward,
        )
    return [_seen(row) for row in found]


async def count(db: Database, actor: Actor, team_id: UUID) -> int:
    """How many sessions are shared with a team. Raises NotFound for outsiders."""
    require(actor, "team.read", team_id)
    async with db.read(actor) as connection:
        return await rows.count(connection, actor.access, team_id)
