"""The log under everything that happens to it at once, against a model that knows what is true.

Two servers on one database; people who write over REST and GraphQL, one after the other and at
once; teams that people join and leave; servers that are stopped and started. And every kind of
reader: none may lose anything, see anything twice or in the wrong order, or see what is not theirs.
`docs/log.md` says which breakages of the server this was seen to find.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from itertools import count
from traceback import format_exception
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from db import log
from domain import journal, sync
from graph.schema import ids
from settings import Settings
from tests.support.dial import dial
from tests.support.log_model import Content, Effect, Logged, Model, Row, State, stored, summarised
from tests.support.log_readers import Clock, Pager, Person, Puller, Subscriber
from tests.support.server import RunningServer, running_server

PEOPLE, TEAMS, SERVERS = 3, 2, 2
EXAMPLES, STEPS = dial(6, 140), dial(50, 100)
SECONDS = 60
RESTORE = """mutation ($input: RestoreKnowledgeInput!) { restoreKnowledge(input: $input) {
  __typename ... on Problem { message } } }"""
CREATE = """mutation ($input: CreateKnowledgeInput!) { createKnowledge(input: $input) {
  __typename ... on Problem { message } } }"""
DELETE = """mutation ($input: DeleteKnowledgeInput!) { deleteKnowledge(input: $input) {
  __typename ... on Problem { message } } }"""
MOVE = """mutation ($input: MoveKnowledgeInput!) { moveKnowledge(input: $input) {
  __typename ... on Problem { message } } }"""
LEAVE = """mutation ($input: LeaveTeamInput!) { leaveTeam(input: $input) {
  __typename ... on Problem { message } } }"""

who = st.integers(0, PEOPLE - 1)
where = st.sampled_from([0, 0, 0, 1, -1])
"""A team, or -1 for one's own space; most of it in one team, so that things meet."""
team_index = st.integers(0, TEAMS - 1)
server_index = st.integers(0, SERVERS - 1)
items = st.lists(
    st.builds(Content, st.sampled_from("abcdef"), st.sampled_from("xyz"), st.integers(1, 9)),
    min_size=1,
    max_size=4,
)


class World:
    """The servers, and the loop on which the test speaks with them."""

    def __init__(self, given: Settings) -> None:
        self.loop = asyncio.new_event_loop()
        self.steps = 0
        self.failures: list[str] = []
        self.busy = False
        self.delays: list[float] = []
        """How long the next transactions wait between their last statement and their commit."""
        self._settings = given
        self._stacks: list[AsyncExitStack] = []
        self.servers: list[RunningServer] = []
        self.database: asyncpg.Connection

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, SECONDS))

    async def open(self) -> None:
        self.database = await asyncpg.connect(self._settings.database_url)
        for _ in range(SERVERS):
            stack = AsyncExitStack()
            self.servers.append(await stack.enter_async_context(running_server(self._settings)))
            self._stacks.append(stack)

    async def restart(self, index: int) -> None:
        await self._stacks[index].aclose()
        self.servers[index] = await self._stacks[index].enter_async_context(
            running_server(self._settings)
        )

    async def close(self) -> None:
        for stack in self._stacks:
            await stack.aclose()
        await self.database.close()

    async def register(self) -> Person:
        email = f"{uuid4().hex}@example.org"
        body = {"email": email, "password": "long enough"}
        made = (await self.servers[0].client.post("/api/auth/register", json=body)).json()
        return Person(UUID(made["user"]["id"]), email, made["apiKey"])


@contextmanager
def world_of(given: Settings) -> Iterator[World]:
    world = World(given)
    world.run(world.open())
    try:
        yield world
    finally:
        world.run(world.close())
        world.loop.close()


