"""What was said in a shared session, and what of it is masked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry

from domain.reading import shared
from domain.reading.conversation import Part
from graph.context import Info
from graph.schema.paging import Connection, Place, Window, connection
from graph.schema.scalars import BigInt


@strawberry.type(
    description="Something that was said in a shared session, masked: secrets, e-mail addresses, "
    "home folders and private network addresses are replaced by what they were."
)
class SharedMessage:
    """A message as the team reads it."""

    line: BigInt = strawberry.field(description="Its line in the transcript, from 1.")
    role: str = strawberry.field(description="user or assistant.")
    timestamp: datetime | None = strawberry.field(
        description="When it was said; null when times are not shown."
    )
    model: str | None = strawberry.field(description="The model that answered.")
    text: str | None = strawberry.field(
        description="What was said, masked and shortened to 16,000 characters."
    )
    tools: list[str] = strawberry.field(
        description="The names of the tools it asked for, without what they were given or answered."
    )

    @classmethod
    def of(cls, message: shared.SharedMessage) -> SharedMessage:
        """The GraphQL view of a message."""
        return cls(
            line=BigInt(message.line),
            role=message.role,
            timestamp=message.at,
            model=message.model,
            text=message.text,
            tools=list(message.tools),
        )


@strawberry.type(description="How often something of one kind would be masked.")
class MaskedKind:
    """A kind's count."""

    kind: str = strawberry.field(description="The kind, such as github-token or email-address.")
    count: int = strawberry.field(description="How often it was found.")


@strawberry.type(description="A message in which something would be masked.")
class MaskedFinding:
    """A finding."""

    line: BigInt = strawberry.field(description="The message's line in the transcript.")
    kinds: list[str] = strawberry.field(description="What would be masked in it.")
    excerpt: str = strawberry.field(description="The words around it, masked.")


@strawberry.type(
    description="What a team would not see of a conversation, were it shared. No masking is "
    "complete: read what you are about to share."
)
class RedactionPreview:
    """A preview."""

    messages: int = strawberry.field(description="How many messages were looked at.")
    complete: bool = strawberry.field(
        description="Whether those are all; only the first 2,000 are looked at."
    )
    counts: list[MaskedKind] = strawberry.field(description="What was found, most first.")
    findings: list[MaskedFinding] = strawberry.field(
        description="The first messages with something to mask, at most 20."
    )

    @classmethod
    def of(cls, preview: shared.Preview) -> RedactionPreview:
        """The GraphQL view of a preview."""
        ordered = sorted(preview.counts.items(), key=lambda item: (-item[1], item[0]))
        return cls(
            messages=preview.messages,
            complete=preview.complete,
            counts=[MaskedKind(kind=kind, count=count) for kind, count in ordered],
            findings=[
                MaskedFinding(line=BigInt(f.line), kinds=list(f.kinds), excerpt=f.excerpt)
                for f in preview.findings
            ],
        )


async def shared_message_page(
    info: Info, asked: Window, share_id: UUID
) -> Connection[SharedMessage]:
    """A page of what was said in a shared session."""
    part = Part(
        asked.fetch,
        after=None if asked.after is None else asked.after.number,
        before=None if asked.before is None else asked.before.number,
        backward=asked.backward,
    )
    rows = await info.context.loaders.conversations.shared.load((share_id, part))
    db, actor = info.context.services.db, info.context.actor
    return connection(
        rows, asked, SharedMessage.of, _place, lambda: shared.count(db, actor, share_id)
    )


def _place(message: shared.SharedMessage) -> Place:
    return Place(message.line, message.share)
