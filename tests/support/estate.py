"""An account that has used everything there is, with one word planted in all that it wrote."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from tests.graph.client import REGISTER, Caller, newcomer
from tests.graph.test_conversations import upload
from tests.graph.test_patterns import offer, pattern
from tests.support.library import said
from tests.support.server import RunningServer

WORD = "canary7f3a"
PASSWORD = "long enough"


@dataclass(frozen=True)
class Estate:
    """The account, a team of a mate's that it is in, and what it gave to that team."""

    owner: Caller
    mate: Caller
    team_id: str
    session: str
    """The session's global id; its own is `WORD`."""
    given: str
    """An entry of the team's by the account, without the word."""


async def estate(server: RunningServer) -> Estate:
    """Everything that an account can leave behind."""
    mate = await newcomer(server)
    team_id = await mate.found_team("The mate's")
    email = f"Ada.{WORD}@example.org"
    await mate.do("inviteToTeam", {"teamId": team_id, "email": email}, "expiresAt")
    data = await Caller(server).ask(REGISTER, input={"email": email, "password": PASSWORD})
    made = data["register"]
    owner = Caller(server, made["viewer"]["id"], email, made["token"], made["apiKey"])
    await mate.do("inviteToTeam", {"teamId": team_id, "email": email}, "memberId")
    server.client.headers["user-agent"] = f"{WORD}/1.0"
    await Caller(server).do("logIn", {"email": email, "password": "a guess or so"}, "token")
    await Caller(server).do("logIn", {"email": email, "password": PASSWORD}, "token")
    await owner.do("createApiKey", {"label": f"{WORD} laptop"}, "secret")
    await owner.found_team(f"Only {WORD}")
    given = await _knowledge(owner, team_id)
    session = await _sessions(owner, team_id)
    await offer(owner, pattern(f"Brew the tea of {WORD} for four minutes", tags=[WORD]))
    await server.client.get("/api/auth/me", headers={"x-api-key": str(owner.api_key)})
    del server.client.headers["user-agent"]
    return Estate(owner, mate, team_id, session, given)


async def _knowledge(owner: Caller, team_id: str) -> str:
    fields: dict[str, Any] = {
        "details": f"The long version of {WORD}",
        "project": WORD,
        "tags": [WORD],
        "relatedFiles": [f"src/{WORD}.py"],
        "sessionId": WORD,
    }
    own = await owner.write(f"Private {WORD}", **fields)
    await owner.do("starKnowledge", {"id": own}, "entry { id }")
    await owner.do("deleteKnowledge", {"id": await owner.write(f"Old {WORD}")}, "deletedId")
    regretted = await owner.write(f"Regretted {WORD}", team_id, **fields)
    await owner.do("deleteKnowledge", {"id": regretted}, "deletedId")
    summary = {"sessionId": f"{WORD}-2", "summary": {"goal": WORD}, "project": WORD}
    await owner.do("saveSessionSummary", summary, "summary { id }")
    return await owner.write("What the team learned", team_id)


async def _sessions(owner: Caller, team_id: str) -> str:
    session = await upload(owner, WORD, said(f"First {WORD}", "u1", cwd=f"/home/{WORD}/tea"))
    await upload(owner, WORD, said(f"Second {WORD}", "u2", cwd=f"/home/{WORD}/tea"))
    address = f"/api/sessions/{WORD}/files/subagents/agent-{WORD}.jsonl"
    await owner.server.client.put(
        address, content=f'{{"type":"user","{WORD}":1}}\n'.encode(), headers=owner.headers
    )
    change = {"id": session, "name": f"{WORD} name", "tags": [WORD], "notes": f"{WORD} notes"}
    await owner.do("updateSession", change, "session { id }")
    shared = {"id": session, "teamId": team_id, "note": f"{WORD} note", "show": ["TITLE"]}
    done = await owner.do("shareSession", shared, "sharedSession { id }")
    assert done["__typename"] == "ShareSessionPayload", done
    return session


def by_key(caller: Caller) -> Caller:
    """The same person with its first API key in place of the token."""
    return replace(caller, token=caller.api_key)


async def tables_with(server: RunningServer, *words: str) -> dict[str, int]:
    """How many rows of each table hold one of the words anywhere, also as bytes."""
    needles = [*words, *(word.encode().hex() for word in words)]
    connection = await asyncpg.connect(server.settings.database_url)
    try:
        names = await connection.fetch(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE relkind IN ('r', 'p') AND nspname = 'public'"
        )
        found = {}
        for (name,) in names:
            found[name] = await connection.fetchval(
                f'SELECT count(*) FROM "{name}" t WHERE EXISTS (SELECT FROM unnest($1::text[]) w '
                "WHERE strpos(lower(to_jsonb(t)::text), lower(w)) > 0)",
                needles,
            )
        return {name: count for name, count in found.items() if count}
    finally:
        await connection.close()
