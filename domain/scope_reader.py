"""Nobody in particular, who may read one scope: what it sees, every reader of the scope may see.

Whatever looks at who is asking (the account, its key, its role) raises `Personal` instead of
getting an answer. So an answer that was found without it is the same for everybody who may read
the scope, and can be shared between them; the proof is the run itself, not a list of harmless
fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from uuid import UUID

from db import feed as rows
from db.claims import Claim, of_scopes
from db.engine import Database
from db.scope import Access
from domain.actor import Actor, Role

_NOBODY = UUID(int=0)
_OF_SOMEBODY = frozenset(field.name for field in fields(Actor)) - {"roles"}


class Personal(Exception):  # noqa: N818 - it says what the question is, nothing went wrong
    """The answer depends on who asks"""


class ScopeReader(Actor):
    """An actor with one scope and no account. `touched` says whether anybody looked for one."""

    __slots__ = ("touched",)
    touched: bool

    def __init__(self, scope_id: UUID) -> None:
        super().__init__(_NOBODY, _Roles(self, scope_id))
        object.__setattr__(self, "touched", False)

    def __getattribute__(self, name: str) -> object:
        """Every attribute of an account is personal, those that are yet to come included."""
        if name in _OF_SOMEBODY:
            raise touch(self)
        return super().__getattribute__(name)

    @property
    def access(self) -> Access:
        """The scope; the account behind it is personal."""
        return _ScopeAccess(self, tuple(self.roles))

    @property
    def claim(self) -> Claim:
        """The scope, and no account."""
        return of_scopes(self.roles)

    def __repr__(self) -> str:
        """Names the scopes."""
        return f"ScopeReader({list(self.roles)})"


def touch(reader: ScopeReader) -> Personal:
    """Note that the reader was asked who it is; returns what to raise."""
    object.__setattr__(reader, "touched", True)
    return Personal()


class _Roles(Mapping[UUID, Role]):
    """Which scopes is known; which role is somebody's own."""

    def __init__(self, reader: ScopeReader, scope_id: UUID) -> None:
        self._reader, self._scope_id = reader, scope_id

    def __getitem__(self, scope_id: UUID) -> Role:
        if scope_id != self._scope_id:
            raise KeyError(scope_id)
        raise touch(self._reader)

    def __contains__(self, scope_id: object) -> bool:
        return scope_id == self._scope_id

    def __iter__(self) -> Iterator[UUID]:
        return iter((self._scope_id,))

    def __len__(self) -> int:
        return 1


class _ScopeAccess(Access):
    __slots__ = ("_reader",)
    _reader: ScopeReader

    def __init__(self, reader: ScopeReader, scopes: tuple[UUID, ...]) -> None:
        super().__init__(_NOBODY, scopes)
        object.__setattr__(self, "_reader", reader)

    def __getattribute__(self, name: str) -> object:
        if name == "account_id":
            raise touch(super().__getattribute__("_reader"))
        return super().__getattribute__(name)


def within(actor: Actor, scope_id: UUID) -> Actor:
    """The same somebody, who sees no other scope than this one."""
    return replace(actor, roles={scope_id: actor.roles.get(scope_id, "viewer")})


@dataclass(frozen=True, slots=True)
class TeamFacts:
    """A team, without what only one of its members would see."""

    id: UUID
    name: str
    owner_id: UUID
    created_at: datetime


async def team_facts(db: Database, reader: ScopeReader) -> list[TeamFacts]:
    """The team that the scope is; none for a person's own scope."""
    async with db.read(reader) as connection:
        found = await rows.teams(connection, reader.access)
    return [TeamFacts(row.id, row.name, row.owner_id, row.created_at) for row in found]
