"""People who contribute to the community by the real operations, without a server between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from db import drawn_numbers
from db.drawn_numbers import Sums
from db.engine import Database
from domain import contributions, patterns
from domain.actor import Actor
from domain.contributions import Withdrawal
from domain.patterns import Contributed, Contribution, Filter, Pattern
from domain.services import Services
from settings import Settings
from tests.support.postgres import TESTING


def person(*teams: UUID) -> Actor:
    """Somebody with an account, in these teams."""
    account = uuid4()
    return Actor(account, {account: "owner", **dict.fromkeys(teams, "member")})


@dataclass(frozen=True)
class Community:
    """One database's community."""

    services: Services

    @property
    def db(self) -> Database:
        """Its database."""
        return self.services.db

    async def offer(
        self, who: Actor | None, *approaches: str, claimed: str | None = None, **more: Any
    ) -> Contributed:
        """Contribute these approaches, all of one category."""
        offered = [
            {"type": "solution", "category": "Locks", "approach": approach, **more}
            for approach in approaches
        ]
        data = Contribution.model_validate({"patterns": offered, "contributorHash": claimed})
        return await patterns.contribute(self.services, who, data)

    async def withdraw(self, who: Actor, ids: Iterable[UUID] = ()) -> Sequence[UUID]:
        """Take back these contributions; all of them unless any are named."""
        named = tuple(ids)
        data = Withdrawal(ids=named, everything=not named)
        return await contributions.withdraw(self.services, who, data)

    async def shown(self, words: str | None = None) -> list[Pattern]:
        """What the community sees."""
        found, total = await patterns.page(self.services, Filter(words=words), limit=100, offset=0)
        assert total >= len(found)
        return found

    async def sums(self) -> tuple[Sequence[Sums], int]:
        """What a draw would go by."""
        async with self.db.begin(TESTING) as connection:
            return await drawn_numbers.sums(connection)

    async def sql(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, committed."""
        async with self.db.begin(TESTING) as connection:
            result = await connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def empty(self) -> None:
        """Forget everybody and everything."""
        for table in ("contributions", "contributors", "patterns", "privacy_ledger"):
            await self.sql(f"DELETE FROM {table}")

    async def next_week(self) -> None:
        """Let a week pass: what was drawn was drawn a week ago."""
        week = "interval '7 days'"
        await self.sql(f"UPDATE privacy_ledger SET epoch = epoch - {week}")
        await self.sql(f"UPDATE patterns SET numbers_from = numbers_from - {week}")


@asynccontextmanager
async def community(settings: Settings) -> AsyncIterator[Community]:
    """The community of the database that the settings name."""
    from app import build_services

    services = build_services(settings)
    try:
        yield Community(services)
    finally:
        services.passwords.close()
        await services.custody.close()
        await services.db.close()
