"""The Registry API: sessions, their conversations, and the way out to Obsidian."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import Response, StreamingResponse

from domain import obsidian, sessions
from domain.bulk import Bulk, Synced
from domain.conversations import Uploaded
from domain.sessions import About, NewSession, Session
from rest_compat import upload
from rest_compat.call import Call, decode
from rest_compat.download import attachment
from rest_compat.errors import dumps, json_response
from rest_compat.multipart import MultipartReader
from rest_compat.upload import either_id

MANIFEST_MAX: Final = 16 * 1024 * 1024
_CONVERSATION: Final = "conversation_"


async def list_sessions(call: Call) -> Response:
    """All of the caller's sessions, as one array that is never whole in memory."""
    project = call.query.get("project") or None
    batches = sessions.every(call.services.db, call.actor, project)
    return await _array(_present(session) async for batch in batches for session in batch)


async def get_session(call: Call) -> Response:
    """One session, by either id."""
    session = await sessions.get(call.services.db, call.actor, either_id(call))
    return json_response(_present(session))


async def create_session(call: Call) -> Response:
    """Register a session, or tell more about one."""
    item = await call.input(NewSession)
    registered = await sessions.register(call.services.db, call.actor, [item])
    session = await sessions.get(call.services.db, call.actor, item.session_id)
    return json_response(_present(session), 201 if registered.created else 200)


async def update_session(call: Call) -> Response:
    """Change what is said about a session."""
    about = await call.input(About)
    session = await sessions.update(call.services.db, call.actor, either_id(call), about)
    return json_response(_present(session))


async def delete_session(call: Call) -> Response:
    """Delete a session and its conversation."""
    await sessions.delete(call.services.db, call.actor, either_id(call))
    return json_response({"deleted": True})


async def sync(call: Call) -> Response:
    """Many sessions at once: JSON, or multipart with their conversations."""
    bulk = Bulk(call.services.db, call.services.custody, call.actor)
    content_type = call.request.headers.get("content-type", "")
    if content_type.lower().startswith("multipart/"):
        call.services.custody.check_allowed()
        await _read_parts(MultipartReader(content_type, call.request.stream()), bulk)
    else:
        bulk.announce(await call.json())
    return json_response(_summary(await bulk.finish()))


async def _read_parts(reader: MultipartReader, bulk: Bulk) -> None:
    announced = False
    async for part in reader.parts():
        if part.name == "manifest":
            bulk.announce(decode(await part.content(MANIFEST_MAX)))
            announced = True
        elif part.name.startswith(_CONVERSATION):
            await bulk.keep(part.name.removeprefix(_CONVERSATION), part.chunks())
    if not announced:
        bulk.announce(None)


async def put_conversation(call: Call) -> Response:
    """Keep a transcript: the raw body, byte for byte."""
    return _kept(await upload.put(call, either_id(call)))


async def append_conversation(call: Call) -> Response:
    """Keep what a transcript has grown by."""
    return _kept(await upload.append(call, either_id(call)))


def _kept(uploaded: Uploaded) -> Response:
    headers = upload.result_headers(uploaded)
    return json_response(_present(uploaded.session), 201 if uploaded.first else 200, headers)


async def export_obsidian(call: Call) -> Response:
    """Every session as a note, in one array; with `session_id`, that note itself."""
    db, custody = call.services.db, call.services.custody
    session_id = call.query.get("session_id")
    if session_id is not None:
        note = await obsidian.note(db, custody, call.actor, session_id)
        headers = {"Content-Disposition": attachment(note.filename)}
        return Response(note.content, 200, headers, "text/markdown")
    notes = obsidian.notes(db, custody, call.actor)
    return await _array(
        {"filename": note.filename, "session_id": note.session_id, "content": note.content}
        async for note in notes
    )


def _present(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "session_id": session.session_id,
        "name": session.name,
        "project_name": session.project_name,
        "working_directory": session.working_directory,
        "conversation_size": session.conversation_size,
        "conversation_lines": session.conversation_lines,
        "created": session.created_at,
        "updated": session.updated_at,
    }


def _summary(done: Synced) -> dict[str, Any]:
    return {
        "synced": done.synced,
        "created": done.created,
        "updated": done.updated,
        "conversations": done.conversations,
        "failed": [{"session_id": item.session_id, "error": item.error} for item in done.failed],
    }


async def _array(items: AsyncIterator[dict[str, Any]]) -> Response:
    """A JSON array, sent while it is being made.

    The first item is fetched before anything is sent, so that what usually fails still gets its
    proper status.
    """
    first = await anext(items, None)

    async def body() -> AsyncIterator[bytes]:
        yield b"["
        if first is not None:
            yield dumps(first)
            async for item in items:
                yield b"," + dumps(item)
        yield b"]"

    return StreamingResponse(body(), media_type="application/json")
