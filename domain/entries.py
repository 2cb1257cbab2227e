"""What an entry of knowledge may say, and what it is once it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from domain.authored import Authored
from domain.inputs import EpochMs, Input, Label, NonBlank, RelatedFiles, Storable, Tags

PUSH_MAX = 500

Summary = Annotated[NonBlank, StringConstraints(max_length=5_000)]
Details = Annotated[Storable, StringConstraints(max_length=50_000)]


class EntryFields(Input):
    """What an entry says."""

    type: Annotated[NonBlank, StringConstraints(max_length=20)]
    timestamp: EpochMs
    summary: Summary
    project: Label | None = None
    session_id: Label | None = None
    details: Details | None = None
    tags: Tags | None = None
    related_files: RelatedFiles | None = None


class NewEntry(EntryFields):
    """An entry to be kept, in the named team's scope or in the author's own."""

    team_id: UUID | None = None


class EntryChange(Input):
    """New values for some fields of an entry; fields that are left out stay."""

    summary: Summary | None = None
    details: Details | None = None
    tags: Tags | None = None
    related_files: RelatedFiles | None = None


class Push(Input):
    """Many entries at once, all for one scope."""

    entries: Annotated[tuple[EntryFields, ...], Field(min_length=1, max_length=PUSH_MAX)]
    team_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was changed before it was stored: where, and what, for a person."""

    path: tuple[str | int, ...]
    message: str

    def under(self, *above: str | int) -> Notice:
        """The same, seen from further out."""
        return Notice((*above, *self.path), self.message)

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))}: {self.message}"


@dataclass(frozen=True, slots=True)
class Entry(Authored):
    """An entry as it is stored."""

    id: UUID
    scope_id: UUID
    author_id: UUID
    type: str
    timestamp: int
    summary: str
    project: str | None
    session_id: str | None
    details: str | None
    tags: Sequence[str]
    related_files: Sequence[str]
    version: int
    created_at: datetime
    updated_at: datetime
    pinned_at: datetime | None = None
    notices: tuple[Notice, ...] = ()
    """Where this answers a write: what was masked or made relative before it was stored."""
