"""Who a transaction is for, as row-level security hears it: an account, scopes, or the server.

Every connection that `db.engine.Database` hands out has a claim, which ends with its transaction.
The policies (docs/decisions/0004-row-level-security.md) let nobody see a row without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

_WORK = re.compile(r"[a-z][a-z ,'-]{2,60}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A setting of PostgreSQL's for one transaction: its name and its value."""

    setting: str
    value: str

    @property
    def sql(self) -> str:
        """The statement that makes the claim, until the transaction ends."""
        quoted = self.value.replace("'", "''")
        return f"SET LOCAL {self.setting} = '{quoted}'"


class Claimant(Protocol):
    """Whatever can say who it is: an actor, an `Access`, a `System`."""

    @property
    def claim(self) -> Claim:
        """What to tell the database."""
        ...


def of_account(account_id: UUID) -> Claim:
    """The account: it sees what is its own and what belongs to its teams at this moment."""
    return Claim("teamlore.account", str(account_id))


def of_scopes(scope_ids: Iterable[UUID]) -> Claim:
    """Nobody's account, but the right to read these scopes."""
    return Claim("teamlore.scopes", "{" + ",".join(map(str, scope_ids)) + "}")


@dataclass(frozen=True, slots=True)
class System:
    """The server itself, at work that is nobody's or that everybody's rows are needed for.

    `work` says in a few words which: `System("log-in")`. To be used as little as possible, and
    never for what somebody asked for by an id.
    """

    work: str

    @property
    def claim(self) -> Claim:
        """The work's name; any name opens everything."""
        if not _WORK.fullmatch(self.work):
            raise ValueError(f"not a name of work: {self.work!r}")
        return Claim("teamlore.system", self.work)


@dataclass(frozen=True, slots=True)
class Nobody:
    """No claim: only rows that belong to nobody, such as the community's patterns, are there."""

    @property
    def claim(self) -> Claim:
        """An empty account."""
        return Claim("teamlore.account", "")


NOBODY = Nobody()
