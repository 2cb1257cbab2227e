"""A page of the log."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain import changes
from graph.fields import computed
from graph.schema.feed import FeedEvent, present
from graph.schema.paging import Edge
from graph.schema.scalars import Cursor

Behind = Annotated[
    Cursor | None,
    strawberry.argument(
        description="The cursor of the last event that you have, from here or from a feed: only "
        "what comes behind it. Left out, the page begins with the oldest event that is kept."
    ),
]
Scopes = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(
        description="Where to look: ids of teams of yours and, for your own space, your own id as "
        "a User. Left out, all of them."
    ),
]


@strawberry.type(description="Where a page of the log stands in it.")
class ChangesPageInfo:
    """What a reader needs to go on."""

    has_next_page: bool = strawberry.field(description="Whether more has happened already.")
    end_cursor: Cursor = strawberry.field(
        description="Hand this back as `after` to go on behind this page; there is one even when "
        "the page is empty."
    )


@strawberry.type(
    description="A page of what happened, oldest first: of each scope every event exactly once "
    "and in order; scopes are merged by time."
)
class ChangeConnection:
    """Relay's connection over the log, which only goes forward."""

    edges: list[Edge[FeedEvent]] = strawberry.field(description="The events with their cursors.")
    page_info: ChangesPageInfo = strawberry.field(description="Where this page stands in the log.")

    @computed("The events alone; each has its cursor too.")
    def nodes(self) -> list[FeedEvent]:
        """The nodes of the edges."""
        return [edge.node for edge in self.edges]

    @classmethod
    def of(cls, page: changes.Page) -> ChangeConnection:
        """The GraphQL view of a page."""
        events = [present(change) for change in page.changes]
        return cls(
            edges=[Edge(cursor=event.cursor, node=event) for event in events],
            page_info=ChangesPageInfo(has_next_page=page.has_more, end_cursor=Cursor(page.cursor)),
        )
