"""A GraphQL caller as a dashboard is one: HTTP with httpx, graphql-transport-ws with websockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.support.server import RunningServer

Json = dict[str, Any]
REGISTER = """
mutation ($input: RegisterInput!) {
  register(input: $input) { ... on RegisterPayload { token apiKey viewer { id email } } }
}
"""


@dataclass(frozen=True)
class Caller:
    """Somebody with a credential, or nobody."""

    server: RunningServer
    id: str = ""
    email: str = ""
    token: str | None = None
    api_key: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What its requests carry."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    async def post(self, query: str, variables: Mapping[str, Any] | None = None) -> httpx.Response:
        """One request, as it comes back."""
        body = {"query": query, "variables": dict(variables or {})}
        return await self.server.client.post("/graphql", json=body, headers=self.headers)

    async def ask(self, query: str, **variables: Any) -> Json:
        """The data of a request that has to succeed."""
        content = (await self.post(query, variables)).json()
        assert "errors" not in content, content["errors"]
        data: Json = content["data"]
        return data

    async def do(self, mutation: str, input: Mapping[str, Any], fields: str) -> Json:
        """A mutation's result: its type and, of the payload, `fields`; of a problem its words."""
        name = mutation[0].upper() + mutation[1:]
        query = f"""
        mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{
          __typename ... on {name}Payload {{ {fields} }} ... on Problem {{ message }}
          ... on InvalidInput {{ problems {{ path message }} }}
        }} }}
        """
        result: Json = (await self.ask(query, input=input))[mutation]
        return result

    async def code(self, query: str, **variables: Any) -> str | None:
        """The code of the first error of a request; None when there is none."""
        found = (await self.post(query, variables)).json().get("errors")
        return found[0]["extensions"]["code"] if found else None

    async def found_team(self, name: str = "Readers") -> str:
        """A new team's id."""
        made = await self.do("createTeam", {"name": name}, "team { id }")
        team_id: str = made["team"]["id"]
        return team_id

    async def write(self, summary: str, team_id: str | None = None, **fields: Any) -> str:
        """A new entry's id."""
        given = {"type": "decision", "timestamp": 1_700_000_000_000, "summary": summary, **fields}
        if team_id:
            given["teamId"] = team_id
        made = await self.do("createKnowledge", given, "entry { id }")
        entry_id: str = made["entry"]["id"]
        return entry_id


async def newcomer(server: RunningServer) -> Caller:
    """Somebody who has just registered."""
    email = f"{uuid4().hex[:12]}@example.org"
    data = await Caller(server).ask(REGISTER, input={"email": email, "password": "long enough"})
    made = data["register"]
    return Caller(server, made["viewer"]["id"], email, made["token"], made["apiKey"])


async def team_of_two(server: RunningServer) -> tuple[Caller, Caller, str]:
    """An owner, a member, and their team's id."""
    owner, member = await newcomer(server), await newcomer(server)
    team_id = await owner.found_team()
    await owner.do("inviteToTeam", {"teamId": team_id, "email": member.email}, "memberId")
    return owner, member, team_id


class Socket:
    """A graphql-transport-ws connection."""

    def __init__(self, raw: ClientConnection) -> None:
        self.raw = raw

    async def send(self, **message: Any) -> None:
        """Send one message."""
        await self.raw.send(json.dumps(message))

    async def receive(self) -> Json:
        """The next message."""
        message: Json = json.loads(await self.raw.recv())
        return message

    async def subscribe(self, query: str, id: str = "1", **variables: Any) -> None:
        """Begin an operation."""
        await self.send(id=id, type="subscribe", payload={"query": query, "variables": variables})

    async def next(self) -> Json:
        """The data of the next event."""
        message = await self.receive()
        assert message["type"] == "next", message
        data: Json = message["payload"]["data"]
        return data


@asynccontextmanager
async def raw_socket(server: RunningServer, **options: Any) -> AsyncIterator[Socket]:
    """A socket on which nothing was said yet."""
    options.setdefault("subprotocols", ["graphql-transport-ws"])
    async with connect(f"{server.ws_url}/graphql", **options) as raw:
        yield Socket(raw)


@asynccontextmanager
async def socket_of(caller: Caller, *, by_key: bool = False) -> AsyncIterator[Socket]:
    """A socket with the caller's credential acknowledged."""
    payload = {"apiKey": caller.api_key} if by_key else {"authorization": f"Bearer {caller.token}"}
    async with raw_socket(caller.server) as socket:
        await socket.send(type="connection_init", payload=payload)
        assert (await socket.receive())["type"] == "connection_ack"
        yield socket
