"""What the log promises, as a model: scopes with their members, rows and history.

The model knows what every acknowledged operation must have logged. In which order operations that
ran at once came is read from the database, and has to be one of the possible orders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

Logged = tuple[str, object]
"""A kind and what it is about: an author and a summary, a member, or None."""


class Content(NamedTuple):
    """What an entry says."""

    summary: str
    details: str
    timestamp: int


class Event(NamedTuple):
    """A line of a scope's history."""

    version: int
    kind: str
    subject: UUID


@dataclass
class Row:
    """An entry of knowledge, alive or deleted."""

    scope: UUID
    author: UUID
    content: Content
    id: UUID | None = None
    deleted: bool = False
    deletions: int = 0


@dataclass
class State:
    """What is stored."""

    rows: list[Row] = field(default_factory=list)
    homes: dict[tuple[UUID, str], set[UUID]] = field(default_factory=dict)
    """Where the living summaries of an author's session are."""

    def same(self, scope: UUID, author: UUID, summary: str) -> Row | None:
        """The author's living entry with that summary."""
        for row in self.rows:
            key = (row.scope, row.author, row.content.summary, row.deleted)
            if key == (scope, author, summary, False):
                return row
        return None


Effect = Callable[[State], dict[UUID, list[Logged]]]
"""An operation: changes the state, and says what it must have logged in which scope."""


def stored(scope: UUID, author: UUID, items: Sequence[Content]) -> Effect:
    """Create or push entries."""

    def effect(state: State) -> dict[UUID, list[Logged]]:
        newest: dict[str, Content] = {}
        for item in items:
            if item.summary not in newest or newest[item.summary].timestamp < item.timestamp:
                newest[item.summary] = item
        logged: list[Logged] = []
        for summary, item in newest.items():
            known = state.same(scope, author, summary)
            if known is None:
                state.rows.append(Row(scope, author, item))
                logged.append(("knowledge_created", (author, summary)))
            elif known.content.timestamp < item.timestamp:
                known.content = item
                logged.append(("knowledge_updated", (author, summary)))
        return {scope: logged}

    return effect


def summarised(author: UUID, session_id: str, team: UUID | None, readable: set[UUID]) -> Effect:
    """Save a session's summary, which moves it when a team is named."""

    def effect(state: State) -> dict[UUID, list[Logged]]:
        homes = state.homes.setdefault((author, session_id), set())
        home = next(iter(homes & readable), None)
        target = team or home or author
        logged: dict[UUID, list[Logged]] = {target: [("summary_saved", None)]}
        if home not in (None, target):
            logged[home] = [("summary_deleted", None)]
            homes.discard(home)
        homes.add(target)
        return logged

    return effect


_NEWS = """
SELECT l.scope_id, l.version, l.kind, l.subject_id, k.author_id, k.summary
FROM unnest($1::uuid[], $2::bigint[]) AS w(scope_id, after)
JOIN log l ON l.scope_id = w.scope_id AND l.version > w.after
LEFT JOIN knowledge k ON k.scope_id = l.scope_id AND k.id = l.subject_id
ORDER BY l.scope_id, l.version
"""


class Model:
    """Everything that readers may be compared with."""

    def __init__(self, database: asyncpg.Connection) -> None:
        self._database = database
        self.state = State()
        self.members: dict[UUID, set[UUID]] = {}
        self.owners: dict[UUID, UUID] = {}
        self.history: dict[UUID, list[Event]] = {}

    def add_scope(self, scope: UUID, owner: UUID) -> None:
        """A scope that has just come to exist."""
        self.members[scope], self.owners[scope] = {owner}, owner
        self.history[scope] = []

    def scopes_of(self, person: UUID) -> set[UUID]:
        """Where somebody belongs now."""
        return {scope for scope, members in self.members.items() if person in members}

    def after(self, scope: UUID, version: int) -> list[Event]:
        """What happened in a scope behind a version."""
        return [event for event in self.history[scope] if event.version > version]

    def visible(self, person: UUID, team: UUID | None) -> dict[UUID, Content]:
        """What a pull shows in the end: what the person wrote, and all of the named team."""
        scopes = self.scopes_of(person)
        return {
            row.id: row.content
            for row in self.state.rows
            if row.id and not row.deleted and row.scope in scopes
            if row.author == person or row.scope == team
        }

    async def commit(self, *effects: Effect) -> None:
        """Take over operations that were acknowledged after having run at once.

        Raises AssertionError when what was logged is not what they do in any order.
        """
        news = await self._news()
        tried = []
        for order in permutations(effects):
            state = deepcopy(self.state)
            expected: dict[UUID, list[Logged]] = {scope: [] for scope in self.history}
            for effect in order:
                for scope, logged in effect(state).items():
                    expected[scope] += logged
            if all(_alike(news[scope], expected[scope]) for scope in news):
                self._accept(state, news)
                return
            tried.append(expected)
        raise AssertionError(f"logged {news}, expected one of {tried}")

    async def _news(self) -> dict[UUID, list[Any]]:
        known = [events[-1].version if events else 0 for events in self.history.values()]
        news: dict[UUID, list[Any]] = {scope: [] for scope in self.history}
        for entry in await self._database.fetch(_NEWS, list(self.history), known):
            news[UUID(str(entry["scope_id"]))].append(entry)
        return news

    def _accept(self, state: State, news: Mapping[UUID, Sequence[Any]]) -> None:
        self.state = state
        for scope, entries in news.items():
            for entry in entries:
                event = Event(entry["version"], entry["kind"], UUID(str(entry["subject_id"])))
                self.history[scope].append(event)
                if event.kind == "knowledge_created":
                    row = state.same(scope, UUID(str(entry["author_id"])), entry["summary"])
                    assert row is not None
                    row.id = event.subject


def _alike(entries: Sequence[Any], expected: Sequence[Logged]) -> bool:
    return [_logged(entry) for entry in entries] == [(kind, about) for kind, about in expected]


def _logged(entry: Any) -> Logged:
    if entry["kind"].startswith("knowledge_"):
        return entry["kind"], (UUID(str(entry["author_id"])), entry["summary"])
    if entry["kind"].startswith("member_"):
        return entry["kind"], UUID(str(entry["subject_id"]))
    return entry["kind"], None
