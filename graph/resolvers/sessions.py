"""The caller's sessions."""

from __future__ import annotations

import strawberry

from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.schema.paging import After, Before, Connection, First, Last, window
from graph.schema.session import OfProject, Session, session_page


@strawberry.type
class SessionQueries:
    """Root fields about sessions."""

    @computed("Your sessions of Claude Code, last changed first.")
    @signed_in
    async def sessions(
        self,
        info: Info,
        *,
        project: OfProject = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Session]:
        """A page of the caller's sessions."""
        return await session_page(info, window(first, after, last, before), project)
