"""API keys: made for some uses and perhaps for some time, labelled, listed, revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import AwareDatetime, Field, StringConstraints

from db import keys as rows
from db.engine import Connection, Database
from db.keys import KeyPlace as KeyPlace
from db.rows import AnyRow
from domain import audit, tokens
from domain.actor import EVERY_SCOPE, Actor, KeyScope
from domain.errors import Forbidden, Invalid, NotFound, Unauthenticated
from domain.inputs import Input, Storable
from domain.policy import require_key

KeyLabel = Annotated[Storable, StringConstraints(max_length=100)]


class NewKey(Input):
    """A new API key, with a name that tells its owner what it is for."""

    label: KeyLabel = ""
    scopes: Annotated[frozenset[KeyScope], Field(min_length=1)] = EVERY_SCOPE
    expires_at: AwareDatetime | None = None


class Label(Input):
    """What to call a key."""

    label: KeyLabel


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed: never the secret itself."""

    id: UUID
    prefix: str
    label: str
    created_at: datetime
    last_used_at: datetime | None
    scopes: tuple[KeyScope, ...]
    expires_at: datetime | None
    last_address: str | None
    """The network address that used it last."""
    last_program: str | None
    """The first word of that user agent."""


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key with its secret, shown this once."""

    key: ApiKey
    secret: str


async def mint(db: Database, actor: Actor, data: NewKey) -> MintedKey:
    """One more API key; no earlier one is replaced.

    Raises Invalid for an end in the past, Forbidden when the actor came with a key that is good
    for less, or shorter, than the new one, Unauthenticated when its credential just ended.
    """
    require_key(actor, "admin")
    if data.expires_at is not None and data.expires_at <= datetime.now(UTC):
        raise Invalid.at("expiresAt", "must be in the future")
    if not data.scopes <= actor.key_scopes or (actor.key_id and _outlasts(data, actor)):
        raise Forbidden("An API key cannot make one that may do more, or for longer, than itself")
    async with db.begin(actor) as connection:
        if not await rows.holds(connection, actor.account_id, actor.key_id, actor.token_epoch):
            raise Unauthenticated
        return await add(connection, actor, data)


def _outlasts(data: NewKey, actor: Actor) -> bool:
    if actor.expires_at is None:
        return False
    return data.expires_at is None or data.expires_at.timestamp() > actor.expires_at


async def add(connection: Connection, actor: Actor, data: NewKey) -> MintedKey:
    """Make a key within a transaction, whatever the actor may do."""
    minted = await insert(connection, actor.account_id, data)
    await _record(connection, actor, "key_minted", minted.key)
    return minted


async def insert(connection: Connection, account_id: UUID, data: NewKey) -> MintedKey:
    """Make a key within a transaction of which the caller keeps the record."""
    secret, key_id = tokens.new_key(), uuid4()
    row = await rows.add(
        connection,
        key_id=key_id,
        account_id=account_id,
        digest=tokens.digest(secret),
        prefix=secret[: tokens.PREFIX_LENGTH],
        label=data.label,
        scopes=sorted(data.scopes),
        expires_at=data.expires_at,
    )
    return MintedKey(_key(row), secret)


async def page(
    db: Database,
    actor: Actor,
    *,
    limit: int,
    after: KeyPlace | None = None,
    before: KeyPlace | None = None,
    backward: bool = False,
) -> list[ApiKey]:
    """The actor's keys that are not revoked, oldest first; `backward` takes the last `limit`."""
    async with db.read(actor) as connection:
        found = await rows.page(
            connection,
            actor.account_id,
            limit=limit,
            after=after,
            before=before,
            backward=backward,
        )
    return [_key(row) for row in found]


async def count(db: Database, actor: Actor) -> int:
    """How many keys the actor has that are not revoked."""
    async with db.read(actor) as connection:
        return await rows.count(connection, actor.account_id)


async def get(db: Database, actor: Actor, key_id: UUID) -> ApiKey:
    """One of the actor's keys. Raises NotFound."""
    async with db.read(actor) as connection:
        row = await rows.one(connection, actor.account_id, key_id)
    if row is None:
        raise NotFound
    return _key(row)


async def current(db: Database, actor: Actor) -> ApiKey | None:
    """The key that the actor came with, else its newest one, if it has any."""
    async with db.read(actor) as connection:
        row = None
        if actor.key_id is not None:
            row = await rows.one(connection, actor.account_id, actor.key_id)
        if row is None:
            row = await rows.newest(connection, actor.account_id)
    return None if row is None else _key(row)


async def label(db: Database, actor: Actor, key_id: UUID, data: Label) -> ApiKey:
    """Call one of the actor's keys something else. Raises NotFound when it has no such key."""
    require_key(actor, "admin")
    async with db.begin(actor) as connection:
        row = await rows.label(connection, actor.account_id, key_id, data.label)
        if row is None:
            raise NotFound
        key = _key(row)
        await _record(connection, actor, "key_labelled", key)
    return key


async def revoke(db: Database, actor: Actor, key_id: UUID) -> None:
    """End one of the actor's keys at once. Raises NotFound when it has no such key."""
    require_key(actor, "admin")
    async with db.begin(actor) as connection:
        row = await rows.one(connection, actor.account_id, key_id)
        if row is None or not await rows.revoke(connection, actor.account_id, key_id):
            raise NotFound
        await _record(connection, actor, "key_revoked", _key(row))


async def _record(connection: Connection, actor: Actor, kind: audit.Kind, key: ApiKey) -> None:
    detail: dict[str, Any] = {"key": str(key.id), "prefix": key.prefix, "label": key.label}
    await audit.record(connection, actor, kind, **detail, scopes=list(key.scopes))


def _key(row: AnyRow) -> ApiKey:
    return ApiKey(**{**row._asdict(), "scopes": tuple(row.scopes)})