class LogMachine(RuleBasedStateMachine):
    """One history of a few people and teams."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.model = Model(world.database)
        self.numbers = count()

    @initialize()
    def begin(self) -> None:
        self.people = [self.world.run(self.world.register()) for _ in range(PEOPLE)]
        for person in self.people:
            self.model.add_scope(person.id, person.id)
        self.teams = []
        for index in range(TEAMS):
            owner = self.people[index]
            made = self._ok(self._rest(index, "POST", "/api/teams", {"name": f"Team {index}"}), 201)
            team = UUID(made.json()["id"])
            self.teams.append(team)
            self.model.add_scope(team, owner.id)
            self._commit(_logs(team, "team_created", None))
        for person in range(1, PEOPLE):
            self.invite(person, team=0, server=0)
        self.pullers = [Puller(p, t) for p in self.people for t in (None, self.teams[0])]
        self.clocks = [
            Clock(self.people[0], self.teams[0], iso=True),
            Clock(self.people[1], None, iso=False),
            Clock(self.people[2], self.teams[1], iso=True),
        ]
        self.pagers = [Pager(person) for person in self.people]
        self.subscribers = [Subscriber(p, t) for p in self.people for t in self.teams]

    # What writers do

    @rule(author=who, place=where, said=items, server=server_index)
    def push(self, author: int, place: int, said: list[Content], server: int) -> None:
        answer = self.world.run(self._push(author, place, said, server))
        self._wrote(answer, author, place, said)

    @rule(author=who, place=where, said=items, server=server_index)
    def create(self, author: int, place: int, said: list[Content], server: int) -> None:
        body = {**_entry(said[0]), **self._place(place)}
        answer = self._rest(author, "POST", "/api/knowledge", body, server)
        self._wrote(answer, author, place, said[:1], 201)

    @rule(author=who, place=where, said=items, server=server_index)
    def create_over_graphql(
        self, author: int, place: int, said: list[Content], server: int
    ) -> None:
        given = {**_entry(said[0]), **self._place(place)}
        made = self._graphql(author, CREATE, given, server)["createKnowledge"]["__typename"]
        member = self._is_member(author, place)
        assert made == ("CreateKnowledgePayload" if member else "Forbidden")
        if member:
            self._commit(stored(self._scope(author, place), self.people[author].id, said[:1]))

    @rule(
        jobs=st.lists(st.tuples(who, where, items, server_index), min_size=2, max_size=3),
        readers=st.tuples(who, who, who, server_index),
        delays=st.lists(st.sampled_from([0.0, 0.02, 0.04]), min_size=3, max_size=3),
    )
    def push_at_once(
        self,
        jobs: list[tuple[int, int, list[Content], int]],
        readers: tuple[int, int, int, int],
        delays: list[float],
    ) -> None:
        """Transactions that overlap, and readers that come in the middle of them."""
        self._at_once(jobs, readers, delays)

    def _at_once(
        self,
        jobs: list[tuple[int, int, list[Content], int]],
        readers: tuple[int, int, int, int],
        delays: list[float],
    ) -> None:
        puller, other = self.pullers[2 * readers[0] + 1], self.pullers[2 * readers[1]]
        pager, server = self.pagers[readers[2]], self.world.servers[readers[3]]

        async def all_of_it() -> list[Any]:
            self.world.delays[:], self.world.busy = delays, True
            writing, pulled, paged = [], [], []
            for job in jobs:
                writing.append(asyncio.ensure_future(self._push(*job)))
                await asyncio.sleep(0.005)
            while not all(task.done() for task in writing):
                one, two, page = await asyncio.gather(
                    puller.fetch(server, None), other.fetch(server, 3), pager.fetch(server, 100)
                )
                pulled += [(puller, one), (other, two)]
                puller.since, other.since = _cursor(one, puller.since), _cursor(two, other.since)
                paged.append(page)
                pager.cursor = page["data"]["changes"]["pageInfo"]["endCursor"]
            self.world.delays.clear()
            self.world.busy = False
            return [[await task for task in writing], pulled, paged]

        answers, pulled, paged = self.world.run(all_of_it())
        effects = []
        for (author, place, said, _server), answer in zip(jobs, answers, strict=True):
            assert answer.status_code == (200 if self._is_member(author, place) else 403)
            if answer.status_code == 200:
                scope = self._scope(author, place)
                effects.append(stored(scope, self.people[author].id, said))
        self._commit(*effects)
        for reader, answer in pulled:
            reader.take(answer, self.model, quiet=False)
        for page in paged:
            pager.take(page, self.model, quiet=False)

    @rule(said=items, overtaking=who, readers=st.tuples(who, who, who, server_index))
    def overtake(
        self, said: list[Content], overtaking: int, readers: tuple[int, int, int, int]
    ) -> None:
        """A transaction that began first and commits last, in the team where most happens."""
        jobs = [(0, 0, said, 0), (overtaking, 0, said, 1)]
        self._at_once(jobs, readers, [0.1, 0.0])

    @rule(pick=st.integers(0), said=items, server=server_index)
    @precondition(lambda self: self._rows())
    def change(self, pick: int, said: list[Content], server: int) -> None:
        row, author = self._pick(pick)
        content = Content(said[0].summary, said[0].details, row.content.timestamp)
        body = {"summary": content.summary, "details": content.details}
        answer = self._rest(author, "PATCH", f"/api/knowledge/{row.id}", body, server)
        same = self.model.state.same(row.scope, row.author, content.summary)
        if self._gone(answer, row):
            return
        if same is not None and same.id != row.id:
            assert answer.status_code == 409
            return

        def effect(state: State) -> dict[UUID, list[Logged]]:
            _find(state, row).content = content
            return {row.scope: [("knowledge_updated", (row.author, content.summary))]}

        self._ok(answer)
        self._commit(effect)

    @rule(pick=st.integers(0), server=server_index, graphql=st.booleans())
    @precondition(lambda self: self._rows())
    def delete(self, pick: int, server: int, graphql: bool) -> None:
        row, author = self._pick(pick)
        if graphql:
            given = {"id": str(row.id)}
            kind = self._graphql(author, DELETE, given, server)["deleteKnowledge"]["__typename"]
            done = kind == "DeleteKnowledgePayload"
            readable = self.people[author].id in self.model.members[row.scope]
            assert done == (readable and not row.deleted)
        else:
            answer = self._rest(author, "DELETE", f"/api/knowledge/{row.id}", None, server)
            done = not self._gone(answer, row)

        def effect(state: State) -> dict[UUID, list[Logged]]:
            _find(state, row).deleted = True
            _find(state, row).deletions += 1
            return {row.scope: [("knowledge_deleted", (row.author, row.content.summary))]}

        if done:
            self._commit(effect)

    @rule(pick=st.integers(0), server=server_index)
    @precondition(lambda self: any(row.deleted for row in self._rows()))
    def restore(self, pick: int, server: int) -> None:
        deleted = [row for row in self._rows() if row.deleted]
        row = deleted[pick % len(deleted)]
        author = self._index(row.author)
        kind = self._graphql(author, RESTORE, {"id": str(row.id)}, server)
        kind = kind["restoreKnowledge"]["__typename"]
        if row.author not in self.model.members[row.scope]:
            assert kind == "NotFound"
        elif self.model.state.same(row.scope, row.author, row.content.summary):
            assert kind == "Conflict"
        else:
            assert kind == "RestoreKnowledgePayload"

            def effect(state: State) -> dict[UUID, list[Logged]]:
                _find(state, row).deleted = False
                return {row.scope: [("knowledge_created", (row.author, row.content.summary))]}

            self._commit(effect)

    @rule(pick=st.integers(0), place=where, server=server_index)
    @precondition(lambda self: self._rows())
    def move(self, pick: int, place: int, server: int) -> None:
        """An entry leaves one scope, where a tombstone stays, and comes into another."""
        row, author = self._pick(pick)
        old, new = row.scope, self._scope(author, place)
        given = {"id": str(row.id), "teamId": None if place < 0 else str(self.teams[place])}
        kind = self._graphql(author, MOVE, given, server)["moveKnowledge"]["__typename"]
        if not self._is_member(author, place):
            assert kind == "Forbidden"
        elif row.deleted or row.author not in self.model.members[old]:
            assert kind == "NotFound"
        elif new != old and self.model.state.same(new, row.author, row.content.summary):
            assert kind == "Conflict"
        else:
            assert kind == "MoveKnowledgePayload"

            def effect(state: State) -> dict[UUID, list[Logged]]:
                if new == old:
                    return {}
                _find(state, row).scope = new
                _find(state, row).deletions += 1
                summary = row.content.summary
                return {
                    old: [("knowledge_deleted", (row.author, ""))],
                    new: [("knowledge_created", (row.author, summary))],
                }

            self._commit(effect)

    @rule(author=who, place=where, session=st.sampled_from(["s1", "s2"]), server=server_index)
    def summarise(self, author: int, place: int, session: str, server: int) -> None:
        """Save a session's summary: with a team it moves there from wherever it was."""
        person = self.people[author]
        homes = self.model.state.homes.get((person.id, session), set())
        if len(homes & self.model.scopes_of(person.id)) > 1:
            return  # it stayed in a team that its author left and joined again; see docs/log.md
        number = next(self.numbers)
        body = {"sessionId": session, "summary": {"n": number}, **self._place(place)}
        answer = self._rest(author, "POST", "/api/sessions", body, server)
        if not self._is_member(author, place):
            assert answer.status_code == 403
            return
        self._ok(answer, 201)
        team = None if place < 0 else self.teams[place]
        self._commit(summarised(person.id, session, team, self.model.scopes_of(person.id)))

    # Who belongs to what

    @rule(person=who, team=team_index, server=server_index)
    def invite(self, person: int, team: int, server: int) -> None:
        invited, scope = self.people[person], self.teams[team]
        owner = self._index(self.model.owners[scope])
        body = {"email": invited.email}
        answer = self._rest(owner, "POST", f"/api/teams/{scope}/invite", body, server)
        if invited.id in self.model.members[scope]:
            assert answer.status_code == 409
            return
        self._ok(answer, 201)
        self.model.members[scope].add(invited.id)
        self._commit(_logs(scope, "member_joined", invited.id))
        for clock in getattr(self, "clocks", ()):
            if clock.person is invited:
                clock.since = None  # a time says nothing of what one could not see then

    @rule(person=who, team=team_index, server=server_index, leaving=st.booleans())
    def remove(self, person: int, team: int, server: int, leaving: bool) -> None:
        gone, scope = self.people[person], self.teams[team]
        owner = self.model.owners[scope]
        if gone.id == owner or gone.id not in self.model.members[scope]:
            return
        if leaving:
            given = {"teamId": str(ids.encode("Team", scope))}
            kind = self._graphql(person, LEAVE, given, server)["leaveTeam"]["__typename"]
            assert kind == "LeaveTeamPayload"
        else:
            path = f"/api/teams/{scope}/members/{gone.id}"
            self._ok(self._rest(self._index(owner), "DELETE", path, None, server))
        self.model.members[scope].discard(gone.id)
        self._commit(_logs(scope, "member_left" if leaving else "member_removed", gone.id))
        last = self.model.history[scope][-1].version
        for subscriber in self.subscribers:
            if (subscriber.person, subscriber.team) == (gone, scope) and subscriber.socket:
                self.world.run(subscriber.ended(self.model, last))

    # What readers do

    @rule(which=st.integers(0, 2 * PEOPLE - 1), limit=st.integers(1, 5), server=server_index)
    def pull(self, which: int, limit: int, server: int) -> None:
        puller = self.pullers[which]
        answer = self.world.run(puller.fetch(self.world.servers[server], limit))
        puller.take(answer, self.model)

    @rule(which=st.integers(0, 2), server=server_index)
    def pull_by_time(self, which: int, server: int) -> None:
        clock = self.clocks[which]
        clock.take(self.world.run(clock.fetch(self.world.servers[server])), self.model)

    @rule(which=who, first=st.integers(1, 6), kept=st.integers(0, 6), server=server_index)
    def page(self, which: int, first: int, kept: int, server: int) -> None:
        pager = self.pagers[which]
        answer = self.world.run(pager.fetch(self.world.servers[server], first))
        pager.take(answer, self.model, kept=kept)

    @rule(which=who, first=st.integers(1, 6), place=where, server=server_index)
    def page_one_scope(self, which: int, first: int, place: int, server: int) -> None:
        pager, scope = self.pagers[which], self._scope(which, place)
        kind: ids.Kind = "User" if place < 0 else "Team"
        named = [str(ids.encode(kind, scope))]
        answer = self.world.run(pager.fetch(self.world.servers[server], first, named))
        if self._is_member(which, place):
            pager.take(answer, self.model, only=scope)
        else:
            assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"

    @rule(which=st.integers(0, PEOPLE * TEAMS - 1), server=server_index)
    def subscribe(self, which: int, server: int) -> None:
        subscriber = self.subscribers[which]
        if subscriber.socket is not None:
            return
        self.world.run(subscriber.connect(self.world.servers[server]))
        if subscriber.person.id not in self.model.members[subscriber.team]:
            self.world.run(subscriber.refused())

    @rule(which=who, team=team_index)
    def follow_on_from_changes(self, which: int, team: int) -> None:
        """A subscriber takes the place and the cursor of the person's reader of `changes`."""
        pager, scope = self.pagers[which], self.teams[team]
        if pager.cursor is None or scope not in pager.seen:
            return
        (old,) = [s for s in self.subscribers if (s.person, s.team) == (pager.person, scope)]
        self.world.run(old.drop())
        new = Subscriber(pager.person, scope, pager.seen[scope], pager.cursor)
        self.subscribers[self.subscribers.index(old)] = new

    @rule(which=st.integers(0, PEOPLE * TEAMS - 1), number=st.integers(1, 8))
    def follow(self, which: int, number: int) -> None:
        subscriber = self.subscribers[which]
        if subscriber.socket is not None:
            self.world.run(subscriber.read(self.model, number))

    @rule(which=st.integers(0, PEOPLE * TEAMS - 1))
    def lose_the_connection(self, which: int) -> None:
        self.world.run(self.subscribers[which].drop())

    @rule(index=server_index, really=st.integers(0, 7))
    def restart(self, index: int, really: int) -> None:
        """Now and then: most connections live longer than that."""
        if really:
            return
        for subscriber in self.subscribers:
            if subscriber.server is self.world.servers[index]:
                self.world.run(subscriber.drop())
        self.world.run(self.world.restart(index))

    def teardown(self) -> None:
        """In the end everybody reads on to the end, and has seen everything.

        What has gone wrong is noted: how transactions overlap is not repeatable, and of a failure
        that does not come again Hypothesis says only that.
        """
        error = sys.exc_info()[1]
        if isinstance(error, Exception):
            self.world.failures.append("".join(format_exception(error, limit=-2)))
        elif error is None:
            try:
                self.world.run(self._to_the_end())
            except Exception as late:
                self.world.failures.append("".join(format_exception(late, limit=-2)))
                raise

    async def _to_the_end(self) -> None:
        server = self.world.servers[0]
        for puller in self.pullers:
            while puller.take(await puller.fetch(server, 50), self.model):
                pass
        for clock in self.clocks:
            clock.take(await clock.fetch(server), self.model)
        for pager in self.pagers:
            while pager.take(await pager.fetch(server, 100), self.model):
                pass
        for subscriber in self.subscribers:
            if subscriber.person.id in self.model.members[subscriber.team]:
                if subscriber.socket is None:
                    await subscriber.connect(server)
                await subscriber.read(self.model)
            await subscriber.drop()

    @invariant()
    def count_the_step(self) -> None:
        self.world.steps += 1

    # How it is said to the server

    async def _push(self, author: int, place: int, said: list[Content], server: int) -> Any:
        body = {"entries": [_entry(content) for content in said], **self._place(place)}
        client, person = self.world.servers[server].client, self.people[author]
        return await client.post("/api/sync/push/knowledge", json=body, headers=person.headers)

    def _rest(
        self, person: int, method: str, path: str, body: Any = None, server: int = 0
    ) -> httpx.Response:
        client, headers = self.world.servers[server].client, self.people[person].headers
        answer = self.world.run(client.request(method, path, json=body, headers=headers))
        assert isinstance(answer, httpx.Response)
        return answer

    def _graphql(self, person: int, query: str, given: dict[str, Any], server: int) -> Any:
        body = {"query": query, "variables": {"input": given}}
        content = self._rest(person, "POST", "/graphql", body, server).json()
        assert "errors" not in content, content
        return content["data"]

    def _wrote(
        self,
        answer: httpx.Response,
        author: int,
        place: int,
        said: list[Content],
        status: int = 200,
    ) -> None:
        if not self._is_member(author, place):
            assert answer.status_code == 403
            return
        self._ok(answer, status)
        self._commit(stored(self._scope(author, place), self.people[author].id, said))

    def _ok(self, answer: httpx.Response, status: int = 200) -> httpx.Response:
        assert answer.status_code == status, answer.text
        return answer

    def _gone(self, answer: httpx.Response, row: Row) -> bool:
        """Whether a row is deleted or out of its author's reach, which the answer has to say."""
        gone = row.deleted or row.author not in self.model.members[row.scope]
        assert (answer.status_code == 404) == gone, answer.text
        return gone

    def _commit(self, *effects: Effect) -> None:
        self.world.run(self.model.commit(*effects))

    def _rows(self) -> list[Row]:
        return [row for row in self.model.state.rows if row.id is not None]

    def _pick(self, number: int) -> tuple[Row, int]:
        row = self._rows()[number % len(self._rows())]
        return row, self._index(row.author)

    def _index(self, account: UUID) -> int:
        return next(i for i, person in enumerate(self.people) if person.id == account)

    def _scope(self, person: int, place: int) -> UUID:
        return self.people[person].id if place < 0 else self.teams[place]

    def _is_member(self, person: int, place: int) -> bool:
        return self.people[person].id in self.model.members[self._scope(person, place)]

    def _place(self, place: int) -> dict[str, str]:
        return {} if place < 0 else {"teamId": str(self.teams[place])}


