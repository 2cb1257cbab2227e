"""Sessions shared with teams. What a team may know of a session is chosen here, in the SQL.

A share lives in the team's scope, the session in its owner's. Who may read the team reads the
columns below and nothing else of the session: a folder is cut to its last part, and what encodes a
whole path (as the session scripts send for name and project) is left out.

A share counts while it has not ended or expired, the session exists and its owner is in the team;
the log hears of the end a little later, when somebody sweeps (see `domain.share_ends`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    column,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.scope import Access, scoped
from db.sessions import LAST_PART, directory
from db.tables import memberships, scopes, session_shares, sessions

_ENCODED_PATH = r"^(-|[A-Za-z]--)"
_WHOLE_PATH = r"^(/|~|\\|[A-Za-z]:[/\\])"


def shows(fact: str) -> ColumnElement[bool]:
    """Whether the owner shows this of the session."""
    return literal(fact) == any_(session_shares.c.shown)


def _shown(field: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((shows(field), value), else_=null())


def _last_part(path: ColumnElement[Any]) -> ColumnElement[Any]:
    part = func.nullif(func.substring(func.rtrim(path, "/\\"), LAST_PART), "")
    return case((part.regexp_match(_ENCODED_PATH), null()), else_=part)


def _plain(text: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((text.regexp_match(f"{_ENCODED_PATH}|{_WHOLE_PATH}"), null()), else_=text)


_FOLDER = _last_part(directory())
_TITLE = func.coalesce(_plain(sessions.c.name), sessions.c.title)
COLUMNS: tuple[ColumnElement[Any], ...] = (
    session_shares.c.id,
    session_shares.c.scope_id,
    session_shares.c.owner_id,
    session_shares.c.session,
    session_shares.c.note,
    session_shares.c.shared_at,
    session_shares.c.expires_at,
    func.coalesce(session_shares.c.title, _shown("title", _TITLE)).label("title"),
    _shown("project", func.coalesce(_last_part(sessions.c.project_name), _FOLDER)).label("project"),
    _shown("branch", sessions.c.git_branch).label("branch"),
    _shown("directory", _FOLDER).label("directory"),
    _shown("times", sessions.c.first_at).label("first_at"),
    _shown("times", sessions.c.last_at).label("last_at"),
    _shown("size", sessions.c.conversation_size).label("size"),
    _shown("size", sessions.c.conversation_lines).label("lines"),
)
_SESSION = and_(
    sessions.c.scope_id == session_shares.c.owner_id,
    sessions.c.id == session_shares.c.session,
    sessions.c.deleted_at.is_(None),
)
_IN_TEAM = exists().where(
    memberships.c.scope_id == session_shares.c.scope_id,
    memberships.c.account_id == session_shares.c.owner_id,
)
_EXPIRED = session_shares.c.expires_at <= func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class Keyset:
    """A place in the order last shared first."""

    shared_at: datetime
    id: UUID


def visible(access: Access, *columns: ColumnElement[Any], team_id: UUID | None = None) -> AnySelect:
    """Columns of shares (a team's, if one is named), and of their sessions, that the caller may
    see at this moment."""
    return (
        scoped(session_shares, access, *columns, within=team_id)
        .select_from(session_shares.join(sessions, _SESSION))
        .where(_IN_TEAM, or_(session_shares.c.expires_at.is_(None), ~_EXPIRED))
    )


async def by_ids(connection: Connection, access: Access, ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Those of the shares that the caller may see, in no particular order."""
    query = visible(access, *COLUMNS).where(session_shares.c.id.in_(list(ids)))
    return (await connection.execute(query)).all()


async def of_sessions(
    connection: Connection, access: Access, ids: Sequence[UUID]
) -> Sequence[AnyRow]:
    """The shares of these sessions of the caller's own, first shared first."""
    query = visible(access, *COLUMNS).where(
        session_shares.c.owner_id == access.account_id, session_shares.c.session.in_(list(ids))
    )
    query = query.order_by(session_shares.c.shared_at, session_shares.c.id)
    return (await connection.execute(query)).all()


def paged(
    access: Access,
    team_id: UUID,
    *,
    limit: int,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> AnySelect:
    """Select a team's shares, last shared first; `backward` turns the order round."""
    place = tuple_(session_shares.c.shared_at, session_shares.c.id)
    query = visible(access, *COLUMNS, team_id=team_id)
    if after is not None:
        query = query.where(place < tuple_(after.shared_at, after.id))
    if before is not None:
        query = query.where(place > tuple_(before.shared_at, before.id))
    order = (session_shares.c.shared_at, session_shares.c.id)
    return query.order_by(*(order if backward else (part.desc() for part in order))).limit(limit)


async def page(
    connection: Connection,
    access: Access,
    team_id: UUID,
    *,
    limit: int,
    after: Keyset | None = None,
    before: Keyset | None = None,
    backward: bool = False,
) -> Sequence[AnyRow]:
    """A team's shares, last shared first; `backward` takes the last `limit` of the range."""
    query = paged(access, team_id, limit=limit, after=after, before=before, backward=backward)
    rows = (await connection.execute(query)).all()
    return list(reversed(rows)) if backward else rows


async def count(connection: Connection, access: Access, team_id: UUID) -> int:
    """How many sessions are shared with a team."""
    query = visible(access, func.count(), team_id=team_id)
    total: int = (await connection.execute(query)).scalar_one()
    return total


async def put(connection: Connection, values: Mapping[str, Any]) -> UUID:
    """Share a session, or share it anew where it is shared already; the share's id."""
    made = insert(session_shares).values(**values)
    kept = {"scope_id", "id", "session", "owner_id"}
    changed = {name: made.excluded[name] for name in values if name not in kept}
    query = made.on_conflict_do_update(
        index_elements=["scope_id", "session"],
        index_where=session_shares.c.deleted_at.is_(None),
        set_=changed,
    ).returning(session_shares.c.id)
    share_id: UUID = (await connection.execute(query)).scalar_one()
    return share_id


async def teams_of(connection: Connection, access: Access, session: UUID) -> dict[UUID, UUID]:
    """Where a session of the caller's is shared, expired shares included: `{team: share}`."""
    query = (
        select(session_shares.c.scope_id, session_shares.c.id)
        .join(scopes, scopes.c.id == session_shares.c.scope_id)
        .where(
            session_shares.c.owner_id == access.account_id,
            session_shares.c.session == session,
            session_shares.c.deleted_at.is_(None),
            scopes.c.deleted_at.is_(None),
        )
    )
    return {row.scope_id: row.id for row in await connection.execute(query)}


async def by_member(connection: Connection, team_id: UUID, account_id: UUID) -> list[UUID]:
    """The ids of what an account shares with a team, expired shares included."""
    query = select(session_shares.c.id).where(
        session_shares.c.scope_id == team_id,
        session_shares.c.owner_id == account_id,
        session_shares.c.deleted_at.is_(None),
    )
    return list((await connection.execute(query.order_by(session_shares.c.id))).scalars())


async def end(
    connection: Connection, team_id: UUID, versions: Mapping[UUID, int], at: datetime
) -> list[UUID]:
    """End these shares of one team, each under its version; the ids of those that had not ended.

    Nothing but the fact that there was a share remains.
    """
    wanted = (
        func.unnest(
            bindparam("ids", list(versions), type_=ARRAY(Uuid)),
            bindparam("versions", list(versions.values()), type_=ARRAY(BigInteger)),
        )
        .table_valued(column("id", Uuid), column("version", BigInteger), name="wanted")
        .render_derived()
    )
    query = (
        update(session_shares)
        .where(
            session_shares.c.scope_id == team_id,
            session_shares.c.id == wanted.c.id,
            session_shares.c.deleted_at.is_(None),
        )
        .values(deleted_at=at, version=wanted.c.version, title=None, note=None, shown=[])
        .returning(session_shares.c.id)
    )
    return list((await connection.execute(query)).scalars())


async def due(connection: Connection, limit: int, team_id: UUID | None = None) -> Sequence[AnyRow]:
    """`scope_id, id, owner_id, reason` of shares that no longer count, of one team or of all."""
    gone = ~exists().where(_SESSION)
    reason = case((gone, "session_deleted"), (~_IN_TEAM, "member_left"), else_="expired")
    query = (
        select(
            session_shares.c.scope_id,
            session_shares.c.id,
            session_shares.c.owner_id,
            reason.label("reason"),
        )
        .join(scopes, scopes.c.id == session_shares.c.scope_id)
        .where(
            session_shares.c.deleted_at.is_(None),
            scopes.c.deleted_at.is_(None),
            or_(_EXPIRED, gone, ~_IN_TEAM),
        )
        .order_by(session_shares.c.scope_id, session_shares.c.id)
        .limit(limit)
    )
    if team_id is not None:
        query = query.where(session_shares.c.scope_id == team_id)
    return (await connection.execute(query)).all()
