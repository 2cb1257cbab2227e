"""The benchmark asks for what there is, and its world is what the API shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema, parse, validate

from bench import report
from bench.contestants import CONTESTANTS, OURS, PEERS
from bench.load import Load
from bench.rounds import Cell, Unequal, _check
from bench.seeding import seed
from bench.shapes import DOCUMENTS, JWT_SECRET, SHAPES, Question, token
from bench.world import World, uuid_of
from graph.schema import ids
from settings import Settings
from tests.conftest import Serve

ROOT = Path(__file__).parents[2]
WORLD = World(people=12, teams=3, entries=240, sessions=24, teams_each=2)


def test_documents_are_valid() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text("utf-8"))
    documents = sorted(DOCUMENTS.glob("*.graphql"))
    assert len(documents) == 5
    for path in documents:
        assert validate(schema, parse(path.read_text("utf-8"))) == [], path.name


def test_every_peer_has_its_script_and_a_lock_without_addresses() -> None:
    scripts = {contestant.peer for contestant in CONTESTANTS} - {""}
    assert all((PEERS / script).is_file() for script in scripts)
    lock = (PEERS / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    wanted = json.loads((PEERS / "package.json").read_text("utf-8"))["dependencies"]
    packages = json.loads(lock)["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def _visible(person: int, team: int) -> list[int]:
    return [number for number, _author, of in WORLD.entries_by() if of == team]


def _data(shape: str, question: Question) -> dict[str, Any]:
    """What the world says to a question."""
    if shape == "entry":
        (number,) = (
            n
            for n in range(WORLD.entries)
            if ids.encode("KnowledgeEntry", uuid_of("entry", n)) == question.variables["id"]
        )
        return {"summary": WORLD.entry(number)["summary"]}
    if shape.startswith("page"):
        (team,) = (
            t
            for t in range(WORLD.teams)
            if ids.encode("Team", uuid_of("team", t)) == question.variables["team"]
        )
        shown = sorted(_visible(question.person, team), reverse=True)[: question.variables["first"]]
        return {
            "name": WORLD.team_name(team),
            "summaries": [WORLD.entry(n)["summary"] for n in shown],
            "authors": [WORLD.email(WORLD.author_of(n)) for n in shown],
        }
    if shape == "nested":
        return {
            WORLD.team_name(team): (
                [WORLD.email(m.person) for m in WORLD.memberships if m.team == team][:10],
                [WORLD.entry(n)["summary"] for n in reversed(_visible(question.person, team))][:5],
            )
            for team in WORLD.teams_of(question.person)
        }
    mine = range(question.person, WORLD.sessions, WORLD.people)
    return {"names": [WORLD.session(n)["name"] for n in reversed(mine)]}


def _shown(shape: str, data: dict[str, Any]) -> dict[str, Any]:
    """The same out of an answer."""
    if shape == "entry":
        return {"summary": data["node"]["summary"]}
    if shape.startswith("page"):
        nodes = data["team"]["knowledge"]["nodes"]
        return {
            "name": data["team"]["name"],
            "summaries": [node["summary"] for node in nodes],
            "authors": [node["author"]["email"] for node in nodes],
        }
    if shape == "nested":
        return {
            team["name"]: (
                [member["user"]["email"] for member in team["members"]["nodes"]],
                [node["summary"] for node in team["knowledge"]["nodes"]],
            )
            for team in data["teams"]
        }
    return {"names": [node["name"] for node in data["viewer"]["sessions"]["nodes"]]}


async def test_the_api_shows_what_was_seeded_and_goes_on_from_there(
    serve: Serve, settings: Settings
) -> None:
    assert settings.database_url
    await seed(settings.database_url, WORLD)
    server = await serve(settings.model_copy(update={"jwt_secret": JWT_SECRET}))
    for shape in SHAPES:
        for question in shape.questions(WORLD, 5):
            headers = {"Authorization": f"Bearer {token(question.person)}"}
            content = {**headers, "Content-Type": "application/json"}
            answer = await server.client.post(
                "/graphql", content=shape.body(question), headers=content
            )
            assert _shown(shape.name, answer.json()["data"]) == _data(shape.name, question)
    await _goes_on(server.client)


async def _goes_on(client: httpx.AsyncClient) -> None:
    """A pull finds all there is, a push comes behind it, and the words of both are found."""
    team = WORLD.teams_of(0)[0]
    headers = {"Authorization": f"Bearer {token(0)}"}
    pull = f"/api/sync/pull/knowledge?teamId={uuid_of('team', team)}&since="
    before = (await client.get(pull, headers=headers)).json()
    theirs = {n for n, author, of in WORLD.entries_by() if author == 0 or of == team}
    assert {e["id"] for e in before["entries"]} == {str(uuid_of("entry", n)) for n in theirs}
    entry = {"type": "fact", "timestamp": 1, "summary": "Pushed behind all others"}
    push = {"entries": [entry], "teamId": str(uuid_of("team", team))}
    await client.post("/api/sync/push/knowledge", json=push, headers=headers)
    after = (await client.get(pull + before["cursor"], headers=headers)).json()
    assert [found["summary"] for found in after["entries"]] == [entry["summary"]]
    again = f"/api/knowledge/search?q=number+{max(theirs)}&teamId={uuid_of('team', team)}"
    found = (await client.get(again, headers=headers)).json()
    assert str(uuid_of("entry", max(theirs))) in json.dumps(found)


def test_unequal_answers_end_the_benchmark() -> None:
    cursor = {"data": {"endCursor": "a"}}
    other = {"data": {"endCursor": "b"}}
    bodies = {name: json.dumps(cursor).encode() for name in ("teamlore", "apollo")}
    _check(SHAPES[0], bodies)
    _check(SHAPES[0], {**bodies, "postgraphile": json.dumps(other).encode()})
    with pytest.raises(Unequal):
        _check(SHAPES[0], {**bodies, "yoga": json.dumps(other).encode()})
    with pytest.raises(Unequal):
        _check(SHAPES[0], {"teamlore": b'{"errors": []}'})


def test_the_page_says_where_a_line_falls_short(tmp_path: Path) -> None:
    cells = {}
    for name, rate, took in ((OURS.name, 300, 1.0), ("mercurius", 100, 2.0), ("floor", 400, 0.5)):
        for shape in SHAPES:
            slow = name == OURS.name and shape.name == "nested"
            load = Load(1.0, [took] * (50 if slow else rate))
            cells[name, shape.name, 4] = Cell(name, shape.name, 4, [load], [1.0], [1.0])
    findings = report.Findings(WORLD, (4,), cells=cells)
    text = report.write(findings, tmp_path).read_text()
    assert "| Point read: at least twice Mercurius | yes: 3.0 times |" in text
    assert "| Point reads: at least 70% of the floor | yes: 75% |" in text
    assert (
        "ahead of every peer in throughput and p99 | no: behind Mercurius 16 (JIT) at 4 |" in text
    )
    assert (tmp_path / "performance" / "reads.svg").read_text().startswith("<svg")
