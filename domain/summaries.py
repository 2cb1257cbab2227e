"""Session summaries: what a session came to, in a few structured words, for oneself or a team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import Field, StringConstraints

from db import summaries as rows
from db.engine import Connection, Database
from db.log import Head
from db.summaries import Filter as Filter
from db.summaries import Keyset as Keyset
from domain import journal
from domain.actor import Actor
from domain.authored import Authored
from domain.encryption import refuse_plaintext
from domain.errors import Forbidden, NotFound
from domain.inputs import Input, JsonObject, Label, NonBlank
from domain.policy import reading_team, writing_scope

PUSH_MAX = 200


class SummaryFields(Input):
    """A session's summary; `summary` is any JSON object."""

    session_id: Annotated[NonBlank, StringConstraints(max_length=255)]
    project: Label | None = None
    summary: JsonObject


class NewSummary(SummaryFields):
    """A summary to be kept."""

    team_id: UUID | None = None


class Push(Input):
    """Many summaries at once."""

    summaries: Annotated[tuple[SummaryFields, ...], Field(min_length=1, max_length=PUSH_MAX)]
    team_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Summary(Authored):
    """A summary as it is stored."""

    id: UUID
    scope_id: UUID
    author_id: UUID
    session_id: str
    project: str | None
    summary: Mapping[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to: new summaries, and ones that replaced an earlier one."""

    accepted: int
    updated: int


async def push(db: Database, actor: Actor, data: Push) -> Pushed:
    """Keep many summaries in one transaction; of several for one session the last counts.

    Without a team, a summary stays in the scope where the author's earlier one lives; with a team,
    it moves there. Raises Forbidden when the actor may not write to the team.
    """
    target = writing_scope(actor, data.team_id, "team.push")
    items = {item.session_id: item for item in data.summaries}
    async with db.begin(actor) as connection:
        homes = await rows.scopes_of(connection, actor.access, list(items))
        places = {
            session_id: target if data.team_id else homes.get(session_id, target)
            for session_id in items
        }
        moved = {s: home for s, home in homes.items() if home != places[s]}
        counts: dict[UUID, int] = {}
        for scope_id in (*places.values(), *moved.values()):
            counts[scope_id] = counts.get(scope_id, 0) + 1
        heads = await journal.take_heads(connection, actor, counts, permission="team.push")
        await refuse_plaintext(connection, *places.values())
        await _bury(connection, actor, heads, moved)
        inserted = await _store(connection, actor, heads, items, places)
    return Pushed(inserted, len(data.summaries) - inserted)


async def _bury(
    connection: Connection, actor: Actor, heads: Mapping[UUID, Head], moved: Mapping[str, UUID]
) -> int:
    """Leave tombstones; how many there were to leave."""
    count = 0
    for session_id, scope_id in moved.items():
        head = heads[scope_id]
        version = head.take()
        buried = await rows.bury(
            connection, actor.account_id, scope_id, session_id, version, head.at
        )
        if buried:
            gone = journal.stamped(head, version, "summary_deleted", buried, actor.account_id)
            await journal.append(connection, [gone])
            count += 1
    return count


async def _store(
    connection: Connection,
    actor: Actor,
    heads: Mapping[UUID, Head],
    items: Mapping[str, SummaryFields],
    places: Mapping[str, UUID],
) -> int:
    values = [
        {
            "scope_id": places[session_id],
            "id": uuid4(),
            "session_id": session_id,
            "project": item.project,
            "summary": item.summary,
            "version": heads[places[session_id]].take(),
            "at": heads[places[session_id]].at,
        }
        for session_id, item in items.items()
    ]
    written = await rows.upsert(connection, actor.account_id, values)
    entries = [
        journal.stamped(heads[row.scope_id], row.version, "summary_saved", row.id, actor.account_id)
        for row in sorted(written, key=lambda row: row.version)
    ]
    await journal.append(connection, entries)
    return sum(row.inserted for row in written)


async def save(db: Database, actor: Actor, data: NewSummary) -> str:
    """Keep one summary, replacing the author's earlier one of that session; its session id."""
    fields = SummaryFields.model_construct(
        session_id=data.session_id, project=data.project, summary=data.summary
    )
    await push(db, actor, Push.model_construct(summaries=(fields,), team_id=data.team_id))
    return data.session_id


async def page(
    db: Database, actor: Actor, wanted: Filter, *, limit: int, offset: int = 0
) -> tuple[Sequence[Summary], int]:
    """Summaries, last changed first, and how many there are. Raises Forbidden for outsiders."""
    reading_team(actor, wanted.team_id)
    async with db.read(actor) as connection:
        found = await rows.page(connection, actor.access, wanted, limit=limit, offset=offset)
        total = await rows.count(connection, actor.access, wanted)
    return [Summary(*row) for row in found], total


async def get(db: Database, actor: Actor, session_id: str) -> Summary:
    """The summary of a session, the actor's own before a team-mate's. Raises NotFound."""
    async with db.read(actor) as connection:
        row = await rows.by_session(connection, actor.access, session_id)
    if row is None:
        raise NotFound
    return Summary(*row)


async def between(
    db: Database,
    actor: Actor,
    wanted: Filter,
    *,
    limit: int,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> list[Summary]:
    """Summaries, last changed first, between two places. Raises Forbidden for outsiders."""
    reading_team(actor, wanted.team_id)
    async with db.read(actor) as connection:
        found = await rows.page(
            connection,
            actor.access,
            wanted,
            limit=limit,
            after=after,
            before=before,
            backward=backward,
        )
    return [Summary(*row) for row in found]


async def count(db: Database, actor: Actor, wanted: Filter) -> int:
    """How many summaries a list has in all. Raises Forbidden for outsiders."""
    reading_team(actor, wanted.team_id)
    async with db.read(actor) as connection:
        return await rows.count(connection, actor.access, wanted)


async def by_ids(db: Database, actor: Actor, ids: Sequence[UUID]) -> list[Summary]:
    """Those of the summaries that the actor may read, in any order."""
    async with db.read(actor) as connection:
        return [Summary(*row) for row in await rows.by_ids(connection, actor.access, ids)]


async def delete(db: Database, actor: Actor, summary_id: UUID) -> None:
    """Delete a summary of the actor's. Raises NotFound, and Forbidden for somebody else's."""
    found = await by_ids(db, actor, [summary_id])
    if not found:
        raise NotFound("No such summary")
    summary = found[0]
    if summary.author_id != actor.account_id:
        raise Forbidden("Only its author may delete a summary")
    async with db.begin(actor) as connection:
        heads = await journal.take_heads(
            connection, actor, {summary.scope_id: 1}, outsider=NotFound
        )
        buried = {summary.session_id: summary.scope_id}
        if not await _bury(connection, actor, heads, buried):
            raise NotFound("No such summary")
