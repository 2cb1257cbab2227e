"""A record of a conversation, as the graph shows it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import strawberry
from strawberry import ID

from domain.reading import conversation
from domain.reading.conversation import Only
from graph.context import Info
from graph.fields import computed
from graph.mapping import Column, Computed, GlobalId, mapped
from graph.schema import ids
from graph.schema.scalars import BigInt


@strawberry.type(description="A tool that the model asked for something.")
class ToolCall:
    """A tool call."""

    id: str | None = strawberry.field(description="The id that its result refers to.")
    name: str = strawberry.field(description="The name of the tool.")
    input: str = strawberry.field(
        description="The most telling part of what it was given, such as a command or a path, "
        "shortened. All of it is in the message's `raw`."
    )


@strawberry.type(description="What a tool answered.")
class ToolResult:
    """A tool result."""

    call_id: str | None = strawberry.field(description="The id of the call that it answers.")
    is_error: bool = strawberry.field(description="Whether the tool failed.")
    text: str = strawberry.field(
        description="The answer, shortened. All of it is in the message's `raw`."
    )


def _calls(calls: Iterable[conversation.Call]) -> list[ToolCall]:
    return [ToolCall(id=c.id, name=c.name, input=c.input) for c in calls]


def _results(results: Iterable[conversation.Result]) -> list[ToolResult]:
    return [ToolResult(call_id=r.id, is_error=r.error, text=r.text) for r in results]


@mapped(
    "line",
    "length",
    "file",
    "kind",
    "subtype",
    "role",
    "uuid",
    "agent_id",
    "model",
    "text",
    "thinking",
    offset=Column("start"),
    parent_uuid=Column("parent"),
    is_sidechain=Column("sidechain"),
    timestamp=Computed(lambda at, timed: at if timed else None, "at", "timed"),
    tool_calls=Computed(lambda tools: _calls(conversation.calls_in(tools)), "tools"),
    tool_results=Computed(lambda tools: _results(conversation.results_in(tools)), "tools"),
    session_id=GlobalId("Session", "session"),
)
@strawberry.type(
    description="One record of a conversation: a prompt, an answer, or something that Claude Code "
    "noted down. Texts are shortened; `raw` is always the whole record."
)
class Message:
    """A message."""

    source: strawberry.Private[conversation.Message]

    line: BigInt = strawberry.field(description="Its line in the transcript, from 1.")
    offset: BigInt = strawberry.field(
        description="The byte at which its line begins in the version that was read."
    )
    length: BigInt = strawberry.field(description="The length of its line in bytes.")
    file: str = strawberry.field(
        description="Empty for the conversation itself, else the path of the subagent's transcript."
    )
    kind: str = strawberry.field(
        description="Claude Code's type of the record, such as user, assistant, system or summary, "
        "whether or not this server knows it; empty for a line that is no JSON object."
    )
    subtype: str | None = strawberry.field(description="What kind of `system` record it is.")
    role: str | None = strawberry.field(
        description="user or assistant; null for a record that nobody said."
    )
    uuid: str | None = strawberry.field(description="Claude Code's id of the record.")
    parent_uuid: str | None = strawberry.field(description="The id of the record it follows.")
    is_sidechain: bool = strawberry.field(description="Whether it belongs to a subagent.")
    agent_id: str | None = strawberry.field(description="The subagent that it belongs to.")
    timestamp: datetime | None = strawberry.field(description="When it was written.")
    model: str | None = strawberry.field(description="The model that answered.")
    text: str | None = strawberry.field(
        description="What it says: up to 16,000 characters. NUL shows as \u2400."
    )
    thinking: str | None = strawberry.field(
        description="What the model thought: up to 8,000 characters."
    )
    tool_calls: list[ToolCall] = strawberry.field(description="The tools it asked for.")
    tool_results: list[ToolResult] = strawberry.field(description="What tools answered.")

    @computed("The session that it belongs to.")
    def session_id(self) -> ID:
        """The global id of the session."""
        return ids.encode("Session", self.source.session)

    @computed(
        "The record exactly as it is in the transcript, out of the backed-up bytes; null when the "
        "conversation was replaced this very moment. At most 16 MiB in one request: ask for fewer, "
        "or download the bytes from `offset` on."
    )
    async def raw(self, info: Info) -> str | None:
        """The record's text."""
        return await info.context.loaders.conversations.raw.load(self.source)

    @classmethod
    def of(cls, message: conversation.Message) -> Message:
        """The GraphQL view of a message."""
        return cls(
            source=message,
            line=BigInt(message.line),
            offset=BigInt(message.start),
            length=BigInt(message.length),
            file=message.file,
            kind=message.kind,
            subtype=message.subtype,
            role=message.role,
            uuid=message.uuid,
            parent_uuid=message.parent,
            is_sidechain=message.sidechain,
            agent_id=message.agent_id,
            timestamp=message.at if message.timed else None,
            model=message.model,
            text=message.text,
            thinking=message.thinking,
            tool_calls=_calls(message.calls),
            tool_results=_results(message.results),
        )


@strawberry.input(description="Which messages of a conversation are wanted.")
class MessageFilter:
    """What narrows a list of messages."""

    roles: list[str] | None = strawberry.field(
        default=None, description="Only those with one of these roles, such as user."
    )
    kinds: list[str] | None = strawberry.field(
        default=None, description="Only records of these kinds, such as assistant or summary."
    )
    sidechains: bool | None = strawberry.field(
        default=None, description="true: only those of subagents; false: none of them."
    )
    text: str | None = strawberry.field(
        default=None,
        description='Only those with all of these words; "in quotes" next to each other, '
        "word* for a beginning, -word for what must not be there.",
    )
    since: datetime | None = strawberry.field(
        default=None, description="Only those of this time or later."
    )
    until: datetime | None = strawberry.field(
        default=None, description="Only those from before this time."
    )


def only_of(filter: MessageFilter | None) -> Only:
    """What the filter asks for, its text left out."""
    if filter is None:
        return Only()
    return Only(
        roles=tuple(filter.roles or ()),
        kinds=tuple(filter.kinds or ()),
        sidechains=filter.sidechains,
        since=filter.since,
        until=filter.until,
    )
