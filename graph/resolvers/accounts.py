"""The caller's account: looking at it, opening one, credentials."""

from __future__ import annotations

import strawberry
from strawberry import UNSET

from domain import accounts, erasure, keys, recovery
from domain.accounts import Credentials, RegisterEmail, RegisterUsername, Registration
from domain.erasure import Goodbye
from domain.keys import Label, NewKey
from domain.recovery import FirstPassword, PasswordChange, SignOut
from graph.context import Info
from graph.fields import computed
from graph.guards import public, signed_in
from graph.mapping import One, mapped
from graph.schema import ids
from graph.schema.account_inputs import (
    ChangePasswordInput,
    ChangePasswordPayload,
    CreateApiKeyInput,
    CreateApiKeyPayload,
    DeleteAccountInput,
    DeleteAccountPayload,
    LabelApiKeyInput,
    LabelApiKeyPayload,
    LogInInput,
    LogInPayload,
    RegisterInput,
    RegisterPayload,
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    SetEmailAndPasswordInput,
    SetEmailAndPasswordPayload,
    SignOutEverywhereInput,
    SignOutEverywherePayload,
)
from graph.schema.api_key import ApiKey
from graph.schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    InvalidCredentials,
    InvalidInput,
    NotFoundProblem,
    RateLimitedProblem,
    mutation,
    parse_input,
)
from graph.schema.viewer import Viewer


@mapped(viewer=One("viewer"))
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
        made = await _register(info, input)
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
        account, token = await accounts.log_in(info.context.services, given, info.context.origin)
        return LogInPayload(viewer=Viewer.of(account), token=token)

    @mutation(
        ChangePasswordPayload,
        [InvalidInput, ForbiddenProblem, ConflictProblem, RateLimitedProblem],
        "Replace your password. Every token made so far ends at once, and every API key if you say "
        "so; subscriptions that they opened end.",
    )
    @signed_in
    async def change_password(
        self, info: Info, input: ChangePasswordInput
    ) -> ChangePasswordPayload:
        """Replace a password."""
        given = parse_input(PasswordChange, input)
        made = await recovery.change_password(info.context.services, info.context.actor, given)
        return ChangePasswordPayload(viewer=Viewer.of(made.account), token=made.token)

    @mutation(
        SetEmailAndPasswordPayload,
        [InvalidInput, ForbiddenProblem, ConflictProblem],
        "Give an account that has no password, as those with only a username, an e-mail address "
        "and a password to log in with.",
    )
    @signed_in
    async def set_email_and_password(
        self, info: Info, input: SetEmailAndPasswordInput
    ) -> SetEmailAndPasswordPayload:
        """Set a first password."""
        given = parse_input(FirstPassword, input)
        made = await recovery.set_first_password(info.context.services, info.context.actor, given)
        return SetEmailAndPasswordPayload(viewer=Viewer.of(made.account), token=made.token)

    @mutation(
        CreateApiKeyPayload,
        [InvalidInput, ForbiddenProblem],
        "Make one more API key. A key can only make keys that may do no more than itself.",
    )
    @signed_in
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload:
        """Mint a key."""
        scopes = UNSET if input.scopes is None else [scope.value for scope in input.scopes]
        given = parse_input(NewKey, input, scopes=scopes)
        minted = await keys.mint(info.context.services.db, info.context.actor, given)
        return CreateApiKeyPayload(api_key=ApiKey.of(minted.key), secret=minted.secret)

    @mutation(
        LabelApiKeyPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Call an API key something else.",
    )
    @signed_in
    async def label_api_key(self, info: Info, input: LabelApiKeyInput) -> LabelApiKeyPayload:
        """Label a key."""
        key_id, given = ids.decode("ApiKey", input.id, "input", "id"), parse_input(Label, input)
        db, actor = info.context.services.db, info.context.actor
        return LabelApiKeyPayload(api_key=ApiKey.of(await keys.label(db, actor, key_id, given)))

    @mutation(
        RevokeApiKeyPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Make an API key useless at once; subscriptions that it opened end.",
    )
    @signed_in
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyPayload:
        """Revoke a key."""
        key_id = ids.decode("ApiKey", input.id, "input", "id")
        await keys.revoke(info.context.services.db, info.context.actor, key_id)
        return RevokeApiKeyPayload(revoked_id=ids.encode("ApiKey", key_id))

    @mutation(
        SignOutEverywherePayload,
        [InvalidInput, ForbiddenProblem],
        "Make every token that was made for you so far useless, this one included; API keys too if "
        "you say so.",
    )
    @signed_in
    async def sign_out_everywhere(
        self, info: Info, input: SignOutEverywhereInput | None = None
    ) -> SignOutEverywherePayload:
        """Advance the account's epoch."""
        given = parse_input(SignOut, input or SignOutEverywhereInput())
        services, actor = info.context.services, info.context.actor
        account, token = await recovery.sign_out_everywhere(services, actor, given)
        return SignOutEverywherePayload(viewer=Viewer.of(account), token=token)

    @mutation(
        DeleteAccountPayload,
        [InvalidInput, ForbiddenProblem, ConflictProblem, RateLimitedProblem],
        "Delete your account for good, with everything of your own: sessions, private knowledge, "
        "stars, contributions, keys. What you wrote into teams stays there without your name. A "
        "team that you own and where others are must be handed over or deleted first.",
    )
    @signed_in
    async def delete_account(self, info: Info, input: DeleteAccountInput) -> DeleteAccountPayload:
        """End an account."""
        given = parse_input(Goodbye, input)
        gone = await erasure.delete_account(info.context.services, info.context.actor, given)
        return DeleteAccountPayload(
            deleted_id=ids.encode("User", gone.account_id), deleted_teams=list(gone.teams)
        )


async def _register(info: Info, given: RegisterInput) -> Registration:
    services, origin = info.context.services, info.context.origin
    if given.username is not None and given.email is None:
        data = parse_input(RegisterUsername, given)
        return await accounts.register_username(services, data, origin)
    return await accounts.register_email(services, parse_input(RegisterEmail, given), origin)
