"""What the mutations about knowledge take and give."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry
from strawberry import ID, UNSET

from domain.entries import Notice
from graph.schema.knowledge import KnowledgeEntry
from graph.schema.scalars import EpochMillis


@strawberry.type(
    description="Something that was changed before it was stored: a secret was masked, or an "
    "absolute path made relative."
)
class KnowledgeNotice:
    """As `domain.entries.Notice`."""

    path: list[str] = strawberry.field(
        description="The way to the field, from the input inwards; list places as digits."
    )
    message: str = strawberry.field(description="What was changed, as a short sentence.")


def notices(given: Iterable[Notice]) -> list[KnowledgeNotice]:
    """The GraphQL view of notices."""
    return [KnowledgeNotice(path=[*map(str, n.path)], message=n.message) for n in given]


_NOTICES = "What was masked or made relative before it was stored."


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
    notices: list[KnowledgeNotice] = strawberry.field(description=_NOTICES)


@strawberry.input(description="An entry of a push.")
class PushedEntryInput:
    """As `domain.entries.EntryFields`."""

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


@strawberry.input(description="Many entries to keep at once: all of them or, with a bad one, none.")
class PushKnowledgeInput:
    """As `domain.entries.Push`."""

    entries: list[PushedEntryInput] = strawberry.field(
        description="1 to 500 entries. One that you have already (same type, project and summary) "
        "is skipped or, when this one is newer, brought up to date."
    )
    team_id: ID | None = strawberry.field(
        default=UNSET, description="The team to share them with; left out, they stay private."
    )


@strawberry.type(description="What a push came to.")
class PushKnowledgePayload:
    """What `pushKnowledge` answers."""

    accepted: int = strawberry.field(description="How many entries are new.")
    skipped: int = strawberry.field(description="How many you had already.")
    notices: list[KnowledgeNotice] = strawberry.field(description=_NOTICES)


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
    notices: list[KnowledgeNotice] = strawberry.field(description=_NOTICES)


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
