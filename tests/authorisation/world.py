"""A small world for the matrix: people, two teams, and in every text a word that says whose it is.

Each word is made of letters alone, so that searches find it, and begins with "zq". `Person.may_see`
is the list of words that may appear in what this person is sent, whatever it asks.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.tokens import Tokens
from graph.schema import ids
from tests.graph.client import REGISTER, Caller
from tests.support.library import said, transcript
from tests.support.server import RunningServer

ROLES = {"viewer": "VIEWER", "member": "MEMBER", "admin": "ADMIN", "mate": "MEMBER"}
KEYED = ("revoked key", "read-only key", "expired token")
ACTORS = (
    "anonymous",
    "stranger",
    "former member",
    "viewer",
    "member",
    "admin",
    "owner",
    "other team's owner",
    *KEYED,
)
TARGETS = ("own", "team", "foreign", "absent")
COMMON = "walrus"
"""A word that is in everything, so that a search for it would find everything."""
PASSWORD = "long enough"
Things = dict[str, str]


def word(owner: str, part: str) -> str:
    """The word of one part of what somebody wrote."""
    return "zq" + "".join(c for c in f"{owner}{part}".lower() if c.isalpha())


@dataclass
class Person:
    """An account, its credentials, and what of its own can be named in a request."""

    name: str
    caller: Caller
    role: str | None = None
    """Its role in the team."""
    headers: dict[str, str] = field(default_factory=dict)
    key_headers: dict[str, str] = field(default_factory=dict)
    things: Things = field(default_factory=dict)
    may_see: set[str] = field(default_factory=set)

    @property
    def account_id(self) -> UUID:
        """Its id as the database has it."""
        return ids.decode("User", self.caller.id)


@dataclass
class World:
    """Everybody, by name, and what there is to ask for."""

    server: RunningServer
    people: dict[str, Person] = field(default_factory=dict)
    team: Things = field(default_factory=dict)
    absent: Things = field(default_factory=dict)

    @property
    def words(self) -> set[str]:
        """All that were planted."""
        names = [*(p.name for p in self.people.values() if p.name not in KEYED), "t", "keyed"]
        parts = ("private", "profile", "team", "invited")
        return {word(name, part) for name in names for part in parts}

    def things(self, actor: str, target: str) -> Things:
        """What the actor asks for in a column of the matrix."""
        if target == "own":
            return self.absent if actor == "anonymous" else self.people[actor].things
        foreign = self.people["hermit"].things
        return {"team": self.team, "foreign": foreign, "absent": self.absent}[target]


async def build(server: RunningServer, actors: tuple[str, ...] = ACTORS) -> World:
    """A world with these actors; `mate`, `guest`, `hermit` and the owner are always there."""
    world = World(server)
    named = dict.fromkeys([*(a for a in actors if a not in {"anonymous", *KEYED}), "owner"])
    if set(actors) & set(KEYED):
        named["keyed"] = None
    names = [*named, "mate", "hermit", "guest"]
    made = await asyncio.gather(*(_register(server, name) for name in names))
    world.people = {person.name: person for person in made}
    guest = world.people["guest"]
    await asyncio.gather(*(_furnish(p, guest) for p in made if p is not guest))
    guest.things = dict(world.people["mate"].things)
    await _team(world)
    await _keys(world, actors)
    world.people["anonymous"] = Person("anonymous", Caller(server))
    world.absent = _absent(world.team)
    return world


async def _register(server: RunningServer, name: str) -> Person:
    email = f"{word(name, 'profile')}.{uuid4().hex[:6]}@example.org".lower()
    made = (await Caller(server).ask(REGISTER, input={"email": email, "password": PASSWORD}))[
        "register"
    ]
    caller = Caller(server, made["viewer"]["id"], email, made["token"], made["apiKey"])
    person = Person(name, caller, None, caller.headers, {"X-API-Key": made["apiKey"]})
    person.may_see = {word(name, "private"), word(name, "profile"), word(name, "team")}
    return person


async def _furnish(person: Person, guest: Person) -> None:
    """Something of every kind: in private, and in a team of its own with a guest."""
    mine, profile = word(person.name, "private"), word(person.name, "team")
    caller, things = person.caller, person.things
    things["user"] = str(person.account_id)
    made = await caller.do("createTeam", {"name": f"{profile} {COMMON}"}, "team { id }")
    things["team"] = _uuid("Team", made["team"]["id"])
    await caller.do(
        "inviteToTeam", {"teamId": things["team"], "email": guest.caller.email}, "memberId"
    )
    things["member"] = str(guest.account_id)
    guest.may_see |= {profile, word(person.name, "profile")}
    person.may_see.add(word("guest", "profile"))
    await _contents(caller, things, mine, None)
    await _shared(caller, things, profile, things["team"])
    key = await caller.do("createApiKey", {"label": f"{mine} {COMMON}"}, "apiKey { id } secret")
    things["key"] = _uuid("ApiKey", key["apiKey"]["id"])


async def _contents(caller: Caller, things: Things, mark: str, team: str | None) -> None:
    """Two entries, one of them deleted, and a summary; with a mark in every text."""
    for name in ("entry", "deleted"):
        text = f"{mark} {COMMON} {name}"
        given = {
            "type": "decision",
            "timestamp": 1_700_000_000_000,
            "summary": text,
            "details": text,
            "project": text,
            "sessionId": text,
            "tags": [mark, COMMON],
            "relatedFiles": [f"src/{mark}.py"],
            **({"teamId": team} if team else {}),
        }
        entry = await caller.do("createKnowledge", given, "entry { id }")
        things[name] = _uuid("KnowledgeEntry", entry["entry"]["id"])
    await caller.do("deleteKnowledge", {"id": things["deleted"]}, "deletedId")
    things["summarised"] = f"{mark}-summary"
    given = {
        "sessionId": things["summarised"],
        "project": mark,
        "summary": {"topics": f"{mark} {COMMON}"},
        **({"teamId": team} if team else {}),
    }
    saved = await caller.do("saveSessionSummary", given, "summary { id }")
    things["summary"] = _uuid("SessionSummary", saved["summary"]["id"])


async def _shared(caller: Caller, things: Things, mark: str, team: str) -> None:
    """A session with a file, whose conversation is shown to the team, and an open invitation."""
    mine = word(_name(caller), "private")
    things["sid"] = str(uuid4())
    url = f"/api/sessions/conversation/{things['sid']}"
    client = caller.server.client
    body = transcript(said(f"{mark} {COMMON}", "u1"), said(f"{mark} {COMMON} again", "u2"))
    sent = await client.put(url, content=body, headers=caller.headers)
    assert sent.status_code in {200, 201}, sent.text
    session = await caller.ask(
        "query ($s: String) { session(sessionId: $s) { id } }", s=things["sid"]
    )
    things["session"] = _uuid("Session", session["session"]["id"])
    about = {"id": things["session"], "name": mine, "project": mine, "tags": [mine], "notes": mine}
    await caller.do("updateSession", about, "session { id }")
    file = f"/api/sessions/{things['sid']}/files/subagents/one.jsonl"
    hidden = transcript(said(f"{mine} {COMMON}", "u1"))
    await client.put(file, content=hidden, headers=caller.headers)
    given = {"id": things["session"], "teamId": team, "title": mark, "note": mark}
    shown = {**given, "show": ["CONVERSATION", "TIMES"]}
    made = await caller.do("shareSession", shown, "sharedSession { id }")
    things["share"] = _uuid("SharedSession", made["sharedSession"]["id"])
    email = f"{word(_name(caller), 'team')}.{uuid4().hex[:8]}@example.org"
    invited = await caller.do("inviteToTeam", {"teamId": team, "email": email}, "invitationToken")
    if "invitationToken" in invited:
        things["token"] = invited["invitationToken"]
        things["invitation"] = await _invitation(caller, team)


async def _invitation(caller: Caller, team: str) -> str:
    query = "query ($t: ID!) { team(id: $t) { invitations { nodes { id } } } }"
    nodes = (await caller.ask(query, t=team))["team"]["invitations"]["nodes"]
    return _uuid("Invitation", nodes[-1]["id"])


def _name(caller: Caller) -> str:
    """The part of the word in somebody's address that is a name."""
    return caller.email.split(".")[0][2:].removesuffix("profile")


