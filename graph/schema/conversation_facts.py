"""What is known of a conversation besides its messages: its versions, its files, what was read."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain import session_files
from domain.reading import conversation
from domain.reading.conversation import Reading
from graph.mapping import Column, Computed, mapped
from graph.schema.scalars import BigInt


@strawberry.type(description="How many records of one kind a conversation has.")
class KindCount:
    """A kind's count."""

    kind: str = strawberry.field(
        description="Claude Code's type of the record; empty for lines that are no JSON object."
    )
    count: int = strawberry.field(description="How many there are, subagents included.")

    @classmethod
    def all_of(cls, found: Reading) -> list[KindCount]:
        """The counts of what was read, most first."""
        ordered = sorted(found.counts.items(), key=lambda item: (-item[1], item[0]))
        return [cls(kind=kind, count=count) for kind, count in ordered]


@mapped(
    "number",
    "size",
    "lines",
    "created_at",
    "updated_at",
    digest=Computed(bytes.hex, "digest"),
)
@strawberry.type(
    description="A version of a conversation. Versions do not continue each other: an upload that "
    "only adds makes the current one longer."
)
class ConversationVersion:
    """A version."""

    number: int = strawberry.field(description="Its number within the session, from 1.")
    size: BigInt = strawberry.field(description="Its size in bytes.")
    lines: BigInt = strawberry.field(description="Its lines.")
    digest: str = strawberry.field(description="The SHA-256 of its bytes, in hex.")
    created_at: datetime = strawberry.field(description="When it was first uploaded.")
    updated_at: datetime = strawberry.field(description="When it last grew.")

    @classmethod
    def of(cls, version: conversation.Summary) -> ConversationVersion:
        """The GraphQL view of a version."""
        return cls(
            number=version.number,
            size=BigInt(version.size),
            lines=BigInt(version.lines),
            digest=version.digest.hex(),
            created_at=version.created_at,
            updated_at=version.updated_at,
        )


@mapped(
    "path",
    "size",
    "lines",
    "updated_at",
    version=Column("number"),
    digest=Computed(bytes.hex, "digest"),
)
@strawberry.type(
    description="A further file of a session: a subagent's transcript, a tool's large result. "
    "Download it at `/api/sessions/{sessionId}/files/{path}`."
)
class SessionFile:
    """A file."""

    path: str = strawberry.field(description="Its path below the session's folder.")
    version: int = strawberry.field(description="The number of its current version.")
    size: BigInt = strawberry.field(description="Its size in bytes.")
    lines: BigInt = strawberry.field(description="Its lines.")
    digest: str = strawberry.field(description="The SHA-256 of its bytes, in hex.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def of(cls, file: session_files.SessionFile) -> SessionFile:
        """The GraphQL view of a file."""
        return cls(
            path=file.path,
            version=file.number,
            size=BigInt(file.size),
            lines=BigInt(file.lines),
            digest=file.digest.hex(),
            updated_at=file.updated_at,
        )


@strawberry.type(
    description="How far this server has read the conversation. It reads behind the upload, which "
    "never waits for it."
)
class ReadingState:
    """How far a conversation was read."""

    version: int | None = strawberry.field(
        description="The version that was read; null before anything was."
    )
    size: BigInt = strawberry.field(
        description="The bytes that were read: `conversationSize` when all was."
    )
    lines: BigInt = strawberry.field(description="The lines that were read.")
    problem: str | None = strawberry.field(
        description="Why it could not be read to its end; the bytes are kept all the same."
    )

    @classmethod
    def of(cls, found: Reading) -> ReadingState:
        """The GraphQL view of what was read."""
        return cls(
            version=found.number,
            size=BigInt(found.size),
            lines=BigInt(found.lines),
            problem=found.problem,
        )
