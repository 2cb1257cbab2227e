"""What is stored of an encrypted team, and what the server logs, has none of its words."""

from __future__ import annotations

import asyncio
import base64
from random import Random
from typing import Any

import asyncpg
import httpx
import pytest

from db.embedded.binaries import programs_for
from db.embedded.identity import Identity
from graph.schema import ids
from settings import Settings
from teamlore_e2e import Entry
from tests.conftest import ServeProcess
from tests.graph.client import Caller, Json
from tests.support.members import encrypted_team
from tests.support.server import RunningServer

PLANTED = 100
LETTERS = ("abcdefghijklmnopqrstuvwxyz", "абвгдежзиклмнопрст", "αβγδεζηθικλμνξοπ")


def planted(random: Random) -> list[str]:
    """Words that are found nowhere by chance, of several scripts."""
    return ["".join(random.choices(random.choice(LETTERS), k=16)) for _ in range(PLANTED)]


def forms(text: str) -> list[str]:
    """How a text could stand in a dump: as it is, as hexadecimal bytes, as base64."""
    data = text.encode()
    encoded = [base64.b64encode(b"x" * n + data).decode()[4:-4] for n in range(3)]
    return [text, data.hex(), *(e.casefold() for e in encoded)]


async def dump_of(dsn: str) -> str:
    """All that `pg_dump` writes, in lower case."""
    command = [str(programs_for(Identity()) / "pg_dump"), "--no-owner", "--dbname", dsn]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _none = await process.communicate()
    assert process.returncode == 0
    return out.decode().casefold()


async def try_in_plaintext(who: Caller, team_id: str, words: list[str]) -> None:
    """Send words in every way that an unencrypted team takes them; each is refused by its field."""
    team, client = ids.encode("Team", ids.decode("Team", team_id)), who.server.client
    entry = {"type": "decision", "timestamp": 1, "summary": words[0], "details": words[1]}
    private = await who.write("Private until it is shared")
    await client.put("/api/sessions/conversation/s1", content=b"{}", headers=who.headers)
    session = (await who.ask('{ session(sessionId: "s1") { id } }'))["session"]["id"]
    summary = {"sessionId": "s1", "summary": {"goal": words[2]}}
    mutations: list[tuple[str, Json, str]] = [
        ("createKnowledge", {**entry, "teamId": team}, "entry { id }"),
        ("pushKnowledge", {"entries": [entry], "teamId": team}, "accepted"),
        ("moveKnowledge", {"id": private, "teamId": team}, "entry { id }"),
        ("saveSessionSummary", {**summary, "teamId": team}, "summary { id }"),
        (
            "shareSession",
            {"id": session, "teamId": team, "title": words[3], "note": words[4]},
            "sharedSession { id }",
        ),
    ]
    for name, given, fields in mutations:
        result = await who.do(name, given, fields)
        assert result["__typename"] == "InvalidInput", (name, result)
        (problem,) = result["problems"]
        assert problem["path"] == ["teamId"]
        assert "end-to-end encryption" in problem["message"]
    bodies: list[tuple[str, Any]] = [
        ("/api/knowledge", entry),
        ("/api/sync/push/knowledge", {"entries": [entry]}),
        ("/api/sessions", summary),
        ("/api/sync/push/sessions", {"summaries": [summary]}),
    ]
    for path, body in bodies:
        given = body | {"teamId": str(ids.decode("Team", team_id))}
        answer = await client.post(path, json=given, headers=who.headers)
        assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, ["teamId"]), path


@pytest.fixture
async def away(serve_process: ServeProcess, settings: Settings) -> Any:
    """The server as a process, so that its log is a file."""
    process = serve_process()
    async with httpx.AsyncClient(base_url=process.url, timeout=30) as client:
        yield process, RunningServer(process.url, settings, client)


