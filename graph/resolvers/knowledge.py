"""Knowledge: lists, search, and the four things that change an entry."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import ID

from domain import finding, knowledge
from domain.entries import EntryChange, NewEntry, Push
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.mapping import Many, One, mapped
from graph.schema import ids
from graph.schema.knowledge import KnowledgeEntry, knowledge_page
from graph.schema.knowledge_filters import Narrowed, Ordered, wanted
from graph.schema.knowledge_inputs import (
    CreateKnowledgeInput,
    CreateKnowledgePayload,
    DeleteKnowledgeInput,
    DeleteKnowledgePayload,
    PushKnowledgeInput,
    PushKnowledgePayload,
    RestoreKnowledgeInput,
    RestoreKnowledgePayload,
    UpdateKnowledgeInput,
    UpdateKnowledgePayload,
    notices,
)
from graph.schema.knowledge_search import KnowledgeFacets, KnowledgeMatches, search_page
from graph.schema.paging import After, Before, Connection, First, Last
from graph.schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    InvalidInput,
    NotFoundProblem,
    given,
    mutation,
    parse_input,
)

InTeam = Annotated[
    ID | None,
    strawberry.argument(
        description="Your own entries and, beyond them, everything in this team of yours."
    ),
]


@mapped(
    knowledge=Many("knowledge"),
    knowledge_facets=One("facets"),
    search_knowledge=Many("matches"),
)
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
        order_by: Ordered = None,
    ) -> Connection[KnowledgeEntry]:
        """A page of entries."""
        about = wanted(filter, _team(team_id), only_team=False)
        return await knowledge_page(info, about, order_by, (first, after, last, before))

    @computed("What the same entries could be narrowed by, with counts.")
    @signed_in
    async def knowledge_facets(
        self, info: Info, *, team_id: InTeam = None, filter: Narrowed = None
    ) -> KnowledgeFacets:
        """The facets of a list."""
        about = wanted(filter, _team(team_id), only_team=False)
        db, actor = info.context.services.db, info.context.actor
        return KnowledgeFacets.of(await finding.facets(db, actor, about))

    @computed(
        "Full-text search in the same entries, best match first. Where none has the words, "
        "those whose words look alike."
    )
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
        return await search_page(info, query, about, first, after)


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
        return CreateKnowledgePayload(
            entry=KnowledgeEntry.of(entry), notices=notices(entry.notices)
        )

    @mutation(
        PushKnowledgePayload, [InvalidInput, ForbiddenProblem], "Keep many things you learned."
    )
    @signed_in
    async def push_knowledge(self, info: Info, input: PushKnowledgeInput) -> PushKnowledgePayload:
        """Keep many entries, all or none."""
        entries = [given(item) for item in input.entries]
        data = parse_input(Push, input, team_id=_team(input.team_id, "input"), entries=entries)
        services = info.context.services
        done = await knowledge.push(services.db, info.context.actor, data, services.indexer)
        return PushKnowledgePayload(
            accepted=done.accepted, skipped=done.skipped, notices=notices(done.notices)
        )

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
        db, actor = info.context.services.db, info.context.actor
        entry = await knowledge.update(db, actor, entry_id, data)
        return UpdateKnowledgePayload(
            entry=KnowledgeEntry.of(entry), notices=notices(entry.notices)
        )

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
