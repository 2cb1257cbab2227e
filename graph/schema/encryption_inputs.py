"""What the mutations about encrypted teams take and give."""

from __future__ import annotations

import strawberry
from strawberry import ID, UNSET

from graph.schema.encryption import KeyEpoch
from graph.schema.public_keys import PublicKeys
from graph.schema.scalars import Base64
from graph.schema.sealed import SealedEntry, SealedKind


@strawberry.input(description="Public keys that shall be yours from now on.")
class SetPublicKeysInput:
    """As `domain.public_keys.NewPublicKeys`."""

    number: int = strawberry.field(description="One more than that of your keys so far; first 1.")
    wrapping_key: Base64 = strawberry.field(description="An X25519 key, 32 bytes.")
    signing_key: Base64 = strawberry.field(description="An Ed25519 key, 32 bytes.")
    proof: Base64 = strawberry.field(
        description="The signing key's signature over account, number and both keys, 64 bytes."
    )


@strawberry.type(description="The keys are set.")
class SetPublicKeysPayload:
    """What `setPublicKeys` answers."""

    public_keys: PublicKeys = strawberry.field(description="Your keys.")


@strawberry.input(description="The team to be encrypted.")
class EnableTeamEncryptionInput:
    """As `domain.encryption.Enabling`."""

    team_id: ID = strawberry.field(description="The team; you own it, and it holds nothing yet.")
    irrevocable: bool = strawberry.field(
        description="Must be true, and says that you know: it cannot be turned off again, what the "
        "team's deleted entries said is erased, and what is sealed is lost with its members' keys."
    )
    searchable: bool = strawberry.field(
        default=False,
        description="Whether entries may carry search tokens. They tell the server which entries "
        "share words, though not which words; this cannot be changed later.",
    )


@strawberry.type(description="The team is encrypted; it needs a first epoch now.")
class EnableTeamEncryptionPayload:
    """What `enableTeamEncryption` answers."""

    team_id: ID = strawberry.field(description="The team.")


@strawberry.input(description="A team key, wrapped for a member.")
class MemberWrapInput:
    """As `domain.key_epochs.MemberWrap`."""

    member_id: ID = strawberry.field(description="The member, as a User's id.")
    key_number: int = strawberry.field(
        description="Which of the member's public keys it is wrapped for: the newest."
    )
    wrapped: Base64 = strawberry.field(description="The sealed box, 80 bytes.")
    signature: Base64 = strawberry.field(
        description="Ed25519 over team, epoch, member, the member's keys and the sealed box."
    )


@strawberry.input(description="A new team key.")
class PublishKeyEpochInput:
    """As `domain.key_epochs.NewEpoch`."""

    team_id: ID = strawberry.field(description="The team; you own it or are an admin of it.")
    number: int = strawberry.field(
        description="One more than the newest epoch; of several who try at once, one wins."
    )
    signer_number: int = strawberry.field(
        description="Which of your public keys you sign with: the newest."
    )
    statement: Base64 = strawberry.field(description="What is signed; at most 256 KiB.")
    signature: Base64 = strawberry.field(description="Ed25519 over the statement, 64 bytes.")
    wraps: list[MemberWrapInput] = strawberry.field(
        description="The key, wrapped for every member who has public keys, yourself among them."
    )


@strawberry.type(description="The new epoch has begun.")
class PublishKeyEpochPayload:
    """What `publishKeyEpoch` answers."""

    epoch: KeyEpoch = strawberry.field(description="The epoch.")


@strawberry.input(description="The key of one epoch, wrapped.")
class EpochWrapInput:
    """As `domain.key_epochs.EpochWrap`."""

    epoch: int = strawberry.field(description="Which epoch's key it is.")
    wrapped: Base64 = strawberry.field(description="The sealed box, 80 bytes.")
    signature: Base64 = strawberry.field(
        description="Ed25519 over team, epoch, member, the member's keys and the sealed box."
    )


@strawberry.input(description="Team keys for a member who waits for them.")
class WrapTeamKeysInput:
    """As `domain.key_epochs.Admission`."""

    team_id: ID = strawberry.field(description="The team; you may write in it.")
    member_id: ID = strawberry.field(description="The member, as a User's id.")
    key_number: int = strawberry.field(
        description="Which of the member's public keys they are wrapped for: the newest."
    )
    signer_number: int = strawberry.field(
        description="Which of your public keys you sign with: the newest."
    )
    wraps: list[EpochWrapInput] = strawberry.field(
        description="The keys, of epochs that are wrapped for yourself."
    )


@strawberry.type(description="The member can unwrap these.")
class WrapTeamKeysPayload:
    """What `wrapTeamKeys` answers."""

    epochs: list[int] = strawberry.field(
        description="The epochs that are new to the member; what was there stays as it is."
    )


@strawberry.input(description="A sealed entry to keep, or its next revision.")
class SealedEntryInput:
    """As `domain.sealed.NewSealed`."""

    id: ID = strawberry.field(
        description="A UUID that you choose, or the id of the entry that you change."
    )
    kind: SealedKind = strawberry.field(description="What it is.")
    epoch: int = strawberry.field(description="The newest epoch of the team.")
    revision: int = strawberry.field(description="1 for a new entry, else the next one.")
    nonce: Base64 = strawberry.field(description="24 random bytes.")
    ciphertext: Base64 = strawberry.field(description="17 bytes to 320 KiB.")
    tokens: Base64 | None = strawberry.field(
        default=UNSET,
        description="Up to 512 search tokens of 16 bytes, one behind the other, in a team that is "
        "searchable.",
    )


@strawberry.input(description="Sealed entries to keep, all or none.")
class PushSealedInput:
    """As `domain.sealed.SealedPush`."""

    team_id: ID = strawberry.field(description="The team; you may write in it.")
    entries: list[SealedEntryInput] = strawberry.field(description="1 to 100 entries.")


@strawberry.type(description="The entries are kept.")
class PushSealedPayload:
    """What `pushSealed` answers."""

    entries: list[SealedEntry] = strawberry.field(description="What was stored now.")
    skipped: int = strawberry.field(description="How many were stored already, bit by bit.")


@strawberry.input(description="A sealed entry to delete.")
class DeleteSealedInput:
    """The entry."""

    id: ID = strawberry.field(description="The entry; you wrote it.")


@strawberry.type(description="The entry is gone, and its ciphertext with it.")
class DeleteSealedPayload:
    """What `deleteSealed` answers."""

    deleted_id: ID = strawberry.field(description="The id that it had.")
