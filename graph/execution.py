"""From the text of a request to its answer, whichever transport it came over."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution import (
    Executor,
    create_source_event_stream,
    execute_root_selection_set,
)

from direct import Asked
from graph import errors, introspection, limits, texts
from graph.context import Context
from graph.encoding import canonical
from graph.errors import Refused
from graph.fanout import Alone, Fanout, Feed, Key, Stream, response, resuming_variable
from graph.persisted import PersistedDocuments
from graph.plan.compiling import Compiled
from graph.plan.planner import Bound, Planner
from graph.plan.shortcuts import Shortcut, Shortcuts

REMEMBERED_DOCUMENTS = 512
REMEMBERED_BYTES = 8 * 1024
_MAX_ERRORS = 20


class Request(NamedTuple):
    """One operation that a client asks for."""

    query: str
    variables: Mapping[str, Any] | None = None
    operation_name: str | None = None
    persisted: Any = None
    """What `extensions.persistedQuery` says; then `query` may be empty until it is recalled."""
    body: bytes | None = None
    """The bytes that it came as."""


class Engine:
    """Parses, checks and executes documents against one schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        introspection: bool = True,
        planner: Planner | None = None,
    ) -> None:
        self._schema = schema
        self._planner = planner
        self.shortcuts = Shortcuts()
        self._introspection = introspection
        self._persisted = PersistedDocuments()
        self._remembered = lru_cache(REMEMBERED_DOCUMENTS)(self._prepare)
        self._resumed = lru_cache(REMEMBERED_DOCUMENTS)(self._resuming)
        self.fanout = Fanout()

    def recalled(self, request: Request) -> Request:
        """The request with its document, which it may name by hash. Raises Refused."""
        if request.persisted is None:
            return request
        return request._replace(query=self._persisted.document(request.query, request.persisted))

    def operation(self, request: Request) -> OperationType:
        """What kind of operation a request is. Raises Refused."""
        return self._operation(request)[1].operation

    async def execute(self, request: Request, context: Context) -> dict[str, Any]:
        """The response to a query or a mutation.

        Raises Refused, Invalid for bad strings, and OverBudget when the cost is too much for now.
        """
        variables = self._checked(request, context)
        await context.settle()
        data = await self._planned(request, variables, context)
        if data is not None:
            return {"data": data}
        executor = self._built(request, variables, context)
        result = execute_root_selection_set(executor)
        if executor.is_awaitable(result):
            result = await cast(Awaitable[ExecutionResult], result)
        return response(cast(ExecutionResult, result))

    async def subscribe(self, request: Request, context: Context) -> Stream:
        """The encoded responses of a subscription, one an event.

        Raises Refused, and whatever the subscription's resolver raises, before the first one.
        """
        executor = self._executor(request, context)
        await context.settle()
        source = create_source_event_stream(executor)
        if executor.is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            raise _cause(source)
        if not isinstance(source, Feed):
            return Alone(executor, cast(AsyncGenerator[Any, None], source), context)
        scope_id = source.follower.standing.scope_id
        variables = canonical(self._shared_variables(request))
        key = Key(request.query, request.operation_name, variables, scope_id)
        return self.fanout.join(key, executor, source, context)

    def _shared_variables(self, request: Request) -> dict[str, Any]:
        """The variables, without the one that is nothing but a place to resume at."""
        find = self._resumed if len(request.query) <= REMEMBERED_BYTES else self._resuming
        resumed = find(request.query, request.operation_name)
        return {k: v for k, v in (request.variables or {}).items() if k != resumed}

    def _resuming(self, query: str, operation_name: str | None) -> str | None:
        return resuming_variable(*self._operation(Request(query, None, operation_name)))

    async def _planned(
        self, request: Request, variables: dict[str, Any], context: Context
    ) -> dict[str, Any] | None:
        """The data of a query that the plan covers."""
        document, operation = self._operation(request)
        planner = self._planner
        if (
            planner is None
            or context.caller is None
            or operation.operation is not OperationType.QUERY
        ):
            return None
        bound = planner.bind(document, operation, variables)
        if bound is None:
            planner.outcomes["executed"] += 1
            return None
        if request.persisted is None:
            self.shortcuts.remember(
                request.body,
                (request.query, request.operation_name),
                variables,
                Shortcut(bound, context.cost),
                partial(planner.bind, document, operation),
            )
        return await planner.run(bound, context)

    @property
    def plans(self) -> bool:
        """Whether there is a planner."""
        return self._planner is not None

    async def run(self, bound: Bound, context: Context) -> dict[str, Any] | None:
        """The data of a query that has a plan; None where the ordinary executor has to answer."""
        return None if self._planner is None else await self._planner.run(bound, context)

    def ask(
        self,
        plan: Compiled,
        arguments: list[Any],
        answer: Callable[[dict[str, Any] | None], None],
    ) -> Asked | None:
        """As `run` with a callback, of what takes the rows of a statement alone."""
        return None if self._planner is None else self._planner.ask(plan, arguments, answer)

    def _executor(self, request: Request, context: Context) -> Executor[Any]:
        return self._built(request, self._checked(request, context), context)

    def _checked(self, request: Request, context: Context) -> dict[str, Any]:
        """The variables, once they and the cost are found to be within bounds. Raises Refused."""
        document, operation = self._operation(request)
        variables = dict(request.variables or {})
        try:
            limits.check_variables(variables)
            cost = limits.check_cost(self._schema, document, operation, variables)
            context.cost = max(1, cost)
        except GraphQLError as error:
            raise Refused([error], errors.BAD_INPUT) from None
        texts.check_variables(variables)
        return variables

    def _built(
        self, request: Request, variables: dict[str, Any], context: Context
    ) -> Executor[Any]:
        document, _operation = self._operation(request)
        built = Executor.build(
            self._schema,
            document,
            context_value=context,
            raw_variable_values=variables,
            operation_name=request.operation_name,
            max_coercion_errors=_MAX_ERRORS,
        )
        if isinstance(built, list):
            raise Refused(built, errors.BAD_INPUT)
        return built

    def _operation(self, request: Request) -> tuple[DocumentNode, OperationDefinitionNode]:
        size = len(request.query.encode("utf-8", "surrogatepass"))
        document = (self._remembered if size <= REMEMBERED_BYTES else self._prepare)(request.query)
        if request.persisted is not None:
            self._persisted.keep(request.query, request.persisted)
        found = get_operation_ast(document, request.operation_name)
        if found is None:
            message = (
                f'There is no operation called "{request.operation_name}"'
                if request.operation_name
                else "The document has several operations: say which one with operationName"
            )
            raise Refused([GraphQLError(message)], errors.VALIDATION_FAILED)
        return document, found

    def _prepare(self, query: str) -> DocumentNode:
        """Parse and validate. Raises Refused."""
        try:
            limits.check_text(query)
            document = parse(query, max_tokens=limits.MAX_TOKENS)
            if not self._introspection:
                introspection.refuse(query, document)
            limits.check(self._schema, document)
        except GraphQLError as error:
            raise Refused([error], errors.PARSE_FAILED) from None
        except UnicodeEncodeError:
            raise _refused("The document contains a lone surrogate") from None
        except RecursionError:
            raise _refused("The document is nested too deeply") from None
        if found := validate(self._schema, document, max_errors=_MAX_ERRORS):
            raise Refused(found, errors.VALIDATION_FAILED)
        texts.check_literals(query, document)
        return document


def _refused(message: str) -> Refused:
    return Refused([GraphQLError(message)], errors.PARSE_FAILED)


def _cause(result: ExecutionResult) -> Exception:
    """Why a subscription did not start: what its resolver raised, or an error of the request."""
    found = result.errors or []
    cause: BaseException | None = found[0] if found else None
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, Exception) and not isinstance(cause, GraphQLError):
        return cause
    return Refused(list(found), errors.BAD_INPUT)
