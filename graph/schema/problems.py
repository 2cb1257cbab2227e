"""What a person can cause, as types: the members of every mutation's result besides its payload."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import reduce, wraps
from operator import or_
from typing import Annotated, Any, ParamSpec, TypeVar

import strawberry
from pydantic.alias_generators import to_camel
from strawberry import UNSET

from domain.errors import Conflict, Fault, Forbidden, Invalid, NotFound, RateLimited
from domain.errors import Unauthenticated as BadCredentials
from domain.inputs import ModelT, parse

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


@strawberry.interface(
    name="Problem", description="A reason why a mutation changed nothing, in words for a person."
)
class ProblemType:
    """The interface of all problems."""

    message: str = strawberry.field(description="What is wrong, as one sentence.")


@strawberry.type(name="FieldProblem", description="What is wrong with one field of the input.")
class FieldProblem:
    """One line of an InvalidInput."""

    path: list[str] = strawberry.field(
        description="The way to the field, from the argument inwards; list places as digits."
    )
    message: str = strawberry.field(description="What is wrong with it, as one sentence.")


@strawberry.type(name="InvalidInput", description="The input itself cannot be right.")
class InvalidInput(ProblemType):
    """For Invalid."""

    problems: list[FieldProblem] = strawberry.field(description="Each wrong field.")

    @classmethod
    def of(cls, fault: Invalid) -> InvalidInput:
        """The problem that a fault is."""
        found = [FieldProblem(path=[*map(str, p.path)], message=p.message) for p in fault.problems]
        return cls(message=fault.message, problems=found)


@strawberry.type(
    name="NotFound", description="There is no such thing, or none that you may know of."
)
class NotFoundProblem(ProblemType):
    """For NotFound."""


@strawberry.type(name="Forbidden", description="You may know of it, but you may not do this.")
class ForbiddenProblem(ProblemType):
    """For Forbidden."""


@strawberry.type(name="Conflict", description="It clashes with something that exists already.")
class ConflictProblem(ProblemType):
    """For Conflict."""


@strawberry.type(name="InvalidCredentials", description="The address or the password is wrong.")
class InvalidCredentials(ProblemType):
    """For a log-in that failed."""


@strawberry.type(name="RateLimited", description="Too many attempts: wait before the next one.")
class RateLimitedProblem(ProblemType):
    """For RateLimited."""

    retry_after: float = strawberry.field(description="Seconds until the next attempt can succeed.")


_TYPES: dict[type[Fault], type[ProblemType]] = {
    Invalid: InvalidInput,
    NotFound: NotFoundProblem,
    Forbidden: ForbiddenProblem,
    Conflict: ConflictProblem,
    BadCredentials: InvalidCredentials,
    RateLimited: RateLimitedProblem,
}


def problem_of(fault: Fault, allowed: Sequence[type[ProblemType]]) -> ProblemType | None:
    """The fault as one of the `allowed` types; None when it is none of them."""
    kind = next((_TYPES[base] for base in type(fault).__mro__ if base in _TYPES), None)
    if kind is None or kind not in allowed:
        return None
    if isinstance(fault, Invalid):
        return InvalidInput.of(fault)
    if isinstance(fault, RateLimited):
        return RateLimitedProblem(message=fault.message, retry_after=fault.retry_after)
    return kind(message=fault.message)


def mutation(
    payload: type[object], problems: Sequence[type[ProblemType]], description: str
) -> Callable[[Callable[P, Awaitable[ResultT]]], Any]:
    """Make a resolver a mutation that answers `payload` or one of `problems`.

    The union is called after the payload: `CreateTeamPayload` makes `CreateTeamResult`. Faults
    that are none of `problems` become errors of the response.
    """
    name = payload.__name__.removesuffix("Payload") + "Result"
    about = strawberry.union(name, description=f"`{payload.__name__}`, or what stood in the way.")
    result = Annotated[reduce(or_, problems, payload), about]  # type: ignore[valid-type]

    def decorate(resolver: Callable[P, Awaitable[ResultT]]) -> Any:
        @wraps(resolver)
        async def run(*args: P.args, **kwargs: P.kwargs) -> ResultT | ProblemType:
            try:
                return await resolver(*args, **kwargs)
            except Fault as fault:
                problem = problem_of(fault, problems)
                if problem is None:
                    raise
                return problem

        field = strawberry.mutation(run, graphql_type=result, description=description)
        for argument in field.base_resolver.arguments if field.base_resolver else ():
            argument.description = argument.description or "Everything that the mutation needs."
        return field

    return decorate


def given(item: object, **replaced: Any) -> dict[str, Any]:
    """What of a GraphQL input was given, by its name on the wire."""
    values = vars(item) | replaced
    return {to_camel(name): value for name, value in values.items() if value is not UNSET}


def parse_input(model: type[ModelT], item: object, **replaced: Any) -> ModelT:
    """A GraphQL input as an operation's input; `replaced` overrides single fields.

    Raises Invalid with paths that begin at the argument.
    """
    return parse(model, given(item, **replaced), under=("input",))
