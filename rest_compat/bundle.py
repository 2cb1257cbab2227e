"""Sessions, or all that an account keeps, as one download."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse

from domain import account_export, bundle, sessions
from rest_compat import codings
from rest_compat.call import Call
from rest_compat.download import attachment
from rest_compat.upload import either_id

MEDIA_TYPE: Final = "application/zstd"


async def get_session_bundle(call: Call) -> Response:
    """One session, by either id."""
    session = await sessions.get(call.services.db, call.actor, either_id(call))
    return await _sent(call, session.session_id, session.session_id)


async def get_bundle(call: Call) -> Response:
    """All of the caller's sessions."""
    return await _sent(call, "sessions", None)


async def get_account(call: Call) -> Response:
    """Everything that the caller's account keeps."""
    return await _packed("account", account_export.archive(call.services, call.actor))


async def _sent(call: Call, name: str, session_id: str | None) -> Response:
    services = call.services
    pieces = bundle.archive(services.db, services.custody, call.actor, session_id)
    return await _packed(name, pieces)


async def _packed(name: str, pieces: AsyncIterator[bytes]) -> Response:
    # What usually fails does so before anything is sent, and gets its proper status.
    first = await anext(pieces, b"")

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    headers = {"Content-Disposition": attachment(f"{name}.tar.zst")}
    return StreamingResponse(codings.encoded(body(), "zstd"), 200, headers, MEDIA_TYPE)
