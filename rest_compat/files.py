"""Further files of a session: transcripts of its subagents, results of its tools."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from starlette.responses import Response

from domain import file_removal, session_files, sessions
from domain.conversations import Uploaded
from domain.errors import NotFound
from domain.session_files import SessionFile
from rest_compat import upload
from rest_compat.call import Call
from rest_compat.download import MEDIA_TYPE, asked_version, send
from rest_compat.errors import json_response

_PLAIN: Final = "application/octet-stream"


async def list_files(call: Call) -> Response:
    """The further files of a session, without their contents."""
    session = await sessions.get(call.services.db, call.actor, upload.either_id(call))
    found = await session_files.of_sessions(call.services.db, call.actor, [session.id])
    return json_response({"files": [_present(file) for file in found[session.id]]})


async def get_file(call: Call) -> Response:
    """A file's exact bytes; `?version=` for an earlier version."""
    session_id, path, number = await _session_id(call), _path(call), asked_version(call)
    found = await call.services.custody.open(call.actor, session_id, number, path=path)
    media_type = MEDIA_TYPE if path.endswith(".jsonl") else _PLAIN
    name = path.rpartition("/")[2]
    return await send(call, found.version, name, media_type, appendable=number is None)


async def put_file(call: Call) -> Response:
    """Keep a file, whole."""
    path = _path(call)
    uploaded = await upload.put(call, await _session_id(call), path)
    return _answer(path, uploaded)


async def append_file(call: Call) -> Response:
    """Keep what follows on the stored bytes of a file."""
    path = _path(call)
    uploaded = await upload.append(call, await _session_id(call), path)
    return _answer(path, uploaded)


async def delete_file(call: Call) -> Response:
    """Delete a file with all its versions."""
    path = _path(call)
    await file_removal.remove(call.services.db, call.actor, upload.either_id(call), path)
    return json_response({"deleted": True})


def _answer(path: str, uploaded: Uploaded) -> Response:
    head = uploaded.head
    content = {"path": path, "size": head.size, "sha256": head.digest.hex()}
    status = 201 if uploaded.first else 200
    return json_response(content, status, upload.result_headers(uploaded))


async def _session_id(call: Call) -> str:
    """Claude Code's id of the session in the address, which may not exist yet."""
    given = upload.either_id(call)
    with suppress(NotFound):
        return (await sessions.get(call.services.db, call.actor, given)).session_id
    return given


def _path(call: Call) -> str:
    path: str = call.request.path_params["path"]
    if not path:
        raise NotFound
    return path


def _present(file: SessionFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "version": file.number,
        "size": file.size,
        "lines": file.lines,
        "sha256": file.digest.hex(),
        "updated": file.updated_at,
    }
