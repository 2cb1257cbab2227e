"""The Cloud API's push and pull, which the MCP client calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import Response, StreamingResponse

from domain import entries, knowledge, summaries, sync
from domain.sync import Chunk, RowT, Tombstone
from rest_compat import present
from rest_compat.call import Call
from rest_compat.errors import dumps, json_response


async def push_knowledge(call: Call) -> Response:
    """Keep many entries, all or none; `errors` says what was masked before it was stored."""
    data = await call.input(entries.Push)
    services = call.services
    done = await knowledge.push(services.db, call.actor, data, services.indexer)
    notices = [str(notice) for notice in done.notices]
    return json_response({"accepted": done.accepted, "skipped": done.skipped, "errors": notices})


async def push_sessions(call: Call) -> Response:
    """Keep many session summaries, all or none."""
    data = await call.input(summaries.Push)
    done = await summaries.push(call.services.db, call.actor, data)
    return json_response({"accepted": done.accepted, "updated": done.updated, "errors": []})


async def pull_knowledge(call: Call) -> Response:
    """Entries that changed since then, streamed."""
    limit = call.number("limit", sync.PAGE_MAX, 1, sync.PAGE_MAX)
    chunks = await sync.pull_knowledge(
        call.services.db, call.actor, call.query.get("since"), call.team_id(), limit
    )
    return await _streamed("entries", chunks, present.entry)


async def pull_sessions(call: Call) -> Response:
    """Session summaries that changed since then, streamed."""
    limit = call.number("limit", sync.PAGE_MAX, 1, sync.PAGE_MAX)
    chunks = await sync.pull_summaries(
        call.services.db, call.actor, call.query.get("since"), call.team_id(), limit
    )
    return await _streamed("summaries", chunks, present.summary)


async def _streamed(
    name: str,
    chunks: AsyncIterator[Chunk[RowT]],
    shown: Callable[[RowT | Tombstone], dict[str, Any]],
) -> Response:
    """`{name: [...], cursor, hasMore}`, chunk by chunk; the first one may still fail cleanly.

    `resync: true` is added where the cursor was too old and everything came again.
    """
    first = await anext(chunks)

    def rows(chunk: Chunk[RowT]) -> bytes:
        return dumps([shown(row) for row in chunk.rows])[1:-1]

    async def body() -> AsyncIterator[bytes]:
        yield b'{"%s":[' % name.encode() + rows(first)
        last, empty = first, not first.rows
        async for chunk in chunks:
            if chunk.rows:
                yield rows(chunk) if empty else b"," + rows(chunk)
                empty = False
            last = chunk
        resync = {"resync": True} if last.resync else {}
        tail = dumps({"cursor": last.cursor, "hasMore": last.has_more, **resync})
        yield b"]," + tail[1:]

    return StreamingResponse(body(), media_type="application/json")
