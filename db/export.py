"""What an account has in the database, section by section, for its own copy of everything.

Digests of secrets, block lists and what the server computes for searching are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, select, tuple_

from db.engine import Connection
from db.rows import AnyRow, AnySelect
from db.scope import Access, scoped
from db.tables import (
    accounts,
    api_keys,
    conversation_versions,
    invitations,
    knowledge,
    log,
    memberships,
    public_keys,
    scopes,
    sealed_entries,
    session_shares,
    sessions,
    stars,
    summaries,
    wrapped_keys,
)


class Section(NamedTuple):
    """A kind of things: its name, the rows that are the caller's, and what orders them."""

    name: str
    query: Callable[[Access], AnySelect]
    key: tuple[ColumnElement[Any], ...]


def _but(table: Table, *left_out: str) -> tuple[ColumnElement[Any], ...]:
    return tuple(column for column in table.c if column.name not in left_out)


def _own(table: Table, *left_out: str) -> Callable[[Access], AnySelect]:
    """What lives in the caller's own scope."""

    def query(access: Access) -> AnySelect:
        found = scoped(table, access, *_but(table, *left_out))
        return found.where(table.c.scope_id == access.account_id)

    return query


def _authored(table: Table, by: str, *left_out: str) -> Callable[[Access], AnySelect]:
    """What the caller wrote, in any scope that it belongs to."""

    def query(access: Access) -> AnySelect:
        found = scoped(table, access, *_but(table, *left_out))
        return found.where(table.c[by] == access.account_id)

    return query


def _profile(access: Access) -> AnySelect:
    columns = _but(accounts, "password_hash", "token_epoch")
    return Select(*columns).where(accounts.c.id == access.account_id)


def _keys(access: Access) -> AnySelect:
    return select(*_but(api_keys, "digest")).where(api_keys.c.account_id == access.account_id)


def _of_account(table: Table) -> Callable[[Access], AnySelect]:
    """What a table has under the caller's account."""
    return lambda access: select(*table.c).where(table.c.account_id == access.account_id)


def _teams(access: Access) -> AnySelect:
    return (
        select(scopes.c.id, scopes.c.name, memberships.c.role, memberships.c.joined_at)
        .join(memberships, memberships.c.scope_id == scopes.c.id)
        .where(
            memberships.c.account_id == access.account_id,
            scopes.c.kind == "team",
            scopes.c.deleted_at.is_(None),
        )
    )


def _place(table: Table) -> tuple[ColumnElement[Any], ...]:
    return tuple(table.primary_key.columns)


SECTIONS: tuple[Section, ...] = (
    Section("profile", _profile, (accounts.c.id,)),
    Section("keys", _keys, (api_keys.c.id,)),
    Section("teams", _teams, (scopes.c.id,)),
    Section(
        "invitations", _authored(invitations, "created_by", "token_digest"), _place(invitations)
    ),
    Section(
        "knowledge",
        _authored(knowledge, "author_id", "indexed", "search", "fuzzy", "sameness"),
        _place(knowledge),
    ),
    Section("public-keys", _of_account(public_keys), _place(public_keys)),
    Section("wrapped-keys", _of_account(wrapped_keys), _place(wrapped_keys)),
    Section(
        "sealed-entries", _authored(sealed_entries, "author_id", "tokens"), _place(sealed_entries)
    ),
    Section("stars", _own(stars), _place(stars)),
    Section("summaries", _authored(summaries, "author_id"), _place(summaries)),
    Section("sessions", _own(sessions), _place(sessions)),
    Section("versions", _own(conversation_versions, "blocks"), _place(conversation_versions)),
    Section("shared-sessions", _authored(session_shares, "owner_id"), _place(session_shares)),
    Section("activity", _own(log), _place(log)),
)


async def page(
    connection: Connection, section: Section, access: Access, after: AnyRow | None, limit: int
) -> Sequence[AnyRow]:
    """The next rows of a section, behind the row `after`."""
    query = section.query(access).order_by(*section.key).limit(limit)
    if after is not None:
        place = tuple(getattr(after, column.name) for column in section.key)
        query = query.where(tuple_(*section.key) > place)
    return (await connection.execute(query)).all()