async def _team(world: World) -> None:
    """The team that the actors differ in, with what `mate` has put there."""
    owner, mate, things = world.people["owner"], world.people["mate"], world.team
    made = await owner.caller.do("createTeam", {"name": f"{word('t', 'team')}"}, "team { id }")
    things["team"] = _uuid("Team", made["team"]["id"])
    roles = {**ROLES, "former member": "MEMBER", "keyed": "MEMBER"}
    for name, role in roles.items():
        if name in world.people:
            email = world.people[name].caller.email
            given = {"teamId": things["team"], "email": email, "role": role}
            await owner.caller.do("inviteToTeam", given, "memberId")
    things |= {"user": str(mate.account_id), "member": str(mate.account_id)}
    await _contents(mate.caller, things, word("t", "team"), things["team"])
    await _shared(mate.caller, things, word("t", "team"), things["team"])
    email = f"{word('t', 'invited')}.{uuid4().hex[:8]}@example.org"
    given = {"teamId": things["team"], "email": email}
    things["token"] = (await owner.caller.do("inviteToTeam", given, "invitationToken"))[
        "invitationToken"
    ]
    things["invitation"] = await _invitation(owner.caller, things["team"])
    things["key"] = mate.things["key"]
    if former := world.people.get("former member"):
        await former.caller.do("leaveTeam", {"teamId": things["team"]}, "leftId")
    _rights(world, {**roles, "owner": "OWNER"})


