"""One request that tells everything that is kept, so that a client need not ask file by file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import Response, StreamingResponse

from domain import manifest
from domain.errors import Invalid
from domain.manifest import Item
from domain.repositories import normalised
from rest_compat.call import Call
from rest_compat.errors import dumps

MEDIA_TYPE: Final = "application/x-ndjson"
_PIECE: Final = 64 * 1024
_ID_MAX: Final = 255


async def get_manifest(call: Call) -> Response:
    """A line of JSON for each file of the caller's sessions.

    `?session_id=` for those of one session, `?project=` for those of a project, `?git_remote=` for
    those of a repository, however its address is written.

    The first lines are fetched before anything is sent, so that what usually fails still gets its
    proper status.
    """
    session_id = call.query.get("session_id") or None
    if session_id is not None and len(session_id) > _ID_MAX:
        raise Invalid.at("session_id", f"must have at most {_ID_MAX} characters")
    project = call.query.get("project") or None
    if remote := call.query.get("git_remote"):
        project = normalised(remote)
        if project is None:
            raise Invalid.at("git_remote", "must be the address of a repository")
    pieces = _pieces(manifest.every(call.services.db, call.actor, session_id, project))
    first = await anext(pieces, b"")

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(body(), media_type=MEDIA_TYPE)


async def _pieces(items: AsyncIterator[Item]) -> AsyncIterator[bytes]:
    collected = bytearray()
    async for item in items:
        collected += dumps(_present(item)) + b"\n"
        if len(collected) > _PIECE:
            yield bytes(collected)
            collected.clear()
    yield bytes(collected)


def _present(item: Item) -> dict[str, Any]:
    return {
        "session_id": item.session.session_id,
        "path": item.path,
        "size": item.size,
        "sha256": item.digest.hex(),
        "updated": item.updated_at,
        "project_name": item.session.project_name,
        "working_directory": item.session.working_directory,
        "git_remote": item.session.git_remote,
    }
