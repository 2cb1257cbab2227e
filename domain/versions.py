"""What is stored for a session, and what an upload should change about it.

Deciding needs no lock: a plan is made on what was read, and carried out only if that still holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.conversations import CONVERSATION
from db.errors import BlockDamagedError, BlockMissingError
from db.rows import AnyRow
from domain import sessions
from domain.content import Content, ReadBlock, Relation, relation
from domain.errors import NotFound
from domain.sessions import About, Session
from domain.transcripts import FIRST_PROMPT_RANK, Facts, best_cwd


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a session's conversation."""

    number: int
    content: Content
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """A session and all versions of its conversation, as they were at one moment."""

    session: Session | None
    versions: Sequence[Version]
    path: str = CONVERSATION
    """Which file of the session the versions are of; empty for its conversation."""
    sweep: int = 0
    """The number of the scope's last collection of blocks, read before all else (db.sweeps)."""

    @property
    def head(self) -> Version | None:
        """The current version: the longest, of equally long ones the newest."""
        return max(self.versions, key=lambda v: (v.content.size, v.number), default=None)

    def version(self, number: int) -> Version:
        """The version with a number. Raises NotFound."""
        for version in self.versions:
            if version.number == number:
                return version
        raise NotFound("No such version of the conversation")

    @property
    def blocks(self) -> frozenset[bytes]:
        """The digests of all blocks of all versions."""
        return frozenset(d for version in self.versions for d in version.content.digests)


@dataclass(slots=True)
class Plan:
    """What is to be written for an upload, decided on a `Stored` that may be outdated by then."""

    stored: Stored
    content: Content
    relation: Relation | None
    target: int
    """The number of the version that is written."""
    fields: dict[str, Any]
    """Fields of the session that change."""

    @property
    def is_needed(self) -> bool:
        """Whether anything is to be written at all."""
        return self.writes_content or bool(self.fields)

    @property
    def writes_content(self) -> bool:
        """Whether the conversation changes, not only what is said about it."""
        return self.relation in {None, Relation.EXTENDS, Relation.DIVERGED}

    @property
    def writes_conversation(self) -> bool:
        """Whether it is the session's conversation that changes, not a further file."""
        return self.writes_content and self.stored.path == CONVERSATION

    @property
    def is_new_file(self) -> bool:
        """Whether the session gets a further file that it did not have."""
        return self.relation is None and self.stored.path != CONVERSATION

    @property
    def growth(self) -> int:
        """Bytes by which the sizes of all versions together grow."""
        if self.relation is Relation.EXTENDS:
            return self.content.size - self.stored.version(self.target).content.size
        return self.content.size if self.writes_content else 0

    @property
    def head(self) -> Content:
        """What is the head afterwards."""
        head = self.stored.head
        if head is None or (self.writes_content and self.becomes_head):
            return self.content
        return head.content

    @property
    def describes_session(self) -> bool:
        """Whether the session's fields follow from the written version."""
        return self.writes_conversation and self.becomes_head

    @property
    def becomes_head(self) -> bool:
        """Whether the written version is the head afterwards."""
        head = self.stored.head
        if head is None or head.number == self.target:
            return True
        return (self.content.size, self.target) >= (head.content.size, head.number)

    def continues(self, base: Stored) -> bool:
        """Whether the head grows, and is the one that was the head of `base`."""
        now, then = self.stored.head, base.head
        if now is None or then is None or self.relation is not Relation.EXTENDS:
            return False
        same_session = (
            self.stored.session is not None
            and base.session is not None
            and (self.stored.session.id == base.session.id)
        )
        return same_session and now.number == then.number == self.target

    def add_facts(self, facts: Facts, *, continued: bool) -> None:
        """Take over what the transcript says: in addition to what is known, or instead of it."""
        session = self.stored.session
        project = self.fields.get("project_name", session.project_name if session else None)
        self.fields |= _reading(session if continued else None, facts, project)

    def add_measures(self) -> None:
        """Let the session describe the written version as its head."""
        self.fields |= {
            "conversation_size": self.content.size,
            "conversation_lines": self.content.lines,
            "head_number": self.target,
        }


async def plan(stored: Stored, content: Content, about: About, read: ReadBlock) -> Plan:
    """What an upload of `content` should change about what is stored.

    `read` gives blocks of the upload and of the stored versions.
    """
    said, session = about.said(), stored.session
    fields = sessions.news(session, said) if session else said
    related = [
        (await _relation(version.content, content, read), version.number)
        for version in stored.versions
    ]
    for wanted in (Relation.EQUAL, Relation.PREFIX, Relation.EXTENDS):
        for how, number in related:
            if how is wanted:
                return Plan(stored, content, how, number, fields)
    new = 1 + max((version.number for version in stored.versions), default=0)
    return Plan(stored, content, Relation.DIVERGED if related else None, new, fields)


async def _relation(ours: Content, theirs: Content, read: ReadBlock) -> Relation:
    try:
        return await relation(ours, theirs, read)
    except (BlockMissingError, BlockDamagedError):
        # A stored version that cannot be read must not keep a sound upload from being kept.
        return Relation.DIVERGED


def version_of(row: AnyRow) -> Version:
    """A version from its row."""
    content = Content(row.size, row.lines, row.digest, row.block_size, row.blocks)
    return Version(row.number, content, row.created_at, row.updated_at)


def _reading(known: Session | None, facts: Facts, project_name: str | None) -> dict[str, Any]:
    """The session's fields after reading on (or, without `known`, after reading all)."""
    title, rank = facts.title, facts.title_rank
    first_at, last_at, branch = facts.first_at, facts.last_at, facts.git_branch
    if known is not None:
        better = _is_better(rank, known.title_rank)
        title, rank = (title, rank) if better else (known.title, known.title_rank)
        first_at = min(filter(None, (known.first_at, first_at)), default=None)
        last_at = max(filter(None, (known.last_at, last_at)), default=None)
        branch = branch or known.git_branch
    return {
        "cwd": best_cwd(known.cwd if known else None, facts.cwds, project_name),
        "git_branch": branch,
        "title": title,
        "title_rank": rank,
        "first_at": first_at,
        "last_at": last_at,
    }


def _is_better(new: int | None, known: int | None) -> bool:
    """Of equally good titles the last occurrence counts, of first prompts the first."""
    if new is None or known is None:
        return new is not None
    return new < known or (new == known and new != FIRST_PROMPT_RANK)
