"""Answers queries by plans, where they are covered, and keeps the plans that were made."""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import strawberry
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode

from db.reads import Reads
from domain.actor import Actor
from domain.errors import Fault
from graph.plan.compiling import Compiled, Compiler
from graph.plan.reading import Reader
from graph.plan.symbols import Uncovered
from graph.plan.tree import Object

KEPT_OPERATIONS = 512
KEPT_PLANS = 64
"""Of one operation: as many structures as its variables give it."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bound:
    """A plan with the values of one request, for whoever asks."""

    plan: Compiled
    values: tuple[Any, ...]
    teams: tuple[UUID, ...]

    def arguments(self, actor: Actor) -> list[Any] | None:
        """What to run the statement with; None when the resolvers have to refuse this actor."""
        roles = actor.roles
        for team in self.teams:
            if team not in roles:
                return None
        values = (actor.account_id, list(roles), *self.values)
        return [values[number] for number in self.plan.parameters]


@dataclass(slots=True)
class _Known:
    """An operation that was seen before."""

    document: DocumentNode
    operation: OperationDefinitionNode
    reader: Reader
    plans: OrderedDict[Object, Compiled | None] = field(default_factory=OrderedDict)


class Planner:
    """Plans of one schema. `outcomes` counts what was covered, for tests and benchmarks."""

    def __init__(self, schema: strawberry.Schema, reads: Reads) -> None:
        self._schema = schema
        self._core = schema._schema  # noqa: SLF001 - Strawberry has no public name for it
        self._reads = reads
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self.outcomes: Counter[str] = Counter()

    def bind(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> Bound | None:
        """The plan of a validated query with its values; None for what is not covered."""
        known = self._remembered(document, operation)
        try:
            reading = known.reader.read(variables)
            plan = self._plan(known, reading.content, reading)
        except (Uncovered, Fault, GraphQLError):
            return None
        if plan is None:
            return None
        return Bound(plan, tuple(reading.symbols.values), tuple(reading.asked.teams))

    async def run(self, bound: Bound, actor: Actor) -> dict[str, Any] | None:
        """The data; None when the rows turn out to need the ordinary executor.

        Raises DatabaseUnavailableError and its like.
        """
        arguments = bound.arguments(actor)
        data = None if arguments is None else await self._run(bound.plan, arguments)
        self.outcomes["executed" if data is None else "planned"] += 1
        return data

    async def _run(self, plan: Compiled, arguments: list[Any]) -> dict[str, Any] | None:
        try:
            return plan.build(await self._reads.fetch(plan.sql, arguments))
        except (Uncovered, KeyError):
            return None
        except asyncpg.PostgresError:
            _logger.exception("A planned statement failed; the ordinary executor answers")
            return None

    def _remembered(self, document: DocumentNode, operation: OperationDefinitionNode) -> _Known:
        key = id(operation)
        known = self._known.get(key)
        if known is None or known.operation is not operation:
            reader = Reader(self._schema, document, operation)
            known = self._known[key] = _Known(document, operation, reader)
            if len(self._known) > KEPT_OPERATIONS:
                self._known.popitem(last=False)
        return known

    def _plan(self, known: _Known, content: Object, reading: Any) -> Compiled | None:
        if content in known.plans:
            known.plans.move_to_end(content)
            return known.plans[content]
        try:
            plan = Compiler(self._core, reading.symbols).compile(content)
        except Uncovered:
            plan = None
        known.plans[content] = plan
        if len(known.plans) > KEPT_PLANS:
            known.plans.popitem(last=False)
        return plan
