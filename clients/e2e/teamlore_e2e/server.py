"""The server, as far as an encrypted team needs it: GraphQL over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import httpx

from teamlore_e2e.errors import ServerError

KEYS = "publicKeys { number wrappingKey signingKey proof }"
MAKER = "makerKeys { number wrappingKey signingKey proof }"
AUTHOR = "authorKeys { number wrappingKey signingKey proof }"
ENTRY = f"id teamId authorId entryKind epoch revision nonce ciphertext {AUTHOR}"
STATE = f"""
query ($team: ID!, $behind: Int!) {{ team(id: $team) {{
  encryption {{
    epoch rotationDue searchable
    epochs(first: 20, after: $behind) {{ number statement signature createdById {MAKER} }}
    myKeys(first: 20, after: $behind) {{ epoch keyNumber wrapped wrappedById signature }}
  }} }} }}
"""
MEMBERS = f"""
query ($team: ID!, $after: Cursor) {{ team(id: $team) {{
  members(first: 50, after: $after) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ user {{ id {KEYS} }} }} }} }} }}
"""
WAITING = "query ($team: ID!) { team(id: $team) { encryption { waiting { memberId keyNumber } } } }"
ENTRIES = f"""
query ($team: ID!, $after: Cursor, $kind: SealedKind, $matching: [SealedMatch!]) {{
  team(id: $team) {{ sealedEntries(first: 50, after: $after, kind: $kind, matching: $matching) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ {ENTRY} }} }} }} }}
"""
ONE = f"query ($id: ID!) {{ node(id: $id) {{ ... on SealedEntry {{ {ENTRY} }} }} }}"


class Server:
    """One account's connection. Close it with `aclose()`, or use it in `async with`."""

    def __init__(self, url: str, api_key: str, *, client: httpx.AsyncClient | None = None) -> None:
        """`client` for a connection of your own making; its base URL and headers are not used."""
        self._url = url.rstrip("/") + "/graphql"
        self._headers = {"X-API-Key": api_key}
        self._client = client or httpx.AsyncClient(timeout=30)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a query. Raises ServerError."""
        body = {"query": query, "variables": variables}
        try:
            answer = await self._client.post(self._url, json=body, headers=self._headers)
            content = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ServerError("UNAVAILABLE", f"no answer: {error}") from error
        if "errors" in content:
            first = content["errors"][0]
            raise ServerError(first.get("extensions", {}).get("code", "ERROR"), first["message"])
        data: dict[str, Any] = content["data"]
        return data

    async def do(self, mutation: str, fields: str, **given: Any) -> dict[str, Any]:
        """The payload of a mutation. Raises ServerError with the type of the problem."""
        name = mutation[0].upper() + mutation[1:]
        query = f"""
        mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{
          __typename ... on {name}Payload {{ {fields} }} ... on Problem {{ message }}
          ... on InvalidInput {{ problems {{ path message }} }} }} }}
        """
        result: dict[str, Any] = (await self.ask(query, input=given))[mutation]
        if result["__typename"] != f"{name}Payload":
            problems = [_line(problem) for problem in result.get("problems", ())]
            raise ServerError(result["__typename"], result["message"], problems)
        return result


def _line(problem: Mapping[str, Any]) -> str:
    return f"{'.'.join(problem['path'])} {problem['message']}"
