"""The ClaudeHistory Cloud API: accounts, knowledge, summaries, teams, community, usage."""

from __future__ import annotations

from starlette.responses import Response

from domain import (
    accounts,
    entries,
    finding,
    invitations,
    keys,
    knowledge,
    memberships,
    patterns,
    summaries,
    teams,
    usage,
)
from domain.errors import Forbidden
from domain.inputs import Input, NonBlank, parse
from rest_compat import present
from rest_compat.call import Call
from rest_compat.errors import json_response
from settings import VERSION


async def health(call: Call) -> Response:
    """Whether the server and its database are well."""
    well = await call.services.db.ping()
    content = {
        "status": "ok" if well else "unavailable",
        "version": VERSION,
        "database": "ok" if well else "unavailable",
    }
    return json_response(content, 200 if well else 503, {} if well else {"Retry-After": "2"})


async def register(call: Call) -> Response:
    """Open an account; the body's marks say which of the two APIs asks."""
    body = await call.json()
    if isinstance(body, dict) and "username" in body and "password" not in body:
        data = parse(accounts.RegisterUsername, body)
        made = await accounts.register_username(call.services, data, call.origin)
        return json_response({"api_key": made.api_key, "username": made.account.username}, 201)
    given = parse(accounts.RegisterEmail, body)
    made = await accounts.register_email(call.services, given, call.origin)
    user = _user(made.account) | {"createdAt": made.account.created_at}
    return json_response({"user": user, "token": made.token, "apiKey": made.api_key}, 201)


async def log_in(call: Call) -> Response:
    """A token for the right password."""
    data = await call.input(accounts.Credentials)
    account, token = await accounts.log_in(call.services, data, call.origin)
    return json_response({"user": _user(account), "token": token})


def _user(account: accounts.Account) -> dict[str, object]:
    return {"id": account.id, "email": account.email, "tier": account.tier}


async def mint_key(call: Call) -> Response:
    """One more API key."""
    minted = await keys.mint(call.services.db, call.actor, keys.NewKey(label="api-key"))
    return json_response({"apiKey": minted.secret})


async def me(call: Call) -> Response:
    """Who the credential belongs to."""
    account = await accounts.me(call.services, call.actor)
    current = await keys.current(call.services.db, call.actor)
    content = {
        **_user(account),
        "username": account.username,
        "createdAt": account.created_at,
        "created_at": account.created_at,
        "apiKey": None,
        "apiKeyPrefix": current.prefix if current else None,
    }
    return json_response(content)


async def create_entry(call: Call) -> Response:
    """Keep one entry of knowledge."""
    data = await call.input(entries.NewEntry)
    entry = await knowledge.create(call.services.db, call.actor, data)
    return json_response({"id": entry.id}, 201)


def _entry_filter(call: Call) -> knowledge.Filter:
    query = call.query
    return knowledge.Filter(call.team_id(), query.get("project") or None, query.get("type") or None)


async def list_entries(call: Call) -> Response:
    """A page of knowledge, newest first."""
    (limit, offset), wanted, db = call.page(), _entry_filter(call), call.services.db
    entries = await knowledge.page(db, call.actor, wanted, limit=limit, offset=offset)
    total = await knowledge.count(db, call.actor, wanted)
    return json_response({"entries": [present.entry(e) for e in entries], "total": total})


async def search_entries(call: Call) -> Response:
    """Knowledge that matches, best first."""
    (limit, offset), wanted = call.page(), _entry_filter(call)
    found, total = await finding.exact_page(
        call.services.db, call.actor, call.query.get("q", ""), wanted, limit=limit, offset=offset
    )
    entries = [present.entry(entry) | {"rank": rank} for entry, rank in found]
    return json_response({"entries": entries, "total": total})


async def get_entry(call: Call) -> Response:
    """One entry."""
    entry = await knowledge.get(call.services.db, call.actor, call.uuid("id"))
    return json_response(present.entry(entry))


async def update_entry(call: Call) -> Response:
    """Change an entry of one's own."""
    data = await call.input(entries.EntryChange)
    await knowledge.update(call.services.db, call.actor, call.uuid("id"), data)
    return json_response({"updated": True})


async def delete_entry(call: Call) -> Response:
    """Delete an entry of one's own."""
    await knowledge.delete(call.services.db, call.actor, call.uuid("id"))
    return json_response({"deleted": True})