async def test_a_dump_has_none_of_100_planted_plaintexts(away: Any, database_url: str) -> None:
    process, server = away
    words = planted(Random(5))
    owner, member = await encrypted_team(server, searchable=True)
    entries: list[Entry] = []
    for start in range(0, 80, 10):
        a, b, c, d, *rest = words[start : start + 10]
        fields = {"summary": a, "details": f"{b} {c}", "tags": [d], "relatedFiles": rest}
        entries.append(await (owner if start % 20 else member).team.write(fields))
    await member.team.write({"summary": words[80]}, replaces=entries[0])
    await owner.team.delete(entries[1])
    for start in (81, 86, 91):
        await try_in_plaintext(member.caller, owner.team.id, words[start : start + 5])
    await owner.caller.ask("query ($q: String!) { searchKnowledge(query: $q) { totalCount } }",
                           q="queue")  # fmt: skip
    assert len([e async for e in owner.team.search(words[20])]) == 1
    member.caller.server.client.cookies.clear()
    dump = await dump_of(database_url)
    process.terminate()
    log = process.output().casefold()
    assert owner.team.id in dump
    assert "private until it is shared" in dump  # what is found is found
    for place, word in enumerate(words):
        for form in forms(word):
            assert form not in dump, (place, word)
            assert form not in log, (place, word)


async def test_pulls_and_lists_of_an_encrypted_team_leave_its_entries_out(
    server: RunningServer,
) -> None:
    owner, member = await encrypted_team(server)
    await owner.team.write({"summary": "Sealed"})
    mine = await member.caller.write("Mine, in private")
    team = owner.team.id
    for path, name in (
        (f"/api/sync/pull/knowledge?since=0&teamId={team}", "entries"),
        (f"/api/knowledge?teamId={team}", "entries"),
        (f"/api/knowledge/search?q=mine&teamId={team}", "entries"),
    ):
        answer = await server.client.get(path, headers=member.caller.headers)
        assert answer.status_code == 200
        listed = [
            ids.encode("KnowledgeEntry", entry["id"]) for entry in _uuids(answer.json()[name])
        ]
        assert listed == [mine], path
    for path, name in (
        (f"/api/sync/pull/sessions?since=0&teamId={team}", "summaries"),
        (f"/api/sessions?teamId={team}", "summaries"),
    ):
        answer = await server.client.get(path, headers=member.caller.headers)
        assert answer.json()[name] == []
    query = """query ($team: ID!) { team(id: $team) {
      knowledge { totalCount } sharedSessions { totalCount }
      sealedEntries { totalCount nodes { id } }
    } viewer { usage { knowledgeEntries } } }"""
    data = await owner.caller.ask(query, team=ids.encode("Team", ids.decode("Team", team)))
    assert data["team"]["knowledge"]["totalCount"] == 0
    assert data["team"]["sharedSessions"]["totalCount"] == 0
    assert data["team"]["sealedEntries"]["totalCount"] == 1
    assert data["viewer"]["usage"]["knowledgeEntries"] == 1
    entry = data["team"]["sealedEntries"]["nodes"][0]["id"]
    for name in ("pinKnowledge", "starKnowledge", "tagKnowledge", "restoreKnowledge"):
        assert (await owner.caller.do(name, {"id": entry}, "__typename"))["__typename"] in {
            "InvalidInput",
            "NotFound",
        }


def _uuids(entries: list[Json]) -> list[Json]:
    from uuid import UUID

    return [{**entry, "id": UUID(entry["id"])} for entry in entries]


@pytest.mark.parametrize("table", ["knowledge", "summaries", "session_shares"])
async def test_the_database_itself_refuses_plaintext_of_an_encrypted_team(
    server: RunningServer, table: str
) -> None:
    (owner,) = await encrypted_team(server, ())
    columns = {
        "knowledge": "type, timestamp, summary, sameness, author_id, created_at, updated_at",
        "summaries": "session_id, summary, author_id, created_at, updated_at",
        "session_shares": "owner_id, session, shown, shared_at",
    }[table]
    values = {
        "knowledge": "'decision', 1, 'Words', 'x', gen_random_uuid(), now(), now()",
        "summaries": "'s', '{}', gen_random_uuid(), now(), now()",
        "session_shares": "gen_random_uuid(), gen_random_uuid(), '{}', now()",
    }[table]
    connection = await asyncpg.connect(server.settings.database_url)
    try:
        with pytest.raises(asyncpg.CheckViolationError, match="takes no plaintext"):
            await connection.execute(
                f"INSERT INTO {table} (scope_id, id, version, {columns}) "
                f"VALUES ($1, gen_random_uuid(), 1, {values})",
                owner.team.id,
            )
    finally:
        await connection.close()
