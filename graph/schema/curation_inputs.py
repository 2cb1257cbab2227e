"""What the mutations take and give that keep knowledge in order."""

from __future__ import annotations

import strawberry
from strawberry import ID, UNSET

from graph.schema.knowledge import KnowledgeEntry
from graph.schema.knowledge_inputs import KnowledgeNotice


@strawberry.input(description="Where an entry of yours is to live.")
class MoveKnowledgeInput:
    """An entry, and a team or none."""

    id: ID = strawberry.field(description="The entry; only its author may move it.")
    team_id: ID | None = strawberry.field(
        default=None, description="The team to share it with; left out, it becomes private again."
    )


@strawberry.type(description="The entry where it lives now. It has kept its id.")
class MoveKnowledgePayload:
    """What `moveKnowledge` answers."""

    entry: KnowledgeEntry = strawberry.field(description="The entry as it is now.")


@strawberry.input(description="Which entry to pin.")
class PinKnowledgeInput:
    """An entry that the caller may write to."""

    id: ID = strawberry.field(
        description="The entry; whoever may write in its team may pin it, for everybody there."
    )


@strawberry.type(description="The pinned entry.")
class PinKnowledgePayload:
    """What `pinKnowledge` answers."""

    entry: KnowledgeEntry = strawberry.field(description="The entry as it is now.")


@strawberry.input(description="Which entry to unpin.")
class UnpinKnowledgeInput:
    """An entry that the caller may write to."""

    id: ID = strawberry.field(
        description="The entry; whoever may write in its team may unpin it, for everybody there."
    )


@strawberry.type(description="The entry, no longer pinned.")
class UnpinKnowledgePayload:
    """What `unpinKnowledge` answers."""

    entry: KnowledgeEntry = strawberry.field(description="The entry as it is now.")


@strawberry.input(description="Which entry to put a star at.")
class StarKnowledgeInput:
    """An entry that the caller may read."""

    id: ID = strawberry.field(description="The entry; nobody else sees your star.")


@strawberry.type(description="The entry with your star.")
class StarKnowledgePayload:
    """What `starKnowledge` answers."""

    entry: KnowledgeEntry = strawberry.field(description="The entry.")


@strawberry.input(description="Which entry to take your star from.")
class UnstarKnowledgeInput:
    """An entry that the caller may read."""

    id: ID = strawberry.field(description="The entry.")


@strawberry.type(description="The entry without your star.")
class UnstarKnowledgePayload:
    """What `unstarKnowledge` answers."""

    entry: KnowledgeEntry = strawberry.field(description="The entry.")


@strawberry.input(description="Tags to add to an entry and to take from it.")
class TagKnowledgeInput:
    """As `domain.curation.TagChange`."""

    id: ID = strawberry.field(
        description="The entry; whoever may write in its team may tag it, its author or not."
    )
    add: list[str] | None = strawberry.field(
        default=UNSET, description="Tags to add; 20 in all is the most that an entry has."
    )
    remove: list[str] | None = strawberry.field(default=UNSET, description="Tags to take away.")


@strawberry.type(description="The entry with its tags as they are now.")
class TagKnowledgePayload:
    """What `tagKnowledge` answers."""

    entry: KnowledgeEntry = strawberry.field(description="The entry as it is now.")
    notices: list[KnowledgeNotice] = strawberry.field(
        description="What was masked before it was stored."
    )
