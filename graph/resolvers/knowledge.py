"""Knowledge: lists, search, and the four things that change an entry."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import ID

from domain import knowledge
from domain.entries import EntryChange, NewEntry
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.schema import ids
from graph.schema.knowledge import (
    KnowledgeEntry,
    KnowledgeFilter,
    KnowledgeMatches,
    knowledge_page,
    search_page,
    wanted,
)
from graph.schema.knowledge_inputs import (
    CreateKnowledgeInput,
    CreateKnowledgePayload,
    DeleteKnowledgeInput,
    DeleteKnowledgePayload,
    RestoreKnowledgeInput,
    RestoreKnowledgePayload,
    UpdateKnowledgeInput,
    UpdateKnowledgePayload,
)
from graph.schema.paging import After, Before, Connection, First, Last, window
from graph.schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    InvalidInput,
    NotFoundProblem,
    mutation,
    parse_input,
)

Narrowed = Annotated[KnowledgeFilter | None, strawberry.argument(description="Only some of it.")]
InTeam = Annotated[
    ID | None,
    strawberry.argument(
        description="Your own entries and, beyond them, everything in this team of yours."
    ),
]


@strawberry.type
class KnowledgeQueries:
    """Root fields about knowledge."""

    @computed(
        "What you learned, in teams and in private, newest first; with `teamId` also "
        "what that team shares."
    )
    @signed_in
    async def knowledge(
        self,
        info: Info,
        *,
        team_id: InTeam = None,
        filter: Narrowed = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[KnowledgeEntry]:
        """A page of entries."""
        asked = window(first, after, last, before)
        about = wanted(filter, _team(team_id), only_team=False)
        return await knowledge_page(info, about, asked)

    @computed("Full-text search in the same entries, best match first.")
    @signed_in
    async def search_knowledge(
        self,
        info: Info,
        query: Annotated[
            str,
            strawberry.argument(
                description='What you would type: words, "phrases", or, -not; 1 to 500 characters.'
            ),
        ],
        team_id: InTeam = None,
        filter: Narrowed = None,
        first: First = None,
        after: After = None,
    ) -> KnowledgeMatches:
        """A page of matches."""
        about = wanted(filter, _team(team_id), only_team=False)
        return await search_page(info, query, about, window(first, after))


@strawberry.type
class KnowledgeMutations:
    """Root mutations about knowledge."""

    @mutation(
        CreateKnowledgePayload, [InvalidInput, ForbiddenProblem], "Keep something you learned."
    )
    @signed_in
    async def create_knowledge(
        self, info: Info, input: CreateKnowledgeInput
    ) -> CreateKnowledgePayload:
        """Keep one entry."""
        data = parse_input(NewEntry, input, team_id=_team(input.team_id, "input"))
        entry = await knowledge.create(info.context.services.db, info.context.actor, data)
        return CreateKnowledgePayload(entry=KnowledgeEntry.of(entry))

    @mutation(
        UpdateKnowledgePayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem, ConflictProblem],
        "Change an entry of yours.",
    )
    @signed_in
    async def update_knowledge(
        self, info: Info, input: UpdateKnowledgeInput
    ) -> UpdateKnowledgePayload:
        """Change one entry."""
        entry_id = ids.decode("KnowledgeEntry", input.id, "input", "id")
        data = parse_input(EntryChange, input)
        entry = await knowledge.update(info.context.services.db, info.context.actor, entry_id, data)
        return UpdateKnowledgePayload(entry=KnowledgeEntry.of(entry))

    @mutation(
        DeleteKnowledgePayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Delete an entry of yours, on all machines.",
    )
    @signed_in
    async def delete_knowledge(
        self, info: Info, input: DeleteKnowledgeInput
    ) -> DeleteKnowledgePayload:
        """Delete one entry."""
        entry_id = ids.decode("KnowledgeEntry", input.id, "input", "id")
        await knowledge.delete(info.context.services.db, info.context.actor, entry_id)
        return DeleteKnowledgePayload(deleted_id=ids.encode("KnowledgeEntry", entry_id))

    @mutation(
        RestoreKnowledgePayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem, ConflictProblem],
        "Bring back an entry that you deleted.",
    )
    @signed_in
    async def restore_knowledge(
        self, info: Info, input: RestoreKnowledgeInput
    ) -> RestoreKnowledgePayload:
        """Bring back one entry."""
        entry_id = ids.decode("KnowledgeEntry", input.id, "input", "id")
        entry = await knowledge.restore(info.context.services.db, info.context.actor, entry_id)
        return RestoreKnowledgePayload(entry=KnowledgeEntry.of(entry))


def _team(given: ID | None, *above: str) -> UUID | None:
    return ids.decode("Team", given, *above, "teamId") if given else None
