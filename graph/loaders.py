"""Batched look-ups of one operation: each relation costs one statement, whatever the list's size.

Whose rows may be seen is decided by the domain functions, inside their SQL, never here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from domain import (
    audit,
    finding,
    invitations,
    knowledge,
    patterns,
    people,
    sessions,
    sharing,
    summaries,
    teams,
)
from domain.actor import Actor
from domain.audit import AuditFilter, AuditRange
from domain.entries import Entry
from domain.invitations import Invitation
from domain.patterns import Pattern
from domain.people import Person
from domain.scope_reader import ScopeReader, TeamFacts, team_facts
from domain.services import Services
from domain.sessions import Session
from domain.sharing import SharedSession
from domain.summaries import Summary
from domain.teams import Member, Team
from graph.conversation_loaders import ConversationLoaders
from graph.dataloader import DataLoader
from graph.encryption_loaders import EncryptionLoaders

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")
TeamEvents = tuple[UUID, AuditFilter, AuditRange]
BATCH = 1000


class Loaders:
    """By id, for one actor; what it may not see is None."""

    def __init__(self, services: Services, actor: Actor) -> None:
        self._db = services.db
        self._actor = actor
        self.people: DataLoader[UUID, Person | None] = _loader(self._people)
        self.deleted_people: DataLoader[UUID, bool] = _loader(self._deleted_people)
        self.teams: DataLoader[UUID, Team | TeamFacts | None] = _loader(self._teams)
        self.members: DataLoader[UUID, list[Member]] = _loader(self._members)
        self.knowledge: DataLoader[UUID, Entry | None] = _loader(self._knowledge)
        self.invitations: DataLoader[UUID, list[Invitation] | None] = _loader(self._invitations)
        self.team_events: DataLoader[TeamEvents, list[audit.Event] | None] = _loader(
            self._team_events
        )
        self.team_event_counts: DataLoader[tuple[UUID, AuditFilter], int | None] = _loader(
            self._team_event_counts
        )
        self.sessions: DataLoader[UUID, Session | None] = _loader(self._sessions)
        self.sessions_called: DataLoader[str, Session | None] = _loader(self._sessions_called)
        self.summaries: DataLoader[UUID, Summary | None] = _loader(self._summaries)
        self.shared_sessions: DataLoader[UUID, SharedSession | None] = _loader(self._shared)
        self.patterns: DataLoader[UUID, Pattern | None] = _loader(self._patterns)
        self.session_shares: DataLoader[UUID, list[SharedSession]] = _loader(self._shares_of)
        self.conversations = ConversationLoaders(services, actor)
        self.encryption = EncryptionLoaders(services, actor)
        self.stars: DataLoader[UUID, bool] = _loader(self._stars)

    async def _people(self, ids: Sequence[UUID]) -> list[Person | None]:
        found = {p.id: p for p in await people.by_ids(self._db, self._actor, ids)}
        return [found.get(i) for i in ids]

    async def _deleted_people(self, ids: Sequence[UUID]) -> list[bool]:
        gone = await people.deleted(self._db, self._actor, ids)
        return [i in gone for i in ids]

    async def _teams(self, ids: Sequence[UUID]) -> list[Team | TeamFacts | None]:
        found: dict[UUID, Team | TeamFacts]
        if isinstance(self._actor, ScopeReader):
            found = {team.id: team for team in await team_facts(self._db, self._actor)}
        else:
            found = {team.id: team for team in await teams.mine(self._db, self._actor)}
        return [found.get(i) for i in ids]

    async def _members(self, ids: Sequence[UUID]) -> list[list[Member]]:
        grouped: dict[UUID, list[Member]] = {i: [] for i in ids}
        for member in await teams.members_of(self._db, self._actor, ids):
            grouped[member.team_id].append(member)
        return [grouped[i] for i in ids]

    async def _knowledge(self, ids: Sequence[UUID]) -> list[Entry | None]:
        found = {entry.id: entry for entry in await knowledge.by_ids(self._db, self._actor, ids)}
        return [found.get(i) for i in ids]

    async def _invitations(self, ids: Sequence[UUID]) -> list[list[Invitation] | None]:
        found = await invitations.of_teams(self._db, self._actor, ids)
        return [found.get(i) for i in ids]

    async def _team_events(self, asked: Sequence[TeamEvents]) -> list[list[audit.Event] | None]:
        """One statement for all teams that are asked for the same part of their lists."""
        found: dict[TeamEvents, list[audit.Event]] = {}
        for wanted, part in dict.fromkeys((wanted, part) for _team, wanted, part in asked):
            ids = [team for team, *rest in asked if rest == [wanted, part]]
            events = await audit.of_teams(self._db, self._actor, ids, wanted, part)
            found |= {(team, wanted, part): listed for team, listed in events.items()}
        return [found.get(key) for key in asked]

    async def _team_event_counts(
        self, asked: Sequence[tuple[UUID, AuditFilter]]
    ) -> list[int | None]:
        found: dict[tuple[UUID, AuditFilter], int] = {}
        for wanted in dict.fromkeys(wanted for _team, wanted in asked):
            ids = [team for team, filter in asked if filter == wanted]
            counts = await audit.count_of_teams(self._db, self._actor, ids, wanted)
            found |= {(team, wanted): count for team, count in counts.items()}
        return [found.get(key) for key in asked]

    async def _sessions(self, ids: Sequence[UUID]) -> list[Session | None]:
        found = {s.id: s for s in await sessions.by_ids(self._db, self._actor, ids)}
        return [found.get(i) for i in ids]

    async def _sessions_called(self, session_ids: Sequence[str]) -> list[Session | None]:
        listed = await sessions.by_session_ids(self._db, self._actor, session_ids)
        found = {session.session_id: session for session in listed}
        return [found.get(session_id) for session_id in session_ids]

    async def _summaries(self, ids: Sequence[UUID]) -> list[Summary | None]:
        found = {s.id: s for s in await summaries.by_ids(self._db, self._actor, ids)}
        return [found.get(i) for i in ids]

    async def _shared(self, ids: Sequence[UUID]) -> list[SharedSession | None]:
        found = {s.id: s for s in await sharing.by_ids(self._db, self._actor, ids)}
        return [found.get(i) for i in ids]

    async def _patterns(self, ids: Sequence[UUID]) -> list[Pattern | None]:
        found = {p.id: p for p in await patterns.by_ids(self._db, ids)}
        return [found.get(i) for i in ids]

    async def _shares_of(self, ids: Sequence[UUID]) -> list[list[SharedSession]]:
        grouped: dict[UUID, list[SharedSession]] = {i: [] for i in ids}
        for share in await sharing.of_sessions(self._db, self._actor, ids):
            grouped[share.session].append(share)
        return [grouped[i] for i in ids]

    async def _stars(self, ids: Sequence[UUID]) -> list[bool]:
        found = await finding.starred(self._db, self._actor, ids)
        return [i in found for i in ids]


def _loader(
    batch: Callable[[list[KeyT]], Coroutine[Any, Any, list[ValueT]]],
) -> DataLoader[KeyT, ValueT]:
    return DataLoader(batch_load_fn=batch, max_batch_size=BATCH)
