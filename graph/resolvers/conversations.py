"""Searching one's conversations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain.reading import search
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.schema.conversation_search import (
    ConversationFilter,
    ConversationHit,
    cursor_of,
    only_of,
    spot_of,
)
from graph.schema.paging import After, Connection, Edge, First, page_info, window


@strawberry.type
class ConversationQueries:
    """Root fields about conversations."""

    @computed(
        "Messages of your conversations that have all the words, newest first. Words are found in "
        "any script, in upper or lower case."
    )
    @signed_in
    async def search_conversations(
        self,
        info: Info,
        query: Annotated[
            str,
            strawberry.argument(
                description='Words; "in quotes" next to each other, word* for a beginning, -word '
                "for what must not be there. At most 500 characters."
            ),
        ],
        filter: Annotated[
            ConversationFilter | None, strawberry.argument(description="Only in some of them.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> Connection[ConversationHit]:
        """A page of hits."""
        db, actor = info.context.services.db, info.context.actor
        size, place, only = window(first, None).limit, spot_of(after), only_of(filter)
        found = await search.search(db, actor, query, only, limit=size + 1, after=place)
        edges = [
            Edge(cursor=cursor_of(hit.message.spot), node=ConversationHit.of(hit))
            for hit in found[:size]
        ]

        async def count() -> int:
            return await search.count(db, actor, query, only)

        info_of_page = page_info(edges, after is not None, len(found) > size)
        return Connection(edges=edges, page_info=info_of_page, count=count)
