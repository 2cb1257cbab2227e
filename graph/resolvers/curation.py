"""Keeping knowledge in order: moving, pinning, starring, tagging."""

from __future__ import annotations

import strawberry

from domain import curation
from domain.curation import TagChange
from graph.context import Info
from graph.guards import signed_in
from graph.schema import ids
from graph.schema.curation_inputs import (
    MoveKnowledgeInput,
    MoveKnowledgePayload,
    PinKnowledgeInput,
    PinKnowledgePayload,
    StarKnowledgeInput,
    StarKnowledgePayload,
    TagKnowledgeInput,
    TagKnowledgePayload,
    UnpinKnowledgeInput,
    UnpinKnowledgePayload,
    UnstarKnowledgeInput,
    UnstarKnowledgePayload,
)
from graph.schema.knowledge import KnowledgeEntry
from graph.schema.knowledge_inputs import notices
from graph.schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    InvalidInput,
    NotFoundProblem,
    mutation,
    parse_input,
)

_PROBLEMS = [InvalidInput, NotFoundProblem, ForbiddenProblem]


@strawberry.type
class CurationMutations:
    """Root mutations that keep knowledge in order."""

    @mutation(
        MoveKnowledgePayload,
        [*_PROBLEMS, ConflictProblem],
        "Share an entry of yours with a team, or take it back. Its old team sees it deleted.",
    )
    @signed_in
    async def move_knowledge(self, info: Info, input: MoveKnowledgeInput) -> MoveKnowledgePayload:
        """Change where an entry lives."""
        entry_id = ids.decode("KnowledgeEntry", input.id, "input", "id")
        team_id = ids.decode("Team", input.team_id, "input", "teamId") if input.team_id else None
        entry = await curation.move(info.context.services.db, info.context.actor, entry_id, team_id)
        return MoveKnowledgePayload(entry=KnowledgeEntry.of(entry))

    @mutation(PinKnowledgePayload, _PROBLEMS, "Pin an entry, for everybody who sees it.")
    @signed_in
    async def pin_knowledge(self, info: Info, input: PinKnowledgeInput) -> PinKnowledgePayload:
        """Pin one entry."""
        return PinKnowledgePayload(entry=await _pin(info, input.id, pinned=True))

    @mutation(UnpinKnowledgePayload, _PROBLEMS, "Unpin an entry, for everybody who sees it.")
    @signed_in
    async def unpin_knowledge(
        self, info: Info, input: UnpinKnowledgeInput
    ) -> UnpinKnowledgePayload:
        """Unpin one entry."""
        return UnpinKnowledgePayload(entry=await _pin(info, input.id, pinned=False))

    @mutation(StarKnowledgePayload, _PROBLEMS, "Put a star at an entry that only you see.")
    @signed_in
    async def star_knowledge(self, info: Info, input: StarKnowledgeInput) -> StarKnowledgePayload:
        """Star one entry."""
        return StarKnowledgePayload(entry=await _star(info, input.id, starred=True))

    @mutation(UnstarKnowledgePayload, _PROBLEMS, "Take your star from an entry.")
    @signed_in
    async def unstar_knowledge(
        self, info: Info, input: UnstarKnowledgeInput
    ) -> UnstarKnowledgePayload:
        """Unstar one entry."""
        return UnstarKnowledgePayload(entry=await _star(info, input.id, starred=False))

    @mutation(TagKnowledgePayload, _PROBLEMS, "Add tags to an entry, and take others away.")
    @signed_in
    async def tag_knowledge(self, info: Info, input: TagKnowledgeInput) -> TagKnowledgePayload:
        """Change the tags of one entry."""
        entry_id = ids.decode("KnowledgeEntry", input.id, "input", "id")
        data = parse_input(TagChange, input, add=input.add or [], remove=input.remove or [])
        db, actor = info.context.services.db, info.context.actor
        entry = await curation.tag(db, actor, entry_id, data)
        return TagKnowledgePayload(entry=KnowledgeEntry.of(entry), notices=notices(entry.notices))


async def _pin(info: Info, given: strawberry.ID, *, pinned: bool) -> KnowledgeEntry:
    entry_id = ids.decode("KnowledgeEntry", given, "input", "id")
    db, actor = info.context.services.db, info.context.actor
    return KnowledgeEntry.of(await curation.pin(db, actor, entry_id, pinned=pinned))


async def _star(info: Info, given: strawberry.ID, *, starred: bool) -> KnowledgeEntry:
    entry_id = ids.decode("KnowledgeEntry", given, "input", "id")
    db, actor = info.context.services.db, info.context.actor
    return KnowledgeEntry.of(await curation.star(db, actor, entry_id, starred=starred))
