"""The only way to rows that belong to somebody: a select limited to the scopes of who asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Table,
    Uuid,
    any_,
    bindparam,
    case,
    or_,
    select,
)

from db.claims import Claim, of_account
from db.rows import AnySelect


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks and which scopes it may read: the whole caller, never a bare id."""

    account_id: UUID
    scopes: tuple[UUID, ...]

    @property
    def claim(self) -> Claim:
        """What row-level security is told of the caller."""
        return of_account(self.account_id)


def in_scopes(table: Table, scope_ids: Iterable[UUID]) -> ColumnElement[bool]:
    """The condition that a row lives in one of `scope_ids`, as one array parameter."""
    return table.c.scope_id == any_(_array(scope_ids))


def in_scope(table: Table, access: Access, scope_id: UUID) -> ColumnElement[bool]:
    """The condition that a row lives in this one scope, if it is one of the caller's.

    It compares the column once. PostgreSQL would take `scope_id = this AND scope_id = ANY (those)`
    for two independent conditions, expect hundreds of times too few rows, and sort a team's whole
    knowledge for a page of it instead of reading the page from the index of that order.
    """
    this = bindparam(None, scope_id, type_=Uuid, unique=True)
    return table.c.scope_id == case((this == any_(_array(access.scopes)), this))


def _array(scope_ids: Iterable[UUID]) -> BindParameter[Any]:
    return bindparam(None, list(scope_ids), type_=ARRAY(Uuid), unique=True)


def scoped(
    table: Table, access: Access, *columns: ColumnElement[Any], within: UUID | None = None
) -> AnySelect:
    """Select `columns` (all, when none are named) of the living rows that `access` may read.

    With `within` only those of that scope.
    """
    readable = (
        in_scopes(table, access.scopes) if within is None else in_scope(table, access, within)
    )
    query = select(*(columns or tuple(table.c))).where(readable)
    return query.where(table.c.deleted_at.is_(None)) if "deleted_at" in table.c else query


def mine_or_team(table: Table, access: Access, team_id: UUID | None) -> ColumnElement[bool]:
    """The rule of lists, searches and pulls: what the caller wrote, plus the named team's all."""
    mine = table.c.author_id == access.account_id
    return mine if team_id is None else or_(mine, table.c.scope_id == team_id)
