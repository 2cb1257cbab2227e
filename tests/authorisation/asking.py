"""From a cell of the table to a request, and from its answer to an outcome and a text."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from backports import zstd
from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    Undefined,
)

from domain import cursor
from domain.cursor import Position
from graph.build import core_schema
from graph.schema import ids
from tests.authorisation.rules import Outcome
from tests.authorisation.table import Row
from tests.authorisation.world import Things, World

FIELDS = 350
CLASHING = {"role", "former", "detail", "name", "title", "note", "reason"}
"""Names that mean different types in different members of a union."""
APART = {"audit", "invitations", "contributions", "raw", "preview"}
"""Fields with rows of their own, or that need a key of their own, and so are not asked for."""
_CODES: dict[str, Outcome] = {
    "UNAUTHENTICATED": "anonymous",
    "FORBIDDEN": "denied",
    "NOT_FOUND": "hidden",
    "BAD_USER_INPUT": "invalid",
    "INVALID_INPUT": "invalid",
}
_PROBLEMS: dict[str, Outcome] = {
    "NotFound": "hidden",
    "Forbidden": "denied",
    "InvalidInput": "invalid",
    "Conflict": "conflict",
    "InvalidCredentials": "anonymous",
}
_STATUS: dict[int, Outcome] = {
    400: "invalid",
    401: "anonymous",
    403: "denied",
    404: "hidden",
    409: "conflict",
}
_ENCODED = re.compile(r"[A-Za-z0-9_-]{20,}")


@dataclass(frozen=True)
class Answer:
    """What came of a request: the outcome, and everything that was sent, as text to be searched."""

    outcome: str
    text: str


async def ask(world: World, row: Row, actor: str, target: str, seconds: float = 10) -> Answer:
    """Send the request of one cell; a feed that says nothing for so long has let the actor in."""
    request = _filled(world, row.request, actor, target)
    if row.kind == "route":
        return await _by_route(world, row, actor, request)
    if row.kind == "subscription":
        return await _by_stream(world, row, actor, request, seconds)
    return await _by_graph(world, row, actor, request)


async def _by_graph(world: World, row: Row, actor: str, request: str) -> Answer:
    query = f"{row.kind} {{ {_document(row, request)} }}"
    headers = _headers(world, actor, registry=False)
    sent = await world.server.client.post("/graphql", json={"query": query}, headers=headers)
    return Answer(_outcome(sent.json()), sent.text)


def _outcome(content: Any) -> str:
    if errors := content.get("errors"):
        code = errors[0].get("extensions", {}).get("code", "?")
        return _CODES.get(code, f"{code}: {errors[0]['message']}")
    ((_name, value),) = content["data"].items()
    if value is None:
        return "hidden"
    if isinstance(value, dict) and (kind := value.get("__typename", "")) in _PROBLEMS:
        return _PROBLEMS[kind]
    return "ok"


async def _by_stream(world: World, row: Row, actor: str, request: str, seconds: float) -> Answer:
    """Over server-sent events, until the first word."""
    body = {"query": f"subscription {{ {_document(row, request)} }}"}
    headers = {**_headers(world, actor, registry=False), "accept": "text/event-stream"}
    text = ""
    client = world.server.client
    try:
        async with (
            asyncio.timeout(seconds),
            client.stream("POST", "/graphql", json=body, headers=headers) as answer,
        ):
            async for piece in answer.aiter_text():
                text += piece
                if "\n\n" in text.removeprefix(":\n\n") or text.startswith("{"):
                    break
    except TimeoutError:
        pass
    for line in text.splitlines():
        if line.startswith("data: {"):
            return Answer(_outcome(json.loads(line[6:])), text)
        if line.startswith("{"):
            return Answer(_outcome(json.loads(line)), text)
    return Answer("ok", text)


async def _by_route(world: World, row: Row, actor: str, request: str) -> Answer:
    method, path = row.name.split()
    words, body = [], None
    for part in re.findall(r'[{"].*|\S+', request):
        if part[0] in '{"':
            body = part.strip('"') if part[0] == '"' else part
        else:
            words.append(part)
    query = ""
    for part in words:
        name, _, value = part.partition("=")
        if part.startswith("?"):
            query = part
        elif value:
            path = re.sub(rf"\{{{name}(:path)?\}}", value, path)
    headers = _headers(world, actor, registry="registry" in words)
    if body is not None:
        headers["content-type"] = "application/json" if body[0] == "{" else "text/plain"
    if "patch" in words:
        headers |= {"Upload-Offset": "1000000", "content-type": "application/octet-stream"}
        body = "x"
    sent = await world.server.client.request(method, path + query, content=body, headers=headers)
    outcome = "ok" if sent.is_success else _STATUS.get(sent.status_code, str(sent.status_code))
    return Answer(outcome, _text(sent.content))


def _text(content: bytes) -> str:
    """A body as text, unpacked where it is packed."""
    if content[:4] == b"\x28\xb5\x2f\xfd":
        content = zstd.ZstdDecompressor().decompress(content)
    return content.decode("utf-8", "replace")


def _headers(world: World, actor: str, *, registry: bool) -> dict[str, str]:
    person = world.people[actor]
    return dict(person.key_headers if registry else person.headers)


def _filled(world: World, request: str, actor: str, target: str) -> str:
    """The request with the things of its column in place of their names."""
    things: Things = world.things(actor, target)
    mine: Things = world.things(actor, "own")

    def value(match: re.Match[str]) -> str:
        words = match[1].split(".")
        if words[0] == "fresh":
            return f"fresh{uuid4().hex[:10]}"
        if words[0] == "zeros":
            return base64.b64encode(bytes(int(words[1]))).decode()
        if words[0] == "mine":
            return _quoted(row_is_graph, mine[words[1]])
        if words[0] == "node":
            return json.dumps(ids.encode(words[1], UUID(things[words[2]])))  # type: ignore[arg-type]
        if words[0] == "cursor":
            scope = mine.get("user") if words[1] == "me" else things["team"]
            return json.dumps(cursor.encode({UUID(str(scope)): Position(0, everything=True)}))
        return _quoted(row_is_graph, things[words[0]])

    row_is_graph = "(" in request.split("{", maxsplit=1)[0] or not re.search(r"[?={]", request)
    return re.sub(r"\$([a-zA-Z]+(?:\.[a-zA-Z0-9]+)*)", value, request)


def _quoted(graph: bool, value: str) -> str:
    return json.dumps(value) if graph else value


def _document(row: Row, request: str) -> str:
    """The field with its arguments, as an input where it is a mutation, and with a selection."""
    field = core_schema().type_map[row.kind.capitalize()].fields[row.operation]  # type: ignore[attr-defined]
    if "{" in re.sub(r"\(.*?\)", "", request):
        return request
    if row.kind == "mutation":
        request = re.sub(r"^(\w+)\((.*)\)$", r"\1(input: {\2})", request, flags=re.DOTALL)
        return f"{request} {_selection(_named(field.type), 1)}"
    if row.operation == "node":
        kind = core_schema().type_map[row.name.split()[1]]
        return f"{request} {{ __typename ... on {kind.name} {_widest(kind)} }}"
    return f"{request} {_widest(_named(field.type))}"


def _named(kind: Any) -> Any:
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        kind = kind.of_type
    return kind


@cache
def _widest(kind: Any) -> str:
    """As much of a type as the limits on a request let through."""
    found = (_selection(kind, depth) for depth in range(3, -1, -1))
    return next(text for text in found if len(re.findall(r"\w+", text)) < FIELDS)


def _selection(kind: Any, depth: int) -> str:
    """Everything that can be asked of a type without arguments, so many levels down."""
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        parts = ["__typename"]
        for possible in core_schema().get_possible_types(kind):
            inner = " ".join(_fields(possible, depth, f"{possible.name}_"))
            parts.append(f"... on {possible.name} {{ {inner} }}")
        return f"{{ {' '.join(parts)} }}"
    if not isinstance(kind, GraphQLObjectType):
        return ""
    return f"{{ {' '.join(_fields(kind, depth, ''))} }}"


def _fields(kind: GraphQLObjectType, depth: int, prefix: str) -> Iterator[str]:
    """Fields with their selections; in a fragment under another name where types may differ."""
    yield "__typename"
    for name, field in kind.fields.items():
        required = any(isinstance(a.type, GraphQLNonNull) for a in _undefaulted(field))
        inner = _named(field.type)
        if required or name in APART or name == "edges":
            continue
        alias = f"{prefix}{name}: " if prefix and name in CLASHING else ""
        if not isinstance(inner, GraphQLObjectType | GraphQLUnionType | GraphQLInterfaceType):
            yield f"{alias}{name}"
        elif depth > 0:
            step = 0 if inner.name.endswith("Connection") else 1
            few = "(first: 5)" if "first" in field.args else ""
            yield f"{alias}{name}{few} {_selection(inner, depth - step)}"


def _undefaulted(field: Any) -> Iterator[Any]:
    return (a for a in field.args.values() if a.default_value is Undefined)


def words_in(text: str, planted: set[str]) -> set[str]:
    """The planted words in a text, cursors and other encoded parts of it included."""
    searched = text.lower()
    for part in _ENCODED.findall(text):
        with suppress(ValueError):
            decoded = base64.b64decode(part + "=" * (-len(part) % 4), b"-_")
            searched += decoded.decode("latin-1").lower()
    return {word for word in planted if word in searched}