async def save_summary(call: Call) -> Response:
    """Keep a session's summary."""
    data = await call.input(summaries.NewSummary)
    session_id = await summaries.save(call.services.db, call.actor, data)
    return json_response({"sessionId": session_id}, 201)


async def list_summaries(call: Call) -> Response:
    """A page of session summaries, last changed first."""
    limit, offset = call.page()
    wanted = summaries.Filter(call.team_id(), call.query.get("project") or None)
    found, total = await summaries.page(
        call.services.db, call.actor, wanted, limit=limit, offset=offset
    )
    return json_response({"summaries": [present.summary(s) for s in found], "total": total})


async def get_summary(call: Call) -> Response:
    """The summary of one session."""
    session_id = call.request.path_params["session_id"]
    return json_response(
        present.summary(await summaries.get(call.services.db, call.actor, session_id))
    )


async def create_team(call: Call) -> Response:
    """Found a team."""
    team = await teams.create(call.services.db, call.actor, await call.input(teams.NewTeam))
    return json_response(present.team(team), 201)


async def list_teams(call: Call) -> Response:
    """One's teams."""
    mine = await teams.mine(call.services.db, call.actor)
    return json_response({"teams": [present.team(team) for team in mine]})


async def invite(call: Call) -> Response:
    """Let somebody into a team."""
    data = await call.input(invitations.Invite)
    invited = await invitations.invite(
        call.services.db, call.actor, call.uuid("id"), data, outsider=Forbidden
    )
    if invited.account_id is not None:
        return json_response({"added": True, "userId": invited.account_id}, 201)
    url = f"{call.base_url}/invite/{invited.token}"
    content = {"invited": True, "inviteUrl": url, "expiresAt": invited.expires_at}
    return json_response(content, 202)


class _Token(Input):
    token: NonBlank


async def accept_invitation(call: Call) -> Response:
    """Join the team that an invitation link leads to."""
    data = await call.input(_Token)
    team_id = await invitations.accept(call.services.db, call.actor, data.token)
    return json_response({"joined": True, "teamId": team_id})


async def list_members(call: Call) -> Response:
    """A team's members."""
    found = await teams.members(call.services.db, call.actor, call.uuid("id"), outsider=Forbidden)
    return json_response({"members": [present.member(member) for member in found]})


async def remove_member(call: Call) -> Response:
    """End a membership."""
    await memberships.remove(
        call.services.db, call.actor, call.uuid("id"), call.uuid("user_id"), outsider=Forbidden
    )
    return json_response({"removed": True})


async def contribute(call: Call) -> Response:
    """Take part in community patterns."""
    body = await call.json()
    claimed = call.request.headers.get("x-contributor-hash")
    if isinstance(body, dict) and claimed and "contributorHash" not in body:
        body = {**body, "contributorHash": claimed}
    data = parse(patterns.Contribution, body)
    done = await patterns.contribute(call.services, call.caller, data)
    content = {
        "accepted": done.accepted,
        "merged": done.merged,
        "rejected": len(done.refused),
        "errors": [{"index": r.index, "error": r.reason} for r in done.refused],
    }
    return json_response(content)


async def list_patterns(call: Call) -> Response:
    """Community patterns, or with `q` the ones that match."""
    (limit, offset), query = call.page(), call.query
    tags = tuple(t.strip().casefold() for t in query.get("tags", "").split(",") if t.strip())
    searching = call.request.url.path.endswith("/search")
    wanted = patterns.Filter(
        query.get("category") or None,
        query.get("platform") or None,
        tags,
        query.get("q", "") if searching else None,
    )
    found, total = await patterns.page(call.services, wanted, limit=limit, offset=offset)
    shown = [present.pattern(p) for p in found]
    return json_response({"patterns": shown, "total": total, "offset": offset, "limit": limit})


async def pattern_statistics(call: Call) -> Response:
    """The community in numbers."""
    numbers = await patterns.statistics(call.services)
    content = {
        "totalPatterns": numbers.patterns,
        "totalContributors": numbers.contributors,
        "topCategories": [{"category": c, "count": n} for c, n in numbers.top_categories],
        "lastUpdated": numbers.last_seen,
    }
    return json_response(content)


async def show_usage(call: Call) -> Response:
    """What the account keeps here, and what it may."""
    used = await usage.of(call.services, call.actor)
    content = {
        "knowledgeEntries": used.knowledge_entries,
        "sessionSummaries": used.session_summaries,
        "syncActions": used.sync_actions,
        "tier": used.tier,
        "limits": used.limits,
    }
    return json_response(content)
