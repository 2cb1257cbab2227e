"""Two engines over one database, with plans and without, and who asks them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import orjson

from domain.actor import Actor
from domain.errors import Fault
from domain.services import Services
from graph import errors
from graph.context import Context
from graph.encoding import encode
from graph.execution import Engine, Request
from graph.plan.planner import Planner
from tests.graph.plan.estate import Estate
from tests.support.operations import Seen

EVERYBODY = (
    "owner",
    "admin",
    "member",
    "viewer",
    "stranger",
    "reading key",
    "managing key",
    "nobody",
)
"""`reading key` may only read, `managing key` is good for the account; both are the owner's."""
_TRIES = 10
_INCIDENT = re.compile(rb"(incident\W{0,5})[0-9a-f]{12}")


@dataclass
class Both:
    """The engines, and what was asked of them."""

    services: Services
    planned: Engine
    executed: Engine
    planner: Planner
    actors: dict[str, Actor]
    estate: Estate
    seen: Seen = field(default_factory=Seen)

    async def same(self, who: str, text: str, variables: dict[str, Any] | None = None) -> bytes:
        """The answer, which both give."""
        request = Request(text, variables)
        one = await self._answer(self.planned, who, request)
        other = await self._answer(self.executed, who, request)
        ones, others = [one], [other]
        for _ in range(_TRIES if b'"errors"' in one and b'"errors"' in other else 0):
            if any(_alike(*pair) for pair in product(ones, others)):
                return one
            ones.append(await self._answer(self.planned, who, request))
            others.append(await self._answer(self.executed, who, request))
        assert one == other, (who, text, variables, ones, others)
        return one

    async def how(self, who: str, text: str, variables: dict[str, Any] | None = None) -> str:
        """How the answer, which both give, came about: planned, asked, executed or refused."""
        before = self.planner.outcomes.copy()
        await self.same(who, text, variables)
        return next(iter(self.planner.outcomes - before), "refused")

    async def _answer(self, engine: Engine, who: str, request: Request) -> bytes:
        origin = self.actors["owner"].origin
        context = Context(self.services, self.actors.get(who), origin)
        try:
            content = await engine.execute(request, context)
        except errors.Refused as refused:
            content = {"refused": refused.errors}
        except Fault as fault:
            content = {"fault": str(fault)}
        # Fields of one level run concurrently: their errors come in any order.
        content.get("errors", []).sort(key=lambda error: str(error.get("path")))
        return _INCIDENT.sub(rb"\1", encode(content))

    def share(self, *hows: str) -> float:
        """How much of what was asked was answered in one of these ways."""
        counts = self.planner.outcomes
        return sum(counts[how] for how in hows) / max(1, counts.total())


def _alike(one: bytes, other: bytes) -> bool:
    """Whether two answers of the executor can be to the same question.

    Where several fields fail and a null swallows them together, it tells of those that failed
    before it gave up, which is a matter of time.
    """
    if one == other:
        return True
    contents = [orjson.loads(answer) for answer in (one, other)]
    few, many = sorted((set(map(orjson.dumps, c.pop("errors", []))) for c in contents), key=len)
    return contents[0] == contents[1] and (few == many or (few < many and bool(few)))
