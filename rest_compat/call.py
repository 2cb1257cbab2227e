"""One legacy request: who asks, through which of the two APIs, and with what body."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from domain.actor import Actor, Origin
from domain.errors import Invalid, NotFound, TooLarge, Unauthenticated
from domain.inputs import ModelT, parse, strings
from domain.services import Services
from rest_compat.errors import BadRequest, UnsupportedMediaType

Api = Literal["cloud", "registry"]
PAGE_MAX = 100
OFFSET_MAX = 1_000_000_000
_JSON_TYPES = ("application/json", "text/json", "text/plain", "")


def address_of(request: Request) -> str:
    """The network address that a request comes from."""
    return request.client.host if request.client else "unknown"


def origin_of(request: Request) -> Origin:
    """Where a request comes from, as the audit log keeps it."""
    return Origin.of(address_of(request), request.headers.get("user-agent"))


@dataclass(frozen=True)
class Call:
    """A request with its credential already resolved."""

    request: Request
    services: Services
    caller: Actor | None
    api: Api
    """Whose answer the caller expects, by the marks of its request."""
    _read: dict[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """Who asks. Raises Unauthenticated when nobody said."""
        if self.caller is None:
            raise Unauthenticated
        return self.caller

    @property
    def origin(self) -> Origin:
        """Where the request comes from."""
        return origin_of(self.request)

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query string's last value of each name. Raises Invalid for NUL or bad UTF-8."""
        values = dict(self.request.query_params)
        for name, value in values.items():
            if "\x00" in value or "\x00" in name:
                raise Invalid.at(name.replace("\x00", ""), "must not contain the NUL character")
        return values

    def uuid(self, name: str) -> UUID:
        """A path parameter that is one of our ids. Raises NotFound for anything else."""
        try:
            return UUID(self.request.path_params[name])
        except ValueError:
            raise NotFound from None

    def page(self) -> tuple[int, int]:
        """`limit` (1 to 100, default 20) and `offset`. Raises Invalid for anything else."""
        return self.number("limit", 20, 1, PAGE_MAX), self.number("offset", 0, 0, OFFSET_MAX)

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number of the query string. Raises Invalid outside `low` to `high`."""
        given = self.query.get(name, "")
        if given == "":
            return default
        if not (given.isascii() and given.isdigit() and len(given) < 12):
            raise Invalid.at(name, f"must be a whole number from {low} to {high}")
        if not low <= int(given) <= high:
            raise Invalid.at(name, f"must be a whole number from {low} to {high}")
        return int(given)

    def team_id(self) -> UUID | None:
        """The `teamId` of the query string. Raises Invalid when it is no UUID."""
        given = self.query.get("teamId", "")
        try:
            return UUID(given) if given else None
        except ValueError:
            raise Invalid.at("teamId", "must be a UUID") from None

    @property
    def base_url(self) -> str:
        """The address that people reach this server under, without a slash at the end."""
        configured = self.services.settings.public_url
        return (configured or str(self.request.base_url)).rstrip("/")

    async def body(self, limit: int | None = None) -> bytes:
        """The whole body. Raises TooLarge above `limit` bytes (default: the setting)."""
        bound = limit or self.services.settings.json_body_max
        message = f"The body is larger than {bound} bytes"
        declared = self.request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > bound:
            raise TooLarge(message)
        chunks, size = [], 0
        try:
            async for chunk in self.request.stream():
                size += len(chunk)
                if size > bound:
                    raise TooLarge(message)
                chunks.append(chunk)
        except ClientDisconnect:
            raise BadRequest("The request ended before its body was complete") from None
        return b"".join(chunks)

    async def json(self) -> Any:
        """The body as JSON. Raises BadRequest, UnsupportedMediaType or Invalid."""
        if "json" in self._read:
            return self._read["json"]
        media_type = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in _JSON_TYPES and not media_type.endswith("+json"):
            raise UnsupportedMediaType(f"Send application/json, not {media_type}")
        self._read["json"] = decode(await self.body())
        return self._read["json"]

    async def input(self, model: type[ModelT]) -> ModelT:
        """The JSON body as an operation's input."""
        return parse(model, await self.json())


Handler = Callable[[Call], Awaitable[Response]]


def decode(data: bytes) -> Any:
    """Parse JSON.

    Raises BadRequest saying where it is malformed, and Invalid naming the field that holds a lone
    surrogate, which the fast parser refuses without a place.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        message = str(error)
    with suppress(ValueError, RecursionError):
        lenient = json.loads(data)
        for path, text in strings(lenient, ()):
            if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
                raise Invalid.at(path, "must not contain a lone surrogate")
    raise BadRequest(f"Malformed JSON: {message}")
