"""Readers of the log that remember what they were shown, and compare it with the model."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from domain import cursor
from domain.cursor import Position
from graph.schema import ids
from tests.support.log_model import Content, Model
from tests.support.server import RunningServer

EVENT = """__typename cursor at actorId
  ... on KnowledgeEvent { entryId } ... on MembershipEvent { memberId }"""
CHANGES = f"""
query ($after: Cursor, $scopes: [ID!], $first: Int) {{
  changes(after: $after, scopes: $scopes, first: $first) {{
    nodes {{ {EVENT} }} pageInfo {{ hasNextPage endCursor }} }} }}
"""
FEED = f"""
subscription ($team: ID!, $after: Cursor) {{ teamFeed(teamId: $team, after: $after) {{ {EVENT} }} }}
"""
TYPES = {
    "knowledge_created": "KnowledgeCreated",
    "knowledge_updated": "KnowledgeUpdated",
    "knowledge_deleted": "KnowledgeDeleted",
    "member_joined": "MemberJoined",
    "member_left": "MemberLeft",
    "member_removed": "MemberLeft",
}
SECONDS = 10


@dataclass(frozen=True)
class Person:
    """An account."""

    id: UUID
    email: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """Its credential."""
        return {"Authorization": f"Bearer {self.key}"}


@dataclass
class Puller:
    """A client that keeps a copy and pulls with our cursor."""

    person: Person
    team: UUID | None
    since: str | None = None
    copy: dict[UUID, tuple[UUID, Content]] = field(default_factory=dict)
    shown: set[tuple[UUID, UUID, str]] = field(default_factory=set)
    buried: Counter[UUID] = field(default_factory=Counter)

    async def fetch(self, server: RunningServer, limit: int | None) -> httpx.Response:
        """One page."""
        given = {"since": self.since, "teamId": self.team, "limit": limit}
        return await _pull(server, self.person, given)

    def take(self, answer: httpx.Response, model: Model, *, quiet: bool = True) -> bool:
        """Take a page over; whether there is more. `quiet`: nobody wrote meanwhile."""
        if not _allowed(answer, self.person, self.team, model):
            return False
        scopes = model.scopes_of(self.person.id)
        self.copy = {i: row for i, row in self.copy.items() if row[0] in scopes}
        self.shown = {key for key in self.shown if key[1] in scopes}
        content = answer.json()
        assert "resync" not in content
        for row in content["entries"]:
            self._take_row(row, model)
        self.since = content["cursor"]
        if quiet and not content["hasMore"]:
            held = {i: said for i, (_scope, said) in self.copy.items()}
            assert held == model.visible(self.person.id, self.team), "the copy is not the truth"
        return bool(content["hasMore"])

    def _take_row(self, row: dict[str, Any], model: Model) -> None:
        id_ = UUID(row["id"])
        if row.get("deleted"):
            self.copy.pop(id_, None)
            self.buried[id_] += 1
            deletions = [r.deletions for r in model.state.rows if r.id == id_]
            assert deletions, "a tombstone of nothing"
            assert self.buried[id_] <= deletions[0], "a deletion came twice"
            return
        scope = UUID(row["team_id"] or row["user_id"])
        key = (id_, scope, row["updated_at"])
        assert key not in self.shown, f"a row came twice: {row['summary']}"
        self.shown.add(key)
        self.copy[id_] = (scope, _content(row))


@dataclass
class Clock:
    """A client that pulls with the time of its last pull, as ISO 8601 or epoch milliseconds."""

    person: Person
    team: UUID | None
    iso: bool
    since: datetime | None = None
    copy: dict[UUID, Content] = field(default_factory=dict)

    async def fetch(self, server: RunningServer) -> tuple[datetime, httpx.Response]:
        """Everything since the last time."""
        began = datetime.now(UTC)
        since = None
        if self.since is not None:
            epoch = str(int(self.since.timestamp() * 1000))
            since = self.since.isoformat() if self.iso else epoch
        return began, await _pull(server, self.person, {"since": since, "teamId": self.team})

    def take(self, found: tuple[datetime, httpx.Response], model: Model) -> None:
        """Take it over: nothing that is there may be missing or out of date."""
        began, answer = found
        if not _allowed(answer, self.person, self.team, model):
            return
        rows = {UUID(row["id"]): _content(row) for row in answer.json()["entries"]}
        self.copy |= rows
        truth = model.visible(self.person.id, self.team)
        assert rows.items() <= truth.items(), "what is deleted or old was shown"
        assert truth.items() <= self.copy.items(), "a row was missed"
        self.since = began


@dataclass
class Pager:
    """A client of `changes`, which may stop behind any event."""

    person: Person
    cursor: str | None = None
    seen: dict[UUID, int] = field(default_factory=dict)

    async def fetch(self, server: RunningServer, first: int, scopes: Any = None) -> Any:
        """A page behind the cursor."""
        body = {
            "query": CHANGES,
            "variables": {"after": self.cursor, "first": first, "scopes": scopes},
        }
        answer = await server.client.post("/graphql", json=body, headers=self.person.headers)
        return answer.json()

    def take(
        self,
        answer: Any,
        model: Model,
        kept: int | None = None,
        only: UUID | None = None,
        *,
        quiet: bool = True,
    ) -> bool:
        """Take over the first `kept` events or all; whether there are more.

        When there are none, everything has to have been shown, unless others wrote (`quiet`).
        """
        assert "errors" not in answer, answer
        readable = model.scopes_of(self.person.id)
        self.seen = {s: v for s, v in self.seen.items() if s in readable}
        page = answer["data"]["changes"]
        for event in page["nodes"][:kept]:
            positions = cursor.decode(event["cursor"])
            moved = [s for s in readable if _version(positions, s) > self.seen.get(s, 0)]
            assert len(moved) == 1, f"{len(moved)} scopes moved with one event"
            assert only in (None, moved[0])
            _check_next(event, moved[0], self.seen.get(moved[0], 0), model)
            self.seen[moved[0]] = positions[moved[0]].version
            self.cursor = event["cursor"]
        if kept is not None and kept < len(page["nodes"]):
            return True
        self.cursor = page["pageInfo"]["endCursor"]
        if page["pageInfo"]["hasNextPage"]:
            return True
        for scope in (readable if only is None else {only}) if quiet else ():
            left = model.after(scope, self.seen.get(scope, 0))
            assert not left, f"never shown: {left}"
        return False


@dataclass
class Subscriber:
    """A client of a team's feed, whose connection comes and goes."""

    person: Person
    team: UUID
    seen: int = 0
    cursor: str = ""
    socket: ClientConnection | None = None
    server: RunningServer | None = None

    def __post_init__(self) -> None:
        self.cursor = self.cursor or cursor.encode({self.team: Position(0, everything=True)})

    async def connect(self, server: RunningServer) -> None:
        """Go on behind the last event, on a new connection."""
        self.server = server
        self.socket = await connect(f"{server.ws_url}/graphql", subprotocols=_PROTOCOL)
        await self._send(
            type="connection_init", payload={"authorization": f"Bearer {self.person.key}"}
        )
        assert (await self._receive())["type"] == "connection_ack"
        variables = {"team": str(ids.encode("Team", self.team)), "after": self.cursor}
        payload = {"query": FEED, "variables": variables}
        await self._send(id="1", type="subscribe", payload=payload)

    async def read(self, model: Model, count: int | None = None) -> None:
        """Read that many events of those that have happened, or all."""
        due = model.after(self.team, self.seen)[:count]
        for _ in due:
            message = await self._receive()
            assert message["type"] == "next", message
            event = message["payload"]["data"]["teamFeed"]
            _check_next(event, self.team, self.seen, model)
            self.seen = cursor.decode(event["cursor"])[self.team].version
            self.cursor = event["cursor"]

    async def refused(self) -> None:
        """The feed of somebody who does not belong to the team does not even begin."""
        message = await self._receive()
        assert message["type"] == "error", message
        assert message["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        await self.drop()

    async def ended(self, model: Model, last: int) -> None:
        """The membership has ended with version `last`: nothing later comes, then the end."""
        try:
            async with asyncio.timeout(1.5):
                while True:
                    message = await self._receive()
                    if message["type"] == "next":
                        event = message["payload"]["data"]["teamFeed"]
                        _check_next(event, self.team, self.seen, model)
                        self.seen = cursor.decode(event["cursor"])[self.team].version
                        self.cursor = event["cursor"]
                        assert self.seen <= last, "something came after the removal"
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
        assert code == 4403
        self.socket = None

    async def drop(self) -> None:
        """Lose the connection."""
        if self.socket is not None:
            self.socket.transport.abort()
        self.socket = None

    async def _send(self, **message: Any) -> None:
        assert self.socket is not None
        await self.socket.send(json.dumps(message))

    async def _receive(self) -> Any:
        assert self.socket is not None
        async with asyncio.timeout(SECONDS):
            return json.loads(await self.socket.recv())


_PROTOCOL: Any = ["graphql-transport-ws"]


def _version(positions: dict[UUID, Position], scope: UUID) -> int:
    return positions[scope].version if scope in positions else 0


def _check_next(event: dict[str, Any], scope: UUID, seen: int, model: Model) -> None:
    """That an event is the one that follows version `seen`."""
    due = model.after(scope, seen)
    assert due, "an event that never happened"
    version = cursor.decode(event["cursor"])[scope].version
    assert version == due[0].version, f"version {version} came, {due[0]} was next"
    about = event.get("entryId") or event.get("memberId")
    if due[0].kind in TYPES:
        assert event["__typename"] == TYPES[due[0].kind]
        subject = ids.split(about or "")
        assert subject is not None
        assert subject[1] == due[0].subject
    else:
        assert about is None


def _content(row: dict[str, Any]) -> Content:
    return Content(row["summary"], row["details"], row["timestamp"])


async def _pull(server: RunningServer, person: Person, given: dict[str, Any]) -> httpx.Response:
    query = {name: str(value) for name, value in given.items() if value is not None}
    path = "/api/sync/pull/knowledge"
    return await server.client.get(path, headers=person.headers, params=query)


def _allowed(answer: httpx.Response, person: Person, team: UUID | None, model: Model) -> bool:
    """Whether the pull was let in, which has to be so exactly for members."""
    member = team is None or person.id in model.members[team]
    assert answer.status_code == (200 if member else 403), answer.text
    return member
