"""What the mutations about accounts and keys take and give."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import ID

from graph.schema.api_key import ApiKey, KeyScope
from graph.schema.viewer import Viewer


@strawberry.input(
    description="A new account: an e-mail address with a password, or a username alone."
)
class RegisterInput:
    """Either `email` and `password` or `username`."""

    email: str | None = strawberry.field(default=None, description="Your e-mail address.")
    password: str | None = strawberry.field(
        default=None, description="8 to 128 characters; needed with an e-mail address."
    )
    username: str | None = strawberry.field(
        default=None, description="A name for an account that uses API keys only."
    )


@strawberry.type(description="The new account with its first credentials.")
class RegisterPayload:
    """What `register` answers."""

    viewer: Viewer = strawberry.field(description="Your new account.")
    token: str = strawberry.field(description="A token for `Authorization: Bearer`; it expires.")
    api_key: str = strawberry.field(
        description="Your first API key. It is shown this once and never expires."
    )


@strawberry.input(description="What you log in with.")
class LogInInput:
    """An address with its password."""

    email: str = strawberry.field(description="Your e-mail address.")
    password: str = strawberry.field(description="Your password.")


@strawberry.type(description="You are logged in.")
class LogInPayload:
    """What `logIn` answers."""

    viewer: Viewer = strawberry.field(description="Your account.")
    token: str = strawberry.field(description="A token for `Authorization: Bearer`; it expires.")


@strawberry.input(description="The password so far, and the one to come.")
class ChangePasswordInput:
    """Both passwords."""

    current_password: str = strawberry.field(description="Your password so far.")
    new_password: str = strawberry.field(description="8 to 128 characters.")
    revoke_keys: bool = strawberry.field(
        default=False, description="Whether all your API keys end too, as all tokens do."
    )


@strawberry.type(description="You have another password. All earlier tokens are useless.")
class ChangePasswordPayload:
    """What `changePassword` answers."""

    viewer: Viewer = strawberry.field(description="Your account.")
    token: str = strawberry.field(description="A new token for `Authorization: Bearer`.")


@strawberry.input(description="What an account that has no password shall log in with.")
class SetEmailAndPasswordInput:
    """An address with its password."""

    email: str = strawberry.field(description="Your e-mail address.")
    password: str = strawberry.field(description="8 to 128 characters.")


@strawberry.type(description="You can log in with these from now on; your keys stay.")
class SetEmailAndPasswordPayload:
    """What `setEmailAndPassword` answers."""

    viewer: Viewer = strawberry.field(description="Your account.")
    token: str = strawberry.field(description="A token for `Authorization: Bearer`.")


@strawberry.input(description="A new API key.")
class CreateApiKeyInput:
    """What to call it, and what it is good for."""

    label: str = strawberry.field(default="", description="What the key is for, in your words.")
    scopes: list[KeyScope] | None = strawberry.field(
        default=None, description="What it may be used for; left out, for everything."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends; left out, never."
    )


@strawberry.type(description="The new API key.")
class CreateApiKeyPayload:
    """What `createApiKey` answers."""

    api_key: ApiKey = strawberry.field(description="The key as it will be listed.")
    secret: str = strawberry.field(description="The key itself, shown this once.")


@strawberry.input(description="Which API key to call something else.")
class LabelApiKeyInput:
    """A key of the caller's, and its new label."""

    id: ID = strawberry.field(description="The key's id, as `viewer.apiKeys` lists it.")
    label: str = strawberry.field(description="What to call it; at most 100 characters.")


@strawberry.type(description="The key has another label.")
class LabelApiKeyPayload:
    """What `labelApiKey` answers."""

    api_key: ApiKey = strawberry.field(description="The key as it is listed now.")


@strawberry.input(description="Which API key to revoke.")
class RevokeApiKeyInput:
    """A key of the caller's."""

    id: ID = strawberry.field(description="The key's id, as `viewer.apiKeys` lists it.")


@strawberry.type(description="The key is useless from now on.")
class RevokeApiKeyPayload:
    """What `revokeApiKey` answers."""

    revoked_id: ID = strawberry.field(description="The id of the key that was revoked.")


@strawberry.input(description="What ends besides your tokens, and what does not.")
class SignOutEverywhereInput:
    """What to end."""

    revoke_keys: bool = strawberry.field(
        default=False, description="Whether all your API keys end too."
    )
    keep_this_session: bool = strawberry.field(
        default=False,
        description="Whether you go on: with a new token or, if you came with an API key, with "
        "that key.",
    )


@strawberry.type(description="Every token that was made so far is useless.")
class SignOutEverywherePayload:
    """What `signOutEverywhere` answers."""

    viewer: Viewer = strawberry.field(description="Your account.")
    token: str | None = strawberry.field(
        description="A new token, if you came with one and asked to keep this session."
    )


@strawberry.input(description="What proves that it is you who wants the account deleted.")
class DeleteAccountInput:
    """A password or, where there is none, a name."""

    password: str | None = strawberry.field(
        default=None, description="Your password; needed for an account that has one."
    )
    username: str | None = strawberry.field(
        default=None, description="Your username; needed for an account without a password."
    )


@strawberry.type(description="The account is gone.")
class DeleteAccountPayload:
    """What `deleteAccount` answers."""

    deleted_id: ID = strawberry.field(description="The id that was yours.")
    deleted_teams: list[str] = strawberry.field(
        description="The names of teams that ended too, because nobody else was in them."
    )


@strawberry.input(description="Whose password is forgotten.")
class RequestPasswordResetInput:
    """An address."""

    email: str = strawberry.field(description="The e-mail address of the account.")


@strawberry.type(description="If there is such an account, a mail with a code is on its way.")
class RequestPasswordResetPayload:
    """What `requestPasswordReset` answers, whoever asks for whom."""

    email: str = strawberry.field(description="The address that was asked for.")


@strawberry.input(description="The code of a mail, and the password to come.")
class ResetPasswordInput:
    """A code that works once."""

    token: str = strawberry.field(description="The code of the mail, good for an hour.")
    new_password: str = strawberry.field(description="8 to 128 characters.")
    revoke_keys: bool = strawberry.field(
        default=False, description="Whether all your API keys end too, as all tokens do."
    )


@strawberry.type(description="You have another password. All earlier tokens are useless.")
class ResetPasswordPayload:
    """What `resetPassword` answers."""

    viewer: Viewer = strawberry.field(description="Your account.")
    token: str = strawberry.field(description="A new token for `Authorization: Bearer`.")


@strawberry.type(description="A mail with a code is on its way to your address.")
class RequestEmailVerificationPayload:
    """What `requestEmailVerification` answers."""

    email: str = strawberry.field(description="Your address.")


@strawberry.input(description="The code of a mail.")
class VerifyEmailInput:
    """A code that works once."""

    token: str = strawberry.field(description="The code of the mail, good for a day.")


@strawberry.type(description="The address is known to be yours.")
class VerifyEmailPayload:
    """What `verifyEmail` answers."""

    verified: bool = strawberry.field(description="Always true.")


@strawberry.input(description="Where the mail goes: to your own address.")
class RequestEmailVerificationInput:
    """The caller's address, said once more or not."""

    email: str | None = strawberry.field(
        default=None, description="Your address, to be sure that it is the one that you mean."
    )
