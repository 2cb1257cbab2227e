"""The whole REST surface of both legacy APIs, in one list."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from rest_compat import bundle, cloud, download, export, files, manifest, registry, sync, tails
from rest_compat.call import Call
from rest_compat.endpoint import Access, endpoint

SIGNED_IN, ANYBODY, MAYBE = Access.SIGNED_IN, Access.ANYBODY, Access.MAYBE


async def list_sessions(call: Call) -> Response:
    """Both APIs list sessions here; each caller gets its own kind of answer."""
    if call.api == "registry":
        return await registry.list_sessions(call)
    return await cloud.list_summaries(call)


async def post_session(call: Call) -> Response:
    """Both APIs post sessions here; the spelling of the id tells where headers do not."""
    body: Any = await call.json()
    fields = body if isinstance(body, dict) else {}
    as_registry = (call.api == "registry" and "sessionId" not in fields) or "session_id" in fields
    return await (registry.create_session if as_registry else cloud.save_summary)(call)


async def get_session(call: Call) -> Response:
    """One session: its summary for the Cloud API, its registry row for the Registry."""
    if call.api == "registry":
        return await registry.get_session(call)
    return await cloud.get_summary(call)


ROUTES: list[BaseRoute] = [
    endpoint("GET", "/health", cloud.health, Access.PROBE),
    endpoint("GET", "/ready", cloud.health, Access.PROBE),
    # Accounts, shared by both APIs
    endpoint("POST", "/api/auth/register", cloud.register, ANYBODY),
    endpoint("POST", "/api/auth/login", cloud.log_in, ANYBODY),
    endpoint("POST", "/api/auth/api-key", cloud.mint_key, SIGNED_IN),
    endpoint("GET", "/api/auth/me", cloud.me, SIGNED_IN),
    endpoint("GET", "/api/account/export", bundle.get_account, SIGNED_IN),
    # Knowledge
    endpoint("POST", "/api/knowledge", cloud.create_entry, SIGNED_IN),
    endpoint("GET", "/api/knowledge", cloud.list_entries, SIGNED_IN),
    endpoint("GET", "/api/knowledge/search", cloud.search_entries, SIGNED_IN),
    endpoint("GET", "/api/knowledge/{id}", cloud.get_entry, SIGNED_IN),
    endpoint("PATCH", "/api/knowledge/{id}", cloud.update_entry, SIGNED_IN),
    endpoint("DELETE", "/api/knowledge/{id}", cloud.delete_entry, SIGNED_IN),
    # Teams
    endpoint("POST", "/api/teams", cloud.create_team, SIGNED_IN),
    endpoint("GET", "/api/teams", cloud.list_teams, SIGNED_IN),
    endpoint("POST", "/api/teams/{id}/invite", cloud.invite, SIGNED_IN),
    endpoint("GET", "/api/teams/{id}/members", cloud.list_members, SIGNED_IN),
    endpoint("DELETE", "/api/teams/{id}/members/{user_id}", cloud.remove_member, SIGNED_IN),
    endpoint("POST", "/api/invitations/accept", cloud.accept_invitation, SIGNED_IN),
    # Sync of the MCP client
    endpoint("POST", "/api/sync/push/knowledge", sync.push_knowledge, SIGNED_IN),
    endpoint("POST", "/api/sync/push/sessions", sync.push_sessions, SIGNED_IN),
    endpoint("GET", "/api/sync/pull/knowledge", sync.pull_knowledge, SIGNED_IN),
    endpoint("GET", "/api/sync/pull/sessions", sync.pull_sessions, SIGNED_IN),
    # Community and usage
    endpoint("POST", "/api/federation/contribute", cloud.contribute, MAYBE),
    endpoint("GET", "/api/federation/patterns", cloud.list_patterns, ANYBODY),
    endpoint("GET", "/api/federation/patterns/search", cloud.list_patterns, ANYBODY),
    endpoint("GET", "/api/federation/stats", cloud.pattern_statistics, ANYBODY),
    endpoint("GET", "/api/usage", cloud.show_usage, SIGNED_IN),
    # Sessions, shared by both APIs
    endpoint("GET", "/api/sessions", list_sessions, SIGNED_IN),
    endpoint("POST", "/api/sessions", post_session, SIGNED_IN),
    # Registry
    endpoint("POST", "/api/sessions/sync", registry.sync, SIGNED_IN),
    endpoint(
        "GET", "/api/sessions/conversation/{session_id}", download.get_conversation, SIGNED_IN
    ),
    endpoint(
        "PUT", "/api/sessions/conversation/{session_id}", registry.put_conversation, SIGNED_IN
    ),
    endpoint(
        "PATCH", "/api/sessions/conversation/{session_id}", registry.append_conversation, SIGNED_IN
    ),
    endpoint(
        "GET",
        "/api/sessions/conversation/{session_id}/versions",
        download.list_versions,
        SIGNED_IN,
    ),
    endpoint("GET", "/api/sessions/export/obsidian", registry.export_obsidian, SIGNED_IN),
    endpoint("GET", "/api/bundle", bundle.get_bundle, SIGNED_IN),
    endpoint("GET", "/api/sessions/{session_id}/bundle", bundle.get_session_bundle, SIGNED_IN),
    endpoint("POST", "/api/tails", tails.append_all, SIGNED_IN),
    endpoint("GET", "/api/manifest", manifest.get_manifest, SIGNED_IN),
    endpoint("GET", "/api/sessions/{session_id}/files", files.list_files, SIGNED_IN),
    endpoint("GET", "/api/sessions/{session_id}/files/{path:path}", files.get_file, SIGNED_IN),
    endpoint("PUT", "/api/sessions/{session_id}/files/{path:path}", files.put_file, SIGNED_IN),
    endpoint("PATCH", "/api/sessions/{session_id}/files/{path:path}", files.append_file, SIGNED_IN),
    endpoint(
        "DELETE", "/api/sessions/{session_id}/files/{path:path}", files.delete_file, SIGNED_IN
    ),
    endpoint("GET", "/api/sessions/{session_id}/export", export.export, SIGNED_IN),
    endpoint("GET", "/api/sessions/{session_id}", get_session, SIGNED_IN),
    endpoint("PUT", "/api/sessions/{session_id}", registry.update_session, SIGNED_IN),
    endpoint("DELETE", "/api/sessions/{session_id}", registry.delete_session, SIGNED_IN),
]