def _rights(world: World, roles: dict[str, str]) -> None:
    inside = [p for name, p in world.people.items() if name in roles and name != "former member"]
    for person in inside:
        person.role = roles[person.name].lower()
        person.may_see |= {word("t", "team"), *(word(p.name, "profile") for p in inside)}
        if person.role in {"owner", "admin"}:
            person.may_see.add(word("t", "invited"))


async def _keys(world: World, actors: tuple[str, ...]) -> None:
    """One account, a member, behind three credentials that are good for less than all."""
    keyed = world.people.pop("keyed", None)
    if keyed is None:
        return
    made = {}
    for scopes in (None, ["READ"]):
        given = {"label": word("keyed", "private"), **({"scopes": scopes} if scopes else {})}
        made[str(scopes)] = await keyed.caller.do("createApiKey", given, "apiKey { id } secret")
    await keyed.caller.do("revokeApiKey", {"id": made["None"]["apiKey"]["id"]}, "revokedId")
    secret = str(world.server.settings.jwt_secret)
    old = Tokens(secret, timedelta(seconds=-60)).sign(keyed.account_id, 0)
    for name, credential in zip(
        KEYED, (made["None"]["secret"], made["['READ']"]["secret"], old), strict=True
    ):
        bearer = {"authorization": f"Bearer {credential}"}
        key = bearer if name == "expired token" else {"X-API-Key": credential}
        caller = Caller(world.server, keyed.caller.id, keyed.caller.email, credential)
        role = keyed.role if name == "read-only key" else None
        sees = keyed.may_see if name == "read-only key" else set()
        if name in actors:
            world.people[name] = Person(name, caller, role, bearer, key, keyed.things, sees)


def _absent(like: Things) -> Things:
    """The same names for things that are nowhere."""
    made = {name: str(uuid4()) for name in like}
    return {**made, "token": "no-such-token", "summarised": f"nothing{uuid4().hex}"}


def _uuid(kind: Any, id: str) -> str:
    return str(ids.decode(kind, id))


def dumped(value: object) -> str:
    """Anything as text, for a look at its words."""
    return json.dumps(value, default=str, ensure_ascii=False)
