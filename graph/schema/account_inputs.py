"""What the mutations about accounts and keys take and give."""

from __future__ import annotations

import strawberry
from strawberry import ID

from graph.schema.api_key import ApiKey
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


@strawberry.input(description="A new API key.")
class CreateApiKeyInput:
    """What to call it."""

    label: str = strawberry.field(default="", description="What the key is for, in your words.")


@strawberry.type(description="The new API key.")
class CreateApiKeyPayload:
    """What `createApiKey` answers."""

    api_key: ApiKey = strawberry.field(description="The key as it will be listed.")
    secret: str = strawberry.field(description="The key itself, shown this once.")


@strawberry.input(description="Which API key to revoke.")
class RevokeApiKeyInput:
    """A key of the caller's."""

    id: ID = strawberry.field(description="The key's id, as `viewer.apiKeys` lists it.")


@strawberry.type(description="The key is useless from now on.")
class RevokeApiKeyPayload:
    """What `revokeApiKey` answers."""

    revoked_id: ID = strawberry.field(description="The id of the key that was revoked.")


@strawberry.type(description="Every token that was made so far is useless; API keys stay.")
class SignOutEverywherePayload:
    """What `signOutEverywhere` answers."""

    viewer: Viewer = strawberry.field(description="Your account.")
