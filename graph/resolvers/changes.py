"""The log in pages, for whoever keeps a copy and asks now and then, and where it stands now."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry
from strawberry import ID

from domain import changes
from domain.errors import Invalid
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.schema import ids
from graph.schema.changes import Behind, ChangeConnection, Scopes
from graph.schema.paging import First, page_size
from graph.schema.scalars import Cursor


@strawberry.type
class ChangeQueries:
    """The root fields of the log."""

    @computed(
        "What happened in your teams and in your own space, in pages: each event exactly once, "
        "however many others write meanwhile. Its cursors and those of the feeds fit each other."
    )
    @signed_in
    async def changes(
        self, info: Info, after: Behind = None, scopes: Scopes = None, first: First = None
    ) -> ChangeConnection:
        """A page of the log."""
        context = info.context
        wanted = None if scopes is None else _scope_ids(scopes)
        found = await changes.page(
            context.services.db, context.actor, after, wanted, page_size(first)
        )
        return ChangeConnection.of(found)

    @computed(
        "Where the log of your teams and of your own space stands at this moment. Ask for it "
        "first, then for what you show, then follow a feed with it as `after`: nothing that "
        "happens in between is missed."
    )
    @signed_in
    async def feed_cursor(self, info: Info, scopes: Scopes = None) -> Cursor:
        """The cursor of now."""
        wanted = None if scopes is None else _scope_ids(scopes)
        found = await changes.present(info.context.services.db, info.context.actor, wanted)
        return Cursor(found)


def _scope_ids(scopes: Sequence[ID]) -> list[UUID]:
    return [_scope_id(text, index) for index, text in enumerate(scopes)]


def _scope_id(text: str, index: int) -> UUID:
    named = ids.split(text)
    if named is not None and named[0] == "User":
        return named[1]
    try:
        return ids.decode("Team", text)
    except Invalid:
        raise Invalid.at(("scopes", index), "is not the id of a Team or a User") from None
