"""What a session's conversation says: the fields that `Session` has of it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain.errors import Invalid
from domain.reading import conversation
from domain.reading.conversation import Only, Part
from graph.context import Info
from graph.fields import computed
from graph.mapping import Made, Many, mapped
from graph.schema.conversation_facts import (
    ConversationVersion,
    KindCount,
    ReadingState,
    SessionFile,
)
from graph.schema.message import Message, MessageFilter, only_of
from graph.schema.paging import (
    After,
    Before,
    Connection,
    Edge,
    First,
    Last,
    Place,
    Window,
    connection,
    page_info,
    place_cursor,
    window,
)
from graph.schema.token_usage import SessionUsage

OfFile = Annotated[
    str,
    strawberry.argument(
        description="The path of a subagent's transcript; the conversation itself unless given."
    ),
]
OnlyMessages = Annotated[
    MessageFilter | None, strawberry.argument(description="Only some of them.")
]
AroundLine = Annotated[
    int | None,
    strawberry.argument(
        description="A page with this line in its middle, `first` long; instead of a cursor."
    ),
]


@mapped(
    messages=Many("messages", "id"),
    counts=Made("reading", lambda found, _settings: KindCount.all_of(found), "id"),
    models=Made("reading", lambda found, _settings: list(found.models), "id"),
    claude_versions=Made("reading", lambda found, _settings: list(found.versions), "id"),
    folders=Made("reading", lambda found, _settings: list(found.folders), "id"),
    git_branches=Made("reading", lambda found, _settings: list(found.branches), "id"),
    reading=Made("reading", lambda found, _settings: ReadingState.of(found), "id"),
    usage=Made("session's tokens", SessionUsage.of, "id"),
    versions=Many("session's versions", "id"),
    files=Many("session's files", "id"),
)
@strawberry.type
class ConversationFields:
    """The fields of a session that come from reading its conversation."""

    uuid: strawberry.Private[UUID]

    @computed("The records of the conversation in the order of its lines.")
    async def messages(
        self,
        info: Info,
        *,
        file: OfFile = "",
        filter: OnlyMessages = None,
        around_line: AroundLine = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Message]:
        """A page of the messages."""
        only = conversation.narrowed(
            info.context.actor, only_of(filter), filter.text if filter else None
        )
        asked = window(first, after, last, before)
        book = _Book(info, self.uuid, file, only)
        if around_line is None:
            return await book.page(asked)
        if after is not None or before is not None or last is not None:
            raise Invalid.at("aroundLine", "goes with first only")
        return await book.around(around_line, asked.limit)

    @computed("The record with one of Claude Code's ids; null when there is none.")
    async def message(
        self,
        info: Info,
        uuid: Annotated[str, strawberry.argument(description="Claude Code's id of the record.")],
    ) -> Message | None:
        """A message by its id."""
        found = await info.context.loaders.conversations.messages.load((self.uuid, uuid))
        return None if found is None else Message.of(found)

    @computed("How many records of each kind there are, subagents included; most first.")
    async def counts(self, info: Info) -> list[KindCount]:
        """The counts."""
        return KindCount.all_of(await info.context.loaders.conversations.readings.load(self.uuid))

    @computed("The models that answered, in the order of their first answers.")
    async def models(self, info: Info) -> list[str]:
        """The models."""
        return list((await info.context.loaders.conversations.readings.load(self.uuid)).models)

    @computed("The versions of Claude Code that wrote the conversation.")
    async def claude_versions(self, info: Info) -> list[str]:
        """The versions of Claude Code."""
        return list((await info.context.loaders.conversations.readings.load(self.uuid)).versions)

    @computed("The folders it ran in, in the order of their first appearance.")
    async def folders(self, info: Info) -> list[str]:
        """The folders."""
        return list((await info.context.loaders.conversations.readings.load(self.uuid)).folders)

    @computed("The branches that were checked out, in the order of their first appearance.")
    async def git_branches(self, info: Info) -> list[str]:
        """The branches."""
        return list((await info.context.loaders.conversations.readings.load(self.uuid)).branches)

    @computed("How far the conversation has been read.")
    async def reading(self, info: Info) -> ReadingState:
        """The state of the reading."""
        found = await info.context.loaders.conversations.readings.load(self.uuid)
        return ReadingState.of(found)

    @computed("What it cost in tokens, subagents included. Each answer counts once.")
    async def usage(self, info: Info) -> SessionUsage:
        """The token usage."""
        found = await info.context.loaders.conversations.usage.load(self.uuid)
        return SessionUsage.of(found, info.context.services.settings)

    @computed("The versions of the conversation that are kept, oldest first.")
    async def versions(self, info: Info) -> list[ConversationVersion]:
        """The versions."""
        found = await info.context.loaders.conversations.versions.load(self.uuid)
        return [ConversationVersion.of(version) for version in found]

    @computed("The further files of the session, by path: transcripts of subagents, tool results.")
    async def files(self, info: Info) -> list[SessionFile]:
        """The files."""
        found = await info.context.loaders.conversations.files.load(self.uuid)
        return [SessionFile.of(file) for file in found]


class _Book:
    """The messages of one file, of which a page is wanted."""

    def __init__(self, info: Info, session: UUID, file: str, only: Only) -> None:
        self._db, self._actor = info.context.services.db, info.context.actor
        self._pages = info.context.loaders.conversations.pages
        self._session, self._file, self._only = session, file, only

    async def page(self, asked: Window) -> Connection[Message]:
        """The page that the cursors ask for."""
        rows = await self._rows(
            limit=asked.fetch,
            after=None if asked.after is None else asked.after.number,
            before=None if asked.before is None else asked.before.number,
            backward=asked.backward,
        )
        return connection(rows, asked, Message.of, place_of_message, self._count)

    async def around(self, line: int, size: int) -> Connection[Message]:
        """The page with a line in its middle."""
        lead = await self._rows(limit=size // 2 + 1, before=line, backward=True)
        kept = lead[-(size // 2) :] if size > 1 else []
        rest = await self._rows(limit=size - len(kept) + 1, after=line - 1)
        rows = [*kept, *rest[: size - len(kept)]]
        edges = [Edge(cursor=place_cursor(place_of_message(m)), node=Message.of(m)) for m in rows]
        info = page_info(edges, len(lead) > len(kept), len(rest) > size - len(kept))
        return Connection(edges=edges, page_info=info, count=self._count)

    async def _rows(self, limit: int, **bounds: Any) -> list[conversation.Message]:
        part = Part(limit, self._file, self._only, **bounds)
        return await self._pages.load((self._session, part))

    async def _count(self) -> int:
        only = conversation.of_session(self._only, self._session)
        return await conversation.count(self._db, self._actor, only, self._file)


def place_of_message(message: conversation.Message) -> Place:
    """Where a message stands in its conversation."""
    return Place(message.line, message.session)
