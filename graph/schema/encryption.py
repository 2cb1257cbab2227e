"""The end-to-end encryption of a team: its epochs, one's own wrapped keys, who waits for one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import ID

from domain import encryption, key_epochs
from domain.key_epochs import Part
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.paging import First, page_size
from graph.schema.public_keys import PublicKeys, keys_of
from graph.schema.scalars import Base64
from graph.schema.user import User

AboveEpoch = Annotated[
    int, strawberry.argument(description="Only those above this number; 0 for all.")
]


@strawberry.type(description="A team key, by what the member who made it states about it.")
class KeyEpoch:
    """As `domain.key_epochs.Epoch`."""

    number: int = strawberry.field(description="1 for the first, and so on; the highest counts.")
    statement: Base64 = strawberry.field(
        description="What was signed: the team, the number, whom the key was wrapped for, a "
        "commitment to the key and the digest of the statement before."
    )
    signature: Base64 = strawberry.field(description="Ed25519, by the keys of `signerNumber`.")
    created_by_id: ID = strawberry.field(description="Who made it, as a User's id.")
    signer_number: int = strawberry.field(
        description="Which of that person's public keys it is signed with."
    )
    created_at: datetime = strawberry.field(description="When it was published.")
    maker_uuid: strawberry.Private[UUID]

    @computed("The public keys of who made it, newest first, also when that person has left.")
    async def maker_keys(self, info: Info) -> list[PublicKeys]:
        """The maker's keys."""
        return await keys_of(info, self.maker_uuid)

    @classmethod
    def of(cls, epoch: key_epochs.Epoch) -> KeyEpoch:
        """The GraphQL view of an epoch."""
        return cls(
            number=epoch.number,
            statement=Base64(epoch.statement),
            signature=Base64(epoch.signature),
            created_by_id=ids.encode("User", epoch.created_by),
            signer_number=epoch.signer_number,
            created_at=epoch.created_at,
            maker_uuid=epoch.created_by,
        )


@strawberry.type(description="A team key that you can unwrap with your private key.")
class WrappedTeamKey:
    """As `domain.key_epochs.WrappedKey`."""

    epoch: int = strawberry.field(description="Which epoch's key it is.")
    key_number: int = strawberry.field(description="Which of your public keys it is wrapped for.")
    wrapped: Base64 = strawberry.field(description="A sealed box (X25519) around the team key.")
    wrapped_by_id: ID = strawberry.field(description="Who wrapped it, as a User's id.")
    signer_number: int = strawberry.field(
        description="Which of that person's public keys it is signed with."
    )
    signature: Base64 = strawberry.field(
        description="Ed25519 over team, epoch, member, the member's keys and the sealed box."
    )
    created_at: datetime = strawberry.field(description="When it was wrapped.")

    @classmethod
    def of(cls, key: key_epochs.WrappedKey) -> WrappedTeamKey:
        """The GraphQL view of a wrapped key."""
        return cls(
            epoch=key.epoch,
            key_number=key.key_number,
            wrapped=Base64(key.wrapped),
            wrapped_by_id=ids.encode("User", key.wrapped_by),
            signer_number=key.signer_number,
            signature=Base64(key.signature),
            created_at=key.created_at,
        )


@strawberry.type(
    description="A member who does not have the newest team key, such as one who has just come."
)
class WaitingMember:
    """As `domain.key_epochs.Waiting`."""

    joined_at: datetime = strawberry.field(description="When this person came into the team.")
    key_number: int | None = strawberry.field(
        description="The number of this person's newest public keys; null when it has set none "
        "yet, so that nothing can be wrapped for it."
    )
    member_uuid: strawberry.Private[UUID]

    @computed("The person's id as a User.")
    def member_id(self) -> ID:
        """The global id of the person."""
        return ids.encode("User", self.member_uuid)

    @computed("The person; null when it has left the team meanwhile.")
    async def member(self, info: Info) -> User | None:
        """The person."""
        person = await info.context.loaders.people.load(self.member_uuid)
        return None if person is None else User.of(person)

    @classmethod
    def of(cls, member: key_epochs.Waiting) -> WaitingMember:
        """The GraphQL view of a member who waits."""
        return cls(
            joined_at=member.joined_at,
            key_number=member.key_number,
            member_uuid=member.account_id,
        )


@strawberry.type(
    description="That a team is end-to-end encrypted, and how. It takes sealed entries only, and "
    "it stays so."
)
class TeamEncryption:
    """As `domain.encryption.Encryption`."""

    enabled_at: datetime = strawberry.field(description="Since when.")
    searchable: bool = strawberry.field(
        description="Whether entries may carry search tokens, which tell the server which of them "
        "share words."
    )
    epoch: int = strawberry.field(description="The newest epoch; 0 before the first.")
    rotation_due: bool = strawberry.field(
        description="Whether nothing can be written until there is a new epoch, because somebody "
        "has left or there is none yet."
    )
    team_uuid: strawberry.Private[UUID]

    @computed("The epochs, oldest first.")
    async def epochs(
        self, info: Info, first: First = None, after: AboveEpoch = 0
    ) -> list[KeyEpoch]:
        """Some epochs."""
        asked = (self.team_uuid, Part(after, page_size(first)))
        found = await info.context.loaders.encryption.epochs.load(asked)
        return [KeyEpoch.of(epoch) for epoch in found]

    @computed("The team keys that are wrapped for you, oldest epoch first.")
    async def my_keys(
        self, info: Info, first: First = None, after: AboveEpoch = 0
    ) -> list[WrappedTeamKey]:
        """Some of the caller's wrapped keys."""
        asked = (self.team_uuid, Part(after, page_size(first)))
        found = await info.context.loaders.encryption.wrapped.load(asked)
        return [WrappedTeamKey.of(key) for key in found]

    @computed(
        "Members without the newest team key, first come first. Any member with the key can wrap "
        "it for them."
    )
    async def waiting(self, info: Info) -> list[WaitingMember]:
        """Who waits for a key."""
        found = await info.context.loaders.encryption.waiting.load(self.team_uuid)
        return [WaitingMember.of(member) for member in found]

    @classmethod
    def of(cls, state: encryption.Encryption) -> TeamEncryption:
        """The GraphQL view of a team's encryption."""
        return cls(
            enabled_at=state.enabled_at,
            searchable=state.searchable,
            epoch=state.epoch,
            rotation_due=state.rotation_due,
            team_uuid=state.team_id,
        )


async def team_encryption(info: Info, team_id: UUID) -> TeamEncryption | None:
    """The encryption of a team; None for a team without."""
    found = await info.context.loaders.encryption.teams.load(team_id)
    return None if found is None else TeamEncryption.of(found)
