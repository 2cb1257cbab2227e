"""Who asks, by the headers of a request or the payload of `connection_init`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import accounts
from domain.actor import Actor, Origin
from domain.errors import Invalid, Unauthenticated
from domain.services import Services


def of_headers(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The credentials that the headers carry. Raises Unauthenticated for an unknown scheme."""
    return _bearer(headers.get("authorization")) + _plain(headers.get("x-api-key"))


def of_payload(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """The credentials of a `connection_init` payload. Raises Unauthenticated for malformed ones."""
    bearer = payload.get("authorization", payload.get("Authorization"))
    key = payload.get("apiKey", payload.get("X-API-Key"))
    if not all(value is None or isinstance(value, str) for value in (bearer, key)):
        raise Unauthenticated
    return _bearer(bearer) + _plain(key)


async def resolve(services: Services, credentials: tuple[str, ...], origin: Origin) -> Actor | None:
    """Who the credentials belong to; None without any.

    Raises Unauthenticated for a bad one, counted against the network address that tries it, and
    Invalid for two of different accounts.
    """
    try:
        actors = [
            await accounts.authenticate(services, credential, origin) for credential in credentials
        ]
    except Unauthenticated:
        await services.throttle.count(origin.address or "unknown", anonymous=True)
        raise
    if len({actor.account_id for actor in actors}) > 1:
        raise Invalid.at("X-API-Key", "belongs to another account than the Authorization header")
    return actors[0] if actors else None


def _bearer(value: str | None) -> tuple[str, ...]:
    if value is None:
        return ()
    scheme, _space, credential = value.strip().partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Unauthenticated
    return (credential.strip(),)


def _plain(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value.strip(),)
