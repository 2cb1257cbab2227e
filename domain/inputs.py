"""What input may look like: the field types that every operation's input is made of.

Both transports hand over plain dicts; `parse` gives back a frozen model or raises Invalid with the
exact path of each wrong field. Field names are the camelCase ones of the wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from domain.errors import Invalid, Problem

MAX_EPOCH_MS = 253_402_300_799_999
"""The last millisecond of the year 9999: what an ISO date with four digits can say."""
MAX_DEPTH = 64
_MESSAGES = {
    "missing": "is required",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "string_too_long": "must be at most {max_length} characters",
    "string_too_short": "must be at least {min_length} characters",
    "bytes_type": "must be bytes",
    "bytes_too_long": "must be at most {max_length} bytes",
    "bytes_too_short": "must be at least {min_length} bytes",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
}


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must not contain a lone surrogate") from None
    return text


def _present(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _whole(value: object) -> object:
    """JSON has one kind of number: 1e12 and 5.0 are whole, true is not a number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _storable_tree(value: object) -> object:
    for path, text in strings(value, ()):
        try:
            _storable(text)
        except ValueError as error:
            where = ".".join(str(step) for step in path)
            raise ValueError(f"{error} (at {where})") from None
    return value


def strings(
    value: object, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every string in a JSON value, keys included, with the path to it.

    Raises ValueError for a value nested more deeply than 64 levels.
    """
    if len(path) > MAX_DEPTH:
        raise ValueError(f"must not be nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield path, key
            yield from strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, (*path, index))


Storable = Annotated[str, AfterValidator(_storable)]
"""A string that PostgreSQL can keep."""
NonBlank = Annotated[Storable, AfterValidator(_present)]
Label = Annotated[Storable, StringConstraints(max_length=255)]
JsonObject = Annotated[dict[str, Any], AfterValidator(_storable_tree)]
WholeNumber = Annotated[int, BeforeValidator(_whole), Strict()]
Ordinal = Annotated[WholeNumber, Field(ge=1, le=2**31 - 1)]
"""A number that things are counted by, from 1."""
EpochMs = Annotated[WholeNumber, Field(ge=0, le=MAX_EPOCH_MS)]
Tags = Annotated[
    tuple[Annotated[NonBlank, StringConstraints(max_length=50)], ...], Field(max_length=20)
]
RelatedFiles = Annotated[
    tuple[Annotated[NonBlank, StringConstraints(max_length=500)], ...], Field(max_length=50)
]


class Input(BaseModel):
    """Base of every input: immutable, strict about types, tolerant of fields it does not know."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
        extra="ignore",
    )


ModelT = TypeVar("ModelT", bound=BaseModel)


def parse(model: type[ModelT], data: object, *, under: tuple[str | int, ...] = ()) -> ModelT:
    """Validate `data` as `model`.

    Raises Invalid; every path is prefixed with `under`.
    """
    try:
        return model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        raise Invalid(
            Problem((*under, *problem["loc"]), _message(dict(problem)))
            for problem in error.errors(include_url=False)
        ) from None


def _message(problem: Mapping[str, Any]) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in {"too_long", "too_short"} and isinstance(problem["input"], str):
        kind = f"string_{kind}"
    if kind in _MESSAGES:
        return _MESSAGES[kind].format_map(context)
    return str(problem["msg"]).replace("Input should be", "must be")
