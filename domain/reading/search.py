"""Finding a message in all of one's conversations."""

from __future__ import annotations

from dataclasses import dataclass

from db import messages as rows
from db.engine import Database
from domain.actor import Actor
from domain.errors import Invalid
from domain.reading import words
from domain.reading.conversation import QUERY_MAX, Message, Only, Spot, message_of, narrowed
from domain.reading.snippets import Fragment, snippet


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, and the part of it that says why."""

    message: Message
    snippet: list[Fragment]


def asked(actor: Actor, query: str, only: Only) -> Only:
    """What to look for. Raises Invalid for a query that is empty, or too long."""
    if not query.strip():
        raise Invalid.at("query", "must not be blank")
    if len(query) > QUERY_MAX:
        raise Invalid.at("query", f"must be at most {QUERY_MAX} characters")
    return narrowed(actor, only, query, "query")


async def search(
    db: Database, actor: Actor, query: str, only: Only, *, limit: int, after: Spot | None = None
) -> list[Hit]:
    """The messages with all the words, newest first, behind the place `after`."""
    wanted = asked(actor, query, only)
    if wanted.nothing:
        return []
    async with db.read(actor) as connection:
        found = await rows.search(connection, actor.access, wanted, limit=limit, after=after)
    looked_for = words.wanted(query)
    return [
        Hit(message, snippet(_texts(message), looked_for)) for message in map(message_of, found)
    ]


async def count(db: Database, actor: Actor, query: str, only: Only) -> int:
    """How many messages have all the words."""
    wanted = asked(actor, query, only)
    if wanted.nothing:
        return 0
    async with db.read(actor) as connection:
        return await rows.count(connection, actor.access, wanted)


def _texts(message: Message) -> list[str]:
    texts = [message.text or "", message.thinking or ""]
    texts += [f"{call.name} {call.input}" for call in message.calls]
    return texts + [result.text for result in message.results]
