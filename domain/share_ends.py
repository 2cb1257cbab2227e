"""How shares of sessions end other than by their owner's word, and how the log hears of it.

A share stops counting at once when it expires, its session is deleted or its owner leaves the team:
the SQL that reads shares says so. What deletes a session or a membership ends the shares in the
same transaction; for what nobody does, time, there is `sweep`, which also ends what was forgotten.
Whoever comes back into a team has to share again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from db import log
from db import session_shares as rows
from db.claims import System
from db.engine import Connection, Database
from db.errors import NotAMemberError
from db.log import Entry, Head
from domain import journal

SWEEP_MAX = 500
Reason = Literal["unshared", "expired", "session_deleted", "member_left"]


async def end(
    connection: Connection, head: Head, shares: Sequence[UUID], reason: Reason, actor_id: UUID
) -> list[UUID]:
    """End these shares of the head's team and log it; the ids of those that had not ended yet."""
    versions = {share: head.take() for share in shares}
    ended = await rows.end(connection, head.scope_id, versions, head.at)
    await journal.append(
        connection,
        [_unshared(head, versions[share], share, reason, actor_id) for share in sorted(ended)],
    )
    return ended


def _unshared(head: Head, version: int, share: UUID, reason: Reason, actor_id: UUID) -> Entry:
    detail: Mapping[str, Any] = {"reason": reason}
    return Entry(head.scope_id, version, head.at, "session_unshared", share, actor_id, detail)


async def end_of_membership(
    connection: Connection, team_id: UUID, account_id: UUID, actor_id: UUID
) -> None:
    """End what an account shares with a team that it leaves, as a part of that transaction.

    To be called while the team's head is locked.
    """
    shares = await rows.by_member(connection, team_id, account_id)
    if shares:
        heads = await log.advance(connection, None, {team_id: len(shares)})
        await end(connection, heads[team_id], shares, "member_left", actor_id)


async def sweep(db: Database) -> int:
    """End, in the log too, what no longer counts; how many shares that were."""
    async with db.read(System("shares that ended")) as connection:
        found = await rows.due(connection, SWEEP_MAX)
    counts: dict[UUID, int] = {}
    for row in found:
        counts[row.scope_id] = counts.get(row.scope_id, 0) + 1
    return sum([await _sweep_team(db, team_id, count) for team_id, count in counts.items()])


async def _sweep_team(db: Database, team_id: UUID, count: int) -> int:
    ended = 0
    async with db.begin(System("shares that ended")) as connection:
        try:
            head = (await log.advance(connection, None, {team_id: count}))[team_id]
        except NotAMemberError:
            return 0
        # Asked again under the lock: a share may have been prolonged since.
        for row in await rows.due(connection, count, team_id):
            ended += len(await end(connection, head, [row.id], row.reason, row.owner_id))
    return ended
