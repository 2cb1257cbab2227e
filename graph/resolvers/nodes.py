"""`node`: anything by its global id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import ID

from domain import keys
from domain.errors import NotFound
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.mapping import One, mapped
from graph.schema import ids
from graph.schema.api_key import ApiKey
from graph.schema.knowledge import KnowledgeEntry
from graph.schema.pattern import CommunityPattern
from graph.schema.sealed import SealedEntry
from graph.schema.session import Session
from graph.schema.session_summary import SessionSummary
from graph.schema.shared_session import SharedSession
from graph.schema.team import Team
from graph.schema.user import User


async def _user(info: Info, uuid: UUID) -> User | None:
    found = await info.context.loaders.people.load(uuid)
    return None if found is None else User.of(found)


async def _team(info: Info, uuid: UUID) -> Team | None:
    found = await info.context.loaders.teams.load(uuid)
    return None if found is None else Team.of(found)


async def _entry(info: Info, uuid: UUID) -> KnowledgeEntry | None:
    found = await info.context.loaders.knowledge.load(uuid)
    return None if found is None else KnowledgeEntry.of(found)


async def _api_key(info: Info, uuid: UUID) -> ApiKey | None:
    try:
        return ApiKey.of(await keys.get(info.context.services.db, info.context.actor, uuid))
    except NotFound:
        return None


async def _session(info: Info, uuid: UUID) -> Session | None:
    found = await info.context.loaders.sessions.load(uuid)
    return None if found is None else Session.of(found)


async def _shared_session(info: Info, uuid: UUID) -> SharedSession | None:
    found = await info.context.loaders.shared_sessions.load(uuid)
    return None if found is None else SharedSession.of(found)


async def _summary(info: Info, uuid: UUID) -> SessionSummary | None:
    found = await info.context.loaders.summaries.load(uuid)
    return None if found is None else SessionSummary.of(found)


async def _pattern(info: Info, uuid: UUID) -> CommunityPattern | None:
    found = await info.context.loaders.patterns.load(uuid)
    return None if found is None else CommunityPattern.of(found)


async def _sealed(info: Info, uuid: UUID) -> SealedEntry | None:
    found = await info.context.loaders.encryption.entries.load(uuid)
    return None if found is None else SealedEntry.of(found)


_FETCH: dict[ids.Kind, Callable[[Info, UUID], Awaitable[Any]]] = {
    "User": _user,
    "Team": _team,
    "KnowledgeEntry": _entry,
    "Session": _session,
    "ApiKey": _api_key,
    "SharedSession": _shared_session,
    "SessionSummary": _summary,
    "CommunityPattern": _pattern,
    "SealedEntry": _sealed,
}


@mapped(node=One("node"))
@strawberry.type
class NodeQueries:
    """Relay's root field."""

    @computed(
        "Anything that has an id, by it; null when there is no such thing or none that you may see."
    )
    @signed_in
    async def node(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="The global id.")]
    ) -> ids.Node | None:
        """The object that an id names."""
        named = ids.split(id)
        if named is None or named[0] not in _FETCH:
            return None
        found: ids.Node | None = await _FETCH[named[0]](info, named[1])
        return found
