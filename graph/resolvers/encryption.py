"""Encrypted teams: public keys, epochs, wrapped keys and sealed entries."""

from __future__ import annotations

import strawberry

from domain import encryption, key_epochs, public_keys, sealed
from domain.encryption import Enabling
from domain.key_epochs import Admission, NewEpoch
from domain.public_keys import NewPublicKeys
from domain.sealed import SealedPush
from graph.context import Info
from graph.guards import signed_in
from graph.schema import ids
from graph.schema.encryption import KeyEpoch
from graph.schema.encryption_inputs import (
    DeleteSealedInput,
    DeleteSealedPayload,
    EnableTeamEncryptionInput,
    EnableTeamEncryptionPayload,
    PublishKeyEpochInput,
    PublishKeyEpochPayload,
    PushSealedInput,
    PushSealedPayload,
    SetPublicKeysInput,
    SetPublicKeysPayload,
    WrapTeamKeysInput,
    WrapTeamKeysPayload,
)
from graph.schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    InvalidInput,
    NotFoundProblem,
    given,
    mutation,
    parse_input,
)
from graph.schema.public_keys import PublicKeys
from graph.schema.sealed import SealedEntry

_PROBLEMS = [InvalidInput, NotFoundProblem, ForbiddenProblem, ConflictProblem]


@strawberry.type
class EncryptionMutations:
    """Root mutations about encrypted teams."""

    @mutation(
        SetPublicKeysPayload,
        [InvalidInput, ForbiddenProblem, ConflictProblem],
        "Set your public keys, which others wrap team keys for. A change is told to every "
        "encrypted team of yours.",
    )
    @signed_in
    async def set_public_keys(self, info: Info, input: SetPublicKeysInput) -> SetPublicKeysPayload:
        """Set the caller's keys."""
        data = parse_input(NewPublicKeys, input)
        keys = await public_keys.publish(info.context.services.db, info.context.actor, data)
        return SetPublicKeysPayload(public_keys=PublicKeys.of(keys))

    @mutation(
        EnableTeamEncryptionPayload,
        _PROBLEMS,
        "Encrypt a team of yours end to end, for good: it takes sealed entries only from now on, "
        "which this server cannot read. There is no way back.",
    )
    @signed_in
    async def enable_team_encryption(
        self, info: Info, input: EnableTeamEncryptionInput
    ) -> EnableTeamEncryptionPayload:
        """Encrypt a team."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        data = parse_input(Enabling, input)
        await encryption.enable(info.context.services.db, info.context.actor, team_id, data)
        return EnableTeamEncryptionPayload(team_id=ids.encode("Team", team_id))

    @mutation(
        PublishKeyEpochPayload,
        _PROBLEMS,
        "Begin the next epoch of an encrypted team with a new key, wrapped for every member.",
    )
    @signed_in
    async def publish_key_epoch(
        self, info: Info, input: PublishKeyEpochInput
    ) -> PublishKeyEpochPayload:
        """Rotate the team key."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        wraps = [
            given(wrap, member_id=ids.decode("User", wrap.member_id, "input", "wraps", f"{place}"))
            for place, wrap in enumerate(input.wraps)
        ]
        data = parse_input(NewEpoch, input, wraps=wraps)
        db, actor = info.context.services.db, info.context.actor
        epoch = await key_epochs.publish(db, actor, team_id, data)
        return PublishKeyEpochPayload(epoch=KeyEpoch.of(epoch))

    @mutation(
        WrapTeamKeysPayload,
        _PROBLEMS,
        "Hand team keys that you have to a member who waits for them.",
    )
    @signed_in
    async def wrap_team_keys(self, info: Info, input: WrapTeamKeysInput) -> WrapTeamKeysPayload:
        """Wrap keys for a member."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        member_id = ids.decode("User", input.member_id, "input", "memberId")
        wraps = [given(wrap) for wrap in input.wraps]
        data = parse_input(Admission, input, member_id=member_id, wraps=wraps)
        db, actor = info.context.services.db, info.context.actor
        return WrapTeamKeysPayload(epochs=await key_epochs.admit(db, actor, team_id, data))

    @mutation(PushSealedPayload, _PROBLEMS, "Keep sealed entries in an encrypted team.")
    @signed_in
    async def push_sealed(self, info: Info, input: PushSealedInput) -> PushSealedPayload:
        """Keep sealed entries, all or none."""
        team_id = ids.decode("Team", input.team_id, "input", "teamId")
        entries = [
            given(
                item,
                id=ids.decode("SealedEntry", item.id, "input", "entries", f"{place}", "id"),
                kind=item.kind.value,
            )
            for place, item in enumerate(input.entries)
        ]
        data = parse_input(SealedPush, input, entries=entries)
        db, actor = info.context.services.db, info.context.actor
        done = await sealed.push(db, actor, team_id, data)
        return PushSealedPayload(
            entries=[SealedEntry.of(entry) for entry in done.saved], skipped=done.skipped
        )

    @mutation(
        DeleteSealedPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Delete a sealed entry of yours. It cannot be restored.",
    )
    @signed_in
    async def delete_sealed(self, info: Info, input: DeleteSealedInput) -> DeleteSealedPayload:
        """Delete one entry."""
        entry_id = ids.decode("SealedEntry", input.id, "input", "id")
        await sealed.delete(info.context.services.db, info.context.actor, entry_id)
        return DeleteSealedPayload(deleted_id=ids.encode("SealedEntry", entry_id))
