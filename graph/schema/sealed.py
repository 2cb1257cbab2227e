"""Sealed entries and lists of them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import ID

from domain import sealed
from domain.errors import Invalid
from domain.sealed import Filter, Sealed, split_tokens
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.paging import Connection, Place, Window, connection
from graph.schema.public_keys import PublicKeys, keys_of
from graph.schema.scalars import Base64
from graph.schema.user import User

MATCHES_MAX = 100
_ASKED_MAX = sealed.TOKEN_BYTES * 32


@strawberry.enum(description="What a sealed entry is, as far as the server may know.")
class SealedKind(Enum):
    """The kinds of `domain.sealed`."""

    KNOWLEDGE = strawberry.enum_value("knowledge", description="An entry of knowledge.")
    SUMMARY = strawberry.enum_value("summary", description="The summary of a session.")


@strawberry.input(description="What to look for among the entries of one epoch.")
class SealedMatch:
    """Tokens of one epoch."""

    epoch: int = strawberry.field(description="Only entries of this epoch.")
    tokens: Base64 = strawberry.field(
        description="Up to 32 search tokens of 16 bytes, one behind the other; an entry must have "
        "all of them."
    )


Kinds = Annotated[SealedKind | None, strawberry.argument(description="Only entries of this kind.")]
Matching = Annotated[
    list[SealedMatch] | None,
    strawberry.argument(
        description="Only entries that one of these finds: at most 100, usually one for each epoch."
    ),
]


@strawberry.type(
    description="Something that a member keeps in an encrypted team, and that this server cannot "
    "read. What stands beside the ciphertext is bound to it."
)
class SealedEntry(ids.Node):
    """As `domain.sealed.Sealed`."""

    kind = "SealedEntry"

    entry_kind: SealedKind = strawberry.field(description="What it is.")
    epoch: int = strawberry.field(description="The epoch of the team key that opens it.")
    revision: int = strawberry.field(description="1 for a new entry, one more for each change.")
    nonce: Base64 = strawberry.field(description="The 24 bytes of the cipher's nonce.")
    ciphertext: Base64 = strawberry.field(
        description="XChaCha20-Poly1305 over what it says; see docs/end-to-end-encryption.md."
    )
    created_at: datetime = strawberry.field(description="When this server first stored it.")
    updated_at: datetime = strawberry.field(description="When this server last stored a change.")
    author_uuid: strawberry.Private[UUID]
    team_uuid: strawberry.Private[UUID]

    @computed("The author's id as a User; it is bound to the ciphertext.")
    def author_id(self) -> ID:
        """The global id of the author."""
        return ids.encode("User", self.author_uuid)

    @computed("Who wrote it; null when that person is no longer in the team.")
    async def author(self, info: Info) -> User | None:
        """The author, if the caller may see who that is."""
        person = await info.context.loaders.people.load(self.author_uuid)
        return None if person is None else User.of(person)

    @computed("The public keys of its author, newest first, also when that person has left.")
    async def author_keys(self, info: Info) -> list[PublicKeys]:
        """The author's keys."""
        return await keys_of(info, self.author_uuid)

    @computed("The team's id; it is bound to the ciphertext.")
    def team_id(self) -> ID:
        """The global id of the team."""
        return ids.encode("Team", self.team_uuid)

    @classmethod
    def of(cls, entry: Sealed) -> SealedEntry:
        """The GraphQL view of an entry."""
        return cls(
            uuid=entry.id,
            entry_kind=SealedKind(entry.kind),
            epoch=entry.epoch,
            revision=entry.revision,
            nonce=Base64(entry.nonce),
            ciphertext=Base64(entry.ciphertext),
            created_at=entry.created_at,
            updated_at=entry.updated_at,
            author_uuid=entry.author_id,
            team_uuid=entry.team_id,
        )


async def sealed_page(
    info: Info,
    asked: Window,
    team_id: UUID,
    kind: SealedKind | None,
    matching: list[SealedMatch] | None,
) -> Connection[SealedEntry]:
    """A page of a team's sealed entries, last changed first."""
    db, actor = info.context.services.db, info.context.actor
    wanted = Filter(team_id, None if kind is None else str(kind.value), _tokens(matching))
    rows = await sealed.page(
        db,
        actor,
        wanted,
        limit=asked.fetch,
        after=None if asked.after is None else asked.after.number,
        before=None if asked.before is None else asked.before.number,
        backward=asked.backward,
    )
    return connection(rows, asked, SealedEntry.of, _place, lambda: sealed.count(db, actor, wanted))


def _tokens(
    matching: list[SealedMatch] | None,
) -> tuple[tuple[int, tuple[bytes, ...]], ...] | None:
    if matching is None:
        return None
    if len(matching) > MATCHES_MAX:
        raise Invalid.at("matching", f"must have at most {MATCHES_MAX} items")
    for place, match in enumerate(matching):
        size = len(match.tokens)
        if not size or size % sealed.TOKEN_BYTES or size > _ASKED_MAX:
            raise Invalid.at(("matching", place, "tokens"), "must be 1 to 32 tokens of 16 bytes")
    return tuple((match.epoch, split_tokens(match.tokens)) for match in matching)


def _place(entry: Sealed) -> Place:
    return Place(entry.version, entry.id)
