"""One execution and one encoded answer an event, for all who follow a scope with the same question.

Followers are of one group when document, operation name, variables and scope are the same; only
the variable that says where to resume does not count. A group's events are executed for nobody in
particular (`domain.scope_reader`), who sees what the scope alone shows. Where an answer turns out
to depend on who asks, each member gets one of its own, by the same rule: through that one scope.
See docs/decisions/0003-grouped-fan-out.md.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import count
from math import inf
from typing import Any, NamedTuple, cast
from uuid import UUID
from weakref import WeakValueDictionary

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution import Executor, execute_subscription_event

from domain.actor import Actor
from domain.feed import FeedEvent, Follower
from domain.scope_reader import Personal, ScopeReader, within
from graph import errors
from graph.context import Context
from graph.encoding import encode

LOADERS_LIVE_SECONDS = 1.0
ANSWERS_LIVE_SECONDS = 1.0
KEPT_ANSWERS = 4096
KEPT_CHARACTERS = 8_000_000
RESUME_ARGUMENT = "after"


class Feed(AsyncIterator[object]):
    """What the resolver of a subscription returns: whom to follow, and how its events are shown."""

    def __init__(self, follower: Follower, present: Callable[[FeedEvent], object]) -> None:
        self.follower = follower
        self.present = present

    async def __anext__(self) -> object:
        """Feeds are read by the fan-out, never by GraphQL's own event loop."""
        raise StopAsyncIteration


class Followed(AsyncIterator[object]):
    """What a resolver returns whose events are made for one follower, not read from a feed."""

    def __init__(self, follower: Follower, events: AsyncGenerator[object, None]) -> None:
        self.follower = follower
        self._events = events

    async def __anext__(self) -> object:
        """The next event."""
        return await anext(self._events)

    async def aclose(self) -> None:
        """Follow no longer."""
        await self._events.aclose()
        await self.follower.aclose()


class Key(NamedTuple):
    """What followers of one group have in common."""

    query: str
    operation_name: str | None
    variables: bytes
    scope_id: UUID


class _Answer:
    """The encoded answer to one event, once it is `ready`; None when it is personal."""

    __slots__ = ("ready", "task", "text", "until")

    def __init__(self) -> None:
        self.text: str | None = None
        self.until = inf
        """When it is too old for those who come late: a name or an entry may be gone by then."""
        self.ready = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Fanout:
    """The groups of this process, and the newest answers of all of them together."""

    def __init__(self) -> None:
        self._groups: WeakValueDictionary[Key, Group] = WeakValueDictionary()
        self._serial = count()
        self._answers: OrderedDict[tuple[int, int], _Answer] = OrderedDict()
        self._characters = 0
        self.executions = 0
        """How often an event was executed so far."""

    def join(self, key: Key, executor: Executor[Any], feed: Feed, context: Context) -> Stream:
        """Make a new member of the group of that key."""
        group = self._groups.get(key)
        if group is None:
            group = Group(self, next(self._serial), executor, feed, context)
            self._groups[key] = group
        return Stream(group, feed.follower, context)

    def answer(self, group: Group, event: FeedEvent) -> _Answer:
        """What a group answers to an event; begun now unless it is there already."""
        place = (group.number, event.version)
        found = self._answers.get(place)
        if found is not None and found.until <= time.monotonic():
            self._drop(place)
            found = None
        if found is None:
            found = self._answers[place] = _Answer()
            found.task = asyncio.create_task(self._fill(group, event, found))
        return found

    async def _fill(self, group: Group, event: FeedEvent, answer: _Answer) -> None:
        try:
            answer.text = await group.shared(event)
        except Exception:  # each member runs into it by itself, and reports it
            answer.text = None
        finally:
            answer.task = None
            answer.until = time.monotonic() + ANSWERS_LIVE_SECONDS
            self._characters += len(answer.text or "")
            answer.ready.set()
        self._trim()

    def _trim(self) -> None:
        now = time.monotonic()
        while self._answers:
            place, oldest = next(iter(self._answers.items()))
            many = len(self._answers) > KEPT_ANSWERS or self._characters > KEPT_CHARACTERS
            if not oldest.ready.is_set() or not (many or oldest.until <= now):
                break
            self._drop(place)

    def _drop(self, place: tuple[int, int]) -> None:
        self._characters -= len(self._answers.pop(place).text or "")


class View:
    """Who looks at the events of a feed: a context whose loaders hold nothing for long."""

    __slots__ = ("_like", "_made", "_until", "_who")

    def __init__(self, like: Context, who: Callable[[], Actor | None]) -> None:
        self._like, self._who = like, who
        self._made: Context | None = None
        self._until = 0.0

    def context(self) -> Context:
        """The context of this moment."""
        if self._made is None or time.monotonic() >= self._until:
            self._made = replace(self._like, caller=self._who())
            self._until = time.monotonic() + LOADERS_LIVE_SECONDS
        return self._made

    def renew(self) -> None:
        """Look afresh the next time."""
        self._made = None


