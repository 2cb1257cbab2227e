"""A conversation to take away: as Markdown, as a page of HTML, or as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from domain.reading import export as operation
from rest_compat.call import Call
from rest_compat.download import attachment


async def export(call: Call) -> Response:
    """The conversation of a session in the `format` md, html or json, sent while it is made."""
    session_id: str = call.request.path_params["session_id"]
    services = call.services
    asked = call.query.get("format") or "md"
    made = await operation.export(services.db, services.custody, call.actor, session_id, asked)
    first = await anext(made.chunks, b"")  # what usually fails still gets its proper status

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for chunk in made.chunks:
            yield chunk

    headers = {
        "Content-Disposition": attachment(made.filename),
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(body(), 200, headers, made.media_type)
