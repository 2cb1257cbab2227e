"""What the mutations about knowledge take and give."""

from __future__ import annotations

import strawberry
from strawberry import ID, UNSET

from graph.schema.knowledge import KnowledgeEntry
from graph.schema.scalars import EpochMillis


@strawberry.input(description="An entry to keep.")
class CreateKnowledgeInput:
    """As `domain.entries.NewEntry`."""

    type: str = strawberry.field(
        description="What kind of knowledge it is, such as decision, solution or error_fix; "
        "1 to 20 characters."
    )
    timestamp: EpochMillis = strawberry.field(description="When it was learned.")
    summary: str = strawberry.field(description="What was learned, in 1 to 5,000 characters.")
    project: str | None = strawberry.field(default=UNSET, description="The project it is about.")
    session_id: str | None = strawberry.field(
        default=UNSET, description="The Claude Code session in which it was learned."
    )
    details: str | None = strawberry.field(
        default=UNSET, description="The long version, up to 50,000 characters."
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET, description="Up to 20 free words to find it by."
    )
    related_files: list[str] | None = strawberry.field(
        default=UNSET, description="Up to 50 files that it is about."
    )
    team_id: ID | None = strawberry.field(
        default=UNSET, description="The team to share it with; left out, it stays private."
    )


@strawberry.type(
    description="The entry. Where you had an equal one (same type, project and summary), that one."
)
class CreateKnowledgePayload:
    """What `createKnowledge` answers."""

    entry: KnowledgeEntry = strawberry.field(description="The entry as it is stored.")


@strawberry.input(description="New values for an entry; what is left out stays.")
class UpdateKnowledgeInput:
    """As `domain.entries.EntryChange`."""

    id: ID = strawberry.field(description="The entry; only its author may change it.")
    summary: str | None = strawberry.field(default=UNSET, description="What was learned.")
    details: str | None = strawberry.field(
        default=UNSET, description="The long version; null removes it."
    )
    tags: list[str] | None = strawberry.field(default=UNSET, description="All the tags.")
    related_files: list[str] | None = strawberry.field(
        default=UNSET, description="All the related files."
    )


@strawberry.type(description="The changed entry.")
class UpdateKnowledgePayload:
    """What `updateKnowledge` answers."""

    entry: KnowledgeEntry = strawberry.field(description="The entry as it is now.")


@strawberry.input(description="Which entry to delete.")
class DeleteKnowledgeInput:
    """An entry of the caller's."""

    id: ID = strawberry.field(description="The entry; only its author may delete it.")


@strawberry.type(description="The entry is gone; `restoreKnowledge` brings it back.")
class DeleteKnowledgePayload:
    """What `deleteKnowledge` answers."""

    deleted_id: ID = strawberry.field(description="The id of the deleted entry.")


@strawberry.input(description="Which deleted entry to bring back.")
class RestoreKnowledgeInput:
    """An entry that the caller deleted."""

    id: ID = strawberry.field(description="The id of the deleted entry.")


@strawberry.type(description="The entry is back.")
class RestoreKnowledgePayload:
    """What `restoreKnowledge` answers."""

    entry: KnowledgeEntry = strawberry.field(description="The entry as it is now.")
