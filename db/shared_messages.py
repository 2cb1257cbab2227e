"""What was said in sessions that are shared with their conversation: not yet redacted.

A share is read in the team's scope (`db.session_shares`), and only through it the owner's messages:
no query here names a session. What subagents said, thoughts, and what tools were given and answered
are not selected at all; nor is what was said after the session was shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select, true

from db.engine import Connection
from db.messages import Part
from db.rows import AnyRow
from db.scope import Access
from db.session_shares import shows, visible
from db.sessions import directory
from db.tables import messages, session_shares

SPEAKERS = ("user", "assistant")
_CALLS = messages.c.tools["calls"]


def _shares(access: Access, ids: Sequence[UUID]) -> Subquery:
    """Those of the shares that the caller may see, and that show the conversation."""
    s = session_shares.c
    columns = (s.id, s.owner_id, s.session, s.shared_at)
    query = visible(access, *columns, directory().label("folder"), shows("times").label("times"))
    return query.where(s.id.in_(list(ids)), shows("conversation")).subquery("shared")


def _said(shared: Subquery) -> ColumnElement[bool]:
    m = messages.c
    return and_(
        m.scope_id == shared.c.owner_id,
        m.session == shared.c.session,
        m.file == "",
        m.role.in_(SPEAKERS),
        ~m.sidechain,
        or_(m.text.is_not(None), func.jsonb_array_length(_CALLS) > 0),
        m.at <= shared.c.shared_at,
    )


async def pages(
    connection: Connection, access: Access, ids: Sequence[UUID], part: Part
) -> Sequence[AnyRow]:
    """`share, folder, times, line, role, at, timed, model, text, calls` in line order.

    The same part of the conversations of several shares; of `part` only its bounds count.
    """
    m, shared = messages.c, _shares(access, ids)
    query = select(m.line, m.role, m.at, m.timed, m.model, m.text, _CALLS.label("calls"))
    query = query.where(_said(shared)).correlate(shared)
    if part.after is not None:
        query = query.where(m.line > part.after)
    if part.before is not None:
        query = query.where(m.line < part.before)
    query = query.order_by(m.line.desc() if part.backward else m.line).limit(part.limit)
    found = query.lateral("page")
    columns: tuple[ColumnElement[Any], ...] = (
        shared.c.id.label("share"),
        shared.c.folder,
        shared.c.times,
        *found.c,
    )
    every = select(*columns).select_from(shared.join(found, true()))
    return (await connection.execute(every.order_by(shared.c.id, found.c.line))).all()


async def count(connection: Connection, access: Access, share_id: UUID) -> int:
    """How many messages a share shows; 0 where it does not show the conversation."""
    shared = _shares(access, [share_id])
    query = select(func.count()).select_from(shared.join(messages, _said(shared)))
    total: int = (await connection.execute(query)).scalar_one()
    return total