class Group:
    """Everybody who asks the same of one scope."""

    def __init__(
        self, fanout: Fanout, number: int, executor: Executor[Any], feed: Feed, context: Context
    ) -> None:
        self.number = number
        self._fanout = fanout
        self._executor = executor
        self._executor.context_value = None  # the first member's, of which nothing may show
        self._present = feed.present
        scope_id = feed.follower.standing.scope_id
        self._nobody = View(context, lambda: ScopeReader(scope_id))

    async def answer(self, event: FeedEvent, member: View) -> str:
        """The encoded answer for one of its members."""
        answer = self._fanout.answer(self, event)
        if not answer.ready.is_set():
            await answer.ready.wait()
        if answer.text is not None:
            return answer.text
        # In a task of its own: an execution that is cut short leaves coroutines behind.
        alone = asyncio.create_task(self._execute(event, member.context()))
        return _encoded(await asyncio.shield(alone))

    async def shared(self, event: FeedEvent) -> str | None:
        """The encoded answer for all members; None when it depends on who asks."""
        context = self._nobody.context()
        result = await self._execute(event, context)
        if _touched(context) or any(_is_personal(error) for error in result.errors or ()):
            self._nobody.renew()  # its loaders may remember that they were refused
            return None
        return _encoded(result)

    async def _execute(self, event: FeedEvent, context: Context) -> ExecutionResult:
        self._fanout.executions += 1
        return await _executed(self._executor, self._present(event), context)


async def _executed(executor: Executor[Any], shown: object, context: Context) -> ExecutionResult:
    each = executor.build_per_event_executor(shown)
    each.context_value = context
    result = execute_subscription_event(each)
    if each.is_awaitable(result):
        result = await cast(Awaitable[ExecutionResult], result)
    return cast(ExecutionResult, result)


def _touched(context: Context) -> bool:
    return isinstance(context.caller, ScopeReader) and context.caller.touched


class Stream(AsyncIterator[str]):
    """One member's answers, encoded, in order. Raises Revoked once it may not follow any more."""

    __slots__ = ("_batch", "_follower", "_group", "_view")

    def __init__(self, group: Group, follower: Follower, context: Context) -> None:
        self._group = group
        self._follower = follower
        caller = within(context.actor, follower.standing.scope_id)
        self._view = View(context, lambda: caller)
        self._batch: Iterator[FeedEvent] = iter(())

    async def __anext__(self) -> str:
        """The answer to the next event."""
        while (event := next(self._batch, None)) is None:
            self._batch = iter(await anext(self._follower))
        text = await self._group.answer(event, self._view)
        self._follower.check()
        return text

    def when_revoked(self, end: Callable[[], None]) -> None:
        """Have `end` called at once when it is revoked, also while nobody waits for an answer."""
        call_when_revoked(self._follower, end)

    async def aclose(self) -> None:
        """Follow no longer."""
        await self._follower.aclose()


class Alone(Stream):
    """The answers to a subscription that brings its own events: executed for this one caller."""

    __slots__ = ("_executor", "_source")

    def __init__(
        self,
        executor: Executor[Any],
        source: AsyncGenerator[Any, None] | Followed,
        context: Context,
    ) -> None:
        caller = context.caller
        self._executor, self._source = executor, source
        self._view = View(context, lambda: caller)

    async def __anext__(self) -> str:
        """The answer to the next event."""
        event = await anext(self._source)
        run = asyncio.create_task(_executed(self._executor, event, self._view.context()))
        return _encoded(await asyncio.shield(run))

    def when_revoked(self, end: Callable[[], None]) -> None:
        """Have `end` called at once when its follower, if it has one, is revoked."""
        if isinstance(self._source, Followed):
            call_when_revoked(self._source.follower, end)

    async def aclose(self) -> None:
        """Follow no longer."""
        await self._source.aclose()


def call_when_revoked(follower: Follower, end: Callable[[], None]) -> None:
    """Have `end` called as soon as a follower's right ends, or now."""
    follower.on_revoked = end
    if follower.revoked:
        end()


def response(result: ExecutionResult) -> dict[str, Any]:
    """A result as it goes over the wire."""
    shown: dict[str, Any] = {"data": result.data}
    if result.errors:
        shown["errors"] = [errors.formatted(error) for error in result.errors]
    return shown


def _encoded(result: ExecutionResult) -> str:
    return encode(response(result)).decode()


def _is_personal(error: BaseException | None) -> bool:
    while isinstance(error, GraphQLError):
        error = error.original_error
    return isinstance(error, Personal)


class _Uses(Visitor):
    """Which variables a document uses, and how often."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.found[node.name.value] += 1


def resuming_variable(document: DocumentNode, operation: OperationDefinitionNode) -> str | None:
    """The variable that only says where to resume: used as `after` of the root field, or nowhere.

    Its declaration is one use more. Root fields that come by a fragment are not looked into.
    """
    name = None
    for field in operation.selection_set.selections:
        for argument in getattr(field, "arguments", None) or ():
            if argument.name.value == RESUME_ARGUMENT and isinstance(argument.value, VariableNode):
                name = argument.value.name.value
    if name is None:
        return None
    uses = _Uses()
    visit(document, uses)
    return name if uses.found[name] == 2 else None  # declared, and used once
