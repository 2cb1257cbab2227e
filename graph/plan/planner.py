"""Answers queries by plans, where they are covered, and keeps the plans that were made."""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import strawberry
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode

from db.reads import Question, Reads, Rows
from domain.actor import Actor, KeyScope
from domain.errors import DatabaseFullError, DatabaseUnavailableError, Fault
from domain.policy import serves
from graph.context import Context
from graph.plan.asking import Field, Info, together
from graph.plan.compiling import Compiled, Compiler
from graph.plan.reading import Reader
from graph.plan.symbols import Uncovered
from graph.plan.tree import Object
from settings import Settings

KEPT_OPERATIONS = 512
KEPT_PLANS = 64
"""Of one operation: as many structures as its variables give it."""

_REFUSED = (asyncpg.PostgresError, asyncpg.InterfaceError)
_FAILED = "A planned statement failed; the ordinary executor answers"
_logger = logging.getLogger(__name__)


class Bound(NamedTuple):
    """A plan with the values of one request, for whoever asks."""

    plan: Compiled | None
    """None where no root field is covered."""
    values: tuple[Any, ...]
    teams: tuple[UUID, ...]
    scopes: tuple[KeyScope, ...]
    """What the caller's key must be good for."""
    beside: tuple[Field, ...]
    keys: tuple[str, ...]
    operation: OperationDefinitionNode

    @property
    def alone(self) -> Compiled | None:
        """The plan, where its rows are all that the answer takes."""
        return None if self.beside else self.plan

    def arguments(self, actor: Actor) -> list[Any] | None:
        """What to run the statement with; None when the resolvers have to refuse this actor."""
        roles = actor.roles
        for team in self.teams:
            if team not in roles:
                return None
        for scope in self.scopes:
            if not serves(actor, scope):
                return None
        if self.plan is None:
            return []
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

    def __init__(self, schema: strawberry.Schema, reads: Reads, settings: Settings) -> None:
        self._schema = schema
        self._core = schema._schema  # noqa: SLF001 - Strawberry has no public name for it
        self._reads, self._settings = reads, settings
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
            content = reading.content
            plan = self._plan(known, content, reading) if content.fields else None
        except (Uncovered, Fault, GraphQLError):
            return None
        if plan is None and content.fields:
            return None
        return Bound(
            plan,
            tuple(reading.symbols.values),
            tuple(reading.asked.teams),
            tuple(sorted(reading.asked.scopes)),
            reading.beside,
            reading.keys,
            operation,
        )

    async def run(self, bound: Bound, context: Context) -> dict[str, Any] | None:
        """The data; None when the rows turn out to need the ordinary executor.

        Raises DatabaseUnavailableError and its like.
        """
        arguments = bound.arguments(context.actor)
        if arguments is None:
            data = None
        elif (plan := bound.alone) is not None:
            data = await self._run(plan, arguments)
        else:
            data = await self._asked(bound, context, arguments)
        how = "asked" if bound.beside else "planned"
        self.outcomes["executed" if data is None else how] += 1
        return data

    def ask(
        self,
        plan: Compiled,
        arguments: list[Any],
        answer: Callable[[dict[str, Any] | None], None],
    ) -> Question:
        """Have `answer` called with what `run` would return of such a plan."""
        return self._reads.ask(plan.sql, arguments, partial(self._told, plan, answer))

    def _told(
        self,
        plan: Compiled,
        answer: Callable[[dict[str, Any] | None], None],
        rows: Rows | BaseException,
    ) -> None:
        data = None
        if isinstance(rows, list):
            data = _built(plan, rows)
        elif isinstance(rows, _REFUSED):
            _logger.error(_FAILED, exc_info=rows)
        self.outcomes["executed" if data is None else "planned"] += 1
        answer(data)

    async def _asked(
        self, bound: Bound, context: Context, arguments: list[Any]
    ) -> dict[str, Any] | None:
        """The data of a query of which some root fields have to be asked of their resolvers."""
        info = Info(context, bound.operation)
        plan = bound.plan
        asked: list[Awaitable[Any]] = [field.of(None, info) for field in bound.beside]
        if plan is not None:
            asked.append(self._run(plan, arguments))
        try:
            found = await together(asked)
        except (DatabaseUnavailableError, DatabaseFullError):
            raise
        except Exception:  # the ordinary executor says which field has failed, and how
            return None
        covered = found.pop() if plan is not None else {}
        if covered is None:
            return None
        covered |= {field.key: value for field, value in zip(bound.beside, found, strict=True)}
        return {key: covered[key] for key in bound.keys}

    async def _run(self, plan: Compiled, arguments: list[Any]) -> dict[str, Any] | None:
        try:
            rows = await self._reads.fetch(plan.sql, arguments)
        except _REFUSED:
            _logger.exception(_FAILED)
            return None
        return _built(plan, rows)

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
            plan = Compiler(self._core, reading.symbols, self._settings).compile(content)
        except Uncovered:
            plan = None
        known.plans[content] = plan
        if len(known.plans) > KEPT_PLANS:
            known.plans.popitem(last=False)
        return plan


def _built(plan: Compiled, rows: Rows) -> dict[str, Any] | None:
    """What the plan's function makes of rows; None where the ordinary executor has to answer."""
    try:
        return plan.build(rows)
    except (Uncovered, KeyError):
        return None
    except Exception:  # an error of a field, which the ordinary executor puts into words
        _logger.exception("A plan's function failed; the ordinary executor answers")
        return None