def _entry(content: Content) -> dict[str, Any]:
    return {"type": "decision", **content._asdict()}


def _find(state: State, row: Row) -> Row:
    return next(found for found in state.rows if found.id == row.id)


def _logs(scope: UUID, kind: str, about: UUID | None) -> Effect:
    return lambda _state: {scope: [(kind, about)]}


def _cursor(answer: httpx.Response, known: str | None) -> str | None:
    return answer.json()["cursor"] if answer.status_code == 200 else known


@pytest.fixture
def slow_commits(monkeypatch: pytest.MonkeyPatch) -> Callable[[World], None]:
    """Lets transactions wait before their commit, and readers between their statements.

    The servers run in this process, so their operations can be held up.
    """
    append, heads = journal.append, log.heads

    def install(world: World) -> None:
        async def slow(connection: Any, entries: Any) -> None:
            await append(connection, entries)
            if world.delays:
                await asyncio.sleep(world.delays.pop(0))

        async def hesitant(connection: Any, scope_ids: Any) -> dict[UUID, int]:
            pause = 0.01 if world.busy else 0.0
            await asyncio.sleep(pause)
            found = await heads(connection, scope_ids)
            await asyncio.sleep(pause)
            return found

        monkeypatch.setattr(journal, "append", slow)
        monkeypatch.setattr(log, "heads", hesitant)

    return install


def test_no_reader_loses_or_repeats_anything_whatever_happens(
    settings_of_machine: Settings,
    slow_commits: Callable[[World], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So that a pull by time does not simply bring everything that a test has ever written.
    monkeypatch.setattr(sync, "TIME_MARGIN", timedelta(milliseconds=400))
    with world_of(settings_of_machine) as world:
        slow_commits(world)
        try:
            _run(world)
        except Exception:
            if not world.failures:
                raise
            pytest.fail(world.failures[0])
        print(f"{world.steps} steps")  # noqa: T201 - a figure for docs/log.md
        assert world.steps >= dial(100, 10_000)


def _run(world: World) -> None:
    run_state_machine_as_test(
        lambda: LogMachine(world),  # type: ignore[arg-type]  # any factory
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # what overlaps does not repeat, so it does not shrink
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def settings_of_machine(settings: Settings) -> Settings:
    """Nobody is throttled, and a server stops at once."""
    limits = {"rate_limit_max": 10**9, "rate_limit_anonymous_max": 10**9, "shutdown_grace_s": 1}
    return settings.model_copy(update=limits)
