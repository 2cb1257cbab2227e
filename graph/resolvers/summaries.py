"""Session summaries: lists, saving, deleting."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import ID

from domain import summaries
from domain.summaries import NewSummary
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.schema import ids
from graph.schema.paging import After, Before, Connection, First, Last, window
from graph.schema.problems import (
    ForbiddenProblem,
    InvalidInput,
    NotFoundProblem,
    mutation,
    parse_input,
)
from graph.schema.session_summary import (
    DeleteSessionSummaryInput,
    DeleteSessionSummaryPayload,
    SaveSessionSummaryInput,
    SaveSessionSummaryPayload,
    SessionSummary,
    SessionSummaryFilter,
    summary_page,
)


@strawberry.type
class SummaryQueries:
    """Root fields about session summaries."""

    @computed(
        "The summaries of your sessions, in teams and in private, last saved first; with `teamId` "
        "also what that team shares."
    )
    @signed_in
    async def session_summaries(
        self,
        info: Info,
        *,
        team_id: Annotated[
            ID | None,
            strawberry.argument(
                description="Your own summaries and, beyond them, everything in this team of yours."
            ),
        ] = None,
        filter: Annotated[
            SessionSummaryFilter | None, strawberry.argument(description="Only some of them.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[SessionSummary]:
        """A page of summaries."""
        asked = window(first, after, last, before)
        return await summary_page(info, asked, filter, _team(team_id))


@strawberry.type
class SummaryMutations:
    """Root mutations about session summaries."""

    @mutation(
        SaveSessionSummaryPayload,
        [InvalidInput, ForbiddenProblem],
        "Keep what a session came to.",
    )
    @signed_in
    async def save_session_summary(
        self, info: Info, input: SaveSessionSummaryInput
    ) -> SaveSessionSummaryPayload:
        """Keep one summary."""
        db, actor = info.context.services.db, info.context.actor
        data = parse_input(NewSummary, input, team_id=_team(input.team_id, "input"))
        session_id = await summaries.save(db, actor, data)
        saved = await summaries.get(db, actor, session_id)
        return SaveSessionSummaryPayload(summary=SessionSummary.of(saved))

    @mutation(
        DeleteSessionSummaryPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Delete a summary of yours.",
    )
    @signed_in
    async def delete_session_summary(
        self, info: Info, input: DeleteSessionSummaryInput
    ) -> DeleteSessionSummaryPayload:
        """Delete one summary."""
        summary_id = ids.decode("SessionSummary", input.id, "input", "id")
        await summaries.delete(info.context.services.db, info.context.actor, summary_id)
        return DeleteSessionSummaryPayload(deleted_id=ids.encode("SessionSummary", summary_id))


def _team(given: ID | None, *above: str) -> UUID | None:
    return ids.decode("Team", given, *above, "teamId") if given else None
