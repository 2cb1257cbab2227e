"""Statements that write what an upload of many files changes, all of it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import distinct_on

from db.conversations import COLUMNS
from db.engine import Connection, translated
from db.rows import AnyRow, to_json
from db.scope import Access, scoped
from db.tables import conversation_versions as versions
from db.tables import sessions

_TYPES: Final = {
    "name": "text",
    "project_name": "text",
    "working_directory": "text",
    "cwd": "text",
    "git_branch": "text",
    "title": "text",
    "title_rank": "int",
    "first_at": "timestamptz",
    "last_at": "timestamptz",
    "conversation_size": "bigint",
    "conversation_lines": "bigint",
    "head_number": "int",
    "key_id": "uuid",
    "git_remote": "text",
    "version": "bigint",
    "updated_at": "timestamptz",
}
SAID: Final = tuple(name for name in _TYPES if name not in {"version", "updated_at"})
"""The columns of a session that an upload may change, besides its stamp."""

_CHANGE: Final = text(
    f"""
    UPDATE sessions s SET ({", ".join(_TYPES)}) = ({", ".join(f"n.{name}" for name in _TYPES)})
    FROM json_to_recordset(CAST(:rows AS json)) AS n(
        id uuid, known bigint, {", ".join(f"{name} {kind}" for name, kind in _TYPES.items())}
    )
    WHERE s.scope_id = :scope AND s.id = n.id AND s.version = n.known AND s.deleted_at IS NULL
    RETURNING s.id
    """  # noqa: S608 - names of this module's own
)
_GROW: Final = text(
    """
    UPDATE conversation_versions v
    SET size = n.size, lines = n.lines, digest = n.digest, blocks = n.blocks, updated_at = :at
    FROM unnest(
        CAST(:session AS uuid[]), CAST(:path AS text[]), CAST(:number AS int[]),
        CAST(:size AS bigint[]), CAST(:lines AS bigint[]), CAST(:digest AS bytea[]),
        CAST(:blocks AS bytea[])
    ) AS n(session, path, number, size, lines, digest, blocks)
    WHERE v.scope_id = :scope AND v.session = n.session AND v.path = n.path
        AND v.number = n.number
    RETURNING v.number
    """
)


async def heads(
    connection: Connection, access: Access, ids: Sequence[UUID], paths: Sequence[str]
) -> Sequence[AnyRow]:
    """The current version of each file of these sessions with one of these paths.

    `session`, `path`, and what `db.conversations.of` gives of a version.
    """
    v = versions.c
    query = (
        scoped(versions, access, v.session, v.path, *COLUMNS)
        .where(v.scope_id == access.account_id, v.session.in_(list(ids)), v.path.in_(list(paths)))
        .ext(distinct_on(v.session, v.path))
        .order_by(v.session, v.path, v.size.desc(), v.number.desc())
    )
    return (await connection.execute(query)).all()


async def add_sessions(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert sessions. Raises DuplicateError when one of the session ids has come to exist."""
    if rows:
        with translated():
            await connection.execute(insert(sessions), [dict(row) for row in rows])


async def change_sessions(
    connection: Connection, access: Access, rows: Sequence[Mapping[str, Any]]
) -> bool:
    """Give sessions (`id`) that still have the version `known` their new values.

    Every column of `SAID` is given, with `version` and `updated_at`. False when somebody was
    faster with one of them: then the transaction must not be committed.
    """
    if not rows:
        return True
    values = {"scope": access.account_id, "rows": to_json([dict(row) for row in rows])}
    return len((await connection.execute(_CHANGE, values)).all()) == len(rows)


async def add_versions(
    connection: Connection, access: Access, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Record new versions: `session`, `path`, `number` and what each is."""
    if rows:
        await connection.execute(
            insert(versions), [{"scope_id": access.account_id, **row} for row in rows]
        )


async def grow_versions(
    connection: Connection, access: Access, rows: Sequence[Mapping[str, Any]]
) -> bool:
    """Let versions become longer ones that begin like them; False when one of them is gone."""
    if not rows:
        return True
    names = ("session", "path", "number", "size", "lines", "digest", "blocks")
    values: dict[str, Any] = {name: [row[name] for row in rows] for name in names}
    values |= {"scope": access.account_id, "at": rows[0]["updated_at"]}
    return len((await connection.execute(_GROW, values)).all()) == len(rows)
