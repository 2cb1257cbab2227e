"""What uploads start from: a look at what is stored, while no collection of blocks is going on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from db import sweeps
from db.engine import Connection, Database
from domain.actor import Actor

FoundT = TypeVar("FoundT")


async def look(
    db: Database, actor: Actor, read: Callable[[Connection], Awaitable[FoundT]]
) -> tuple[int, FoundT]:
    """The number of the scope's last sweep, and what `read` finds after it; see db.sweeps."""
    scope = actor.account_id
    while True:
        async with db.read(actor) as connection:
            sweep = await sweeps.number(connection, scope)
            if sweep % 2 == 0:
                return sweep, await read(connection)
        # Wait for the collector, or end what it left.
        async with db.begin(actor) as connection:
            await sweeps.lock(connection, scope)
            if await sweeps.number(connection, scope) == sweep:
                await sweeps.advance(connection, scope)
