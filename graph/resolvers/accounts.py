"""The caller's account: looking at it, opening one, credentials."""

from __future__ import annotations

import strawberry

from domain import accounts
from domain.accounts import Credentials, NewKey, RegisterEmail, RegisterUsername, Registration
from domain.services import Services
from graph.context import Info
from graph.fields import computed
from graph.guards import public, signed_in
from graph.schema import ids
from graph.schema.account_inputs import (
    CreateApiKeyInput,
    CreateApiKeyPayload,
    LogInInput,
    LogInPayload,
    RegisterInput,
    RegisterPayload,
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    SignOutEverywherePayload,
)
from graph.schema.api_key import ApiKey
from graph.schema.problems import (
    ConflictProblem,
    InvalidCredentials,
    InvalidInput,
    NotFoundProblem,
    RateLimitedProblem,
    mutation,
    parse_input,
)
from graph.schema.viewer import Viewer


@strawberry.type
class AccountQueries:
    """Root fields about the caller."""

    @computed("You.")
    @signed_in
    async def viewer(self, info: Info) -> Viewer:
        """The caller's own account."""
        return Viewer.of(await accounts.me(info.context.services, info.context.actor))


@strawberry.type
class AccountMutations:
    """Root mutations about accounts and keys."""

    @mutation(RegisterPayload, [InvalidInput, ConflictProblem], "Open an account.")
    @public
    async def register(self, info: Info, input: RegisterInput) -> RegisterPayload:
        """Open an account in one of the two ways."""
        made = await _register(info.context.services, input)
        return RegisterPayload(
            viewer=Viewer.of(made.account), token=made.token, api_key=made.api_key
        )

    @mutation(
        LogInPayload,
        [InvalidCredentials, InvalidInput, RateLimitedProblem],
        "Get a token for your e-mail address and password.",
    )
    @public
    async def log_in(self, info: Info, input: LogInInput) -> LogInPayload:
        """Check a password."""
        given = parse_input(Credentials, input)
        account, token = await accounts.log_in(info.context.services, given, info.context.address)
        return LogInPayload(viewer=Viewer.of(account), token=token)

    @mutation(CreateApiKeyPayload, [InvalidInput], "Make one more API key.")
    @signed_in
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload:
        """Mint a key."""
        given = parse_input(NewKey, input)
        minted = await accounts.mint_key(info.context.services, info.context.actor, given)
        return CreateApiKeyPayload(api_key=ApiKey.of(minted.key), secret=minted.secret)

    @mutation(
        RevokeApiKeyPayload,
        [InvalidInput, NotFoundProblem],
        "Make an API key useless at once; subscriptions that it opened end.",
    )
    @signed_in
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyPayload:
        """Revoke a key."""
        key_id = ids.decode("ApiKey", input.id, "input", "id")
        await accounts.revoke_key(info.context.services, info.context.actor, key_id)
        return RevokeApiKeyPayload(revoked_id=ids.encode("ApiKey", key_id))

    @mutation(
        SignOutEverywherePayload,
        [NotFoundProblem],
        "Make every token that was made for you so far useless, this one included.",
    )
    @signed_in
    async def sign_out_everywhere(self, info: Info) -> SignOutEverywherePayload:
        """Advance the account's epoch."""
        services, actor = info.context.services, info.context.actor
        await accounts.sign_out_everywhere(services, actor)
        return SignOutEverywherePayload(viewer=Viewer.of(await accounts.me(services, actor)))


async def _register(services: Services, given: RegisterInput) -> Registration:
    if given.username is not None and given.email is None:
        return await accounts.register_username(services, parse_input(RegisterUsername, given))
    return await accounts.register_email(services, parse_input(RegisterEmail, given))
