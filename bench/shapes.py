"""The read shapes: a document each, and what it is asked with for thousands of callers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bench.world import World, uuid_of
from domain.tokens import Tokens
from graph.schema import ids

DOCUMENTS = Path(__file__).parent / "documents"
JWT_SECRET = "a secret of the benchmark and of nothing else"
QUESTIONS = 2_000
"""How many different requests a shape has."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request: who asks, and the variables."""

    person: int
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of read."""

    name: str
    title: str
    document: str
    ask: Callable[[World, random.Random], Question]

    @property
    def text(self) -> str:
        """The document itself."""
        return (DOCUMENTS / f"{self.document}.graphql").read_text("utf-8")

    def questions(self, world: World, count: int = QUESTIONS) -> Iterator[Question]:
        """The same ones in every run."""
        chance = random.Random(self.name)
        for _ in range(count):
            yield self.ask(world, chance)

    def body(self, question: Question, document: str | None = None) -> bytes:
        """The request's body, of another document when a server needs one of its own."""
        content = {"query": document or self.text, "variables": question.variables}
        return json.dumps(content, separators=(",", ":")).encode()


def _entry(world: World, chance: random.Random) -> Question:
    number = chance.randrange(world.entries)
    team = world.team_of(number)
    person = world.author_of(number)
    if team is not None:
        person = chance.choice([m.person for m in _members(world)[team]])
    return Question(person, {"id": ids.encode("KnowledgeEntry", uuid_of("entry", number))})


def _page(size: int) -> Callable[[World, random.Random], Question]:
    def ask(world: World, chance: random.Random) -> Question:
        person = chance.randrange(world.people)
        team = uuid_of("team", chance.choice(world.teams_of(person)))
        return Question(person, {"team": ids.encode("Team", team), "first": size})

    return ask


def _nested(world: World, chance: random.Random) -> Question:
    return Question(chance.randrange(world.people), {})


def _sessions(world: World, chance: random.Random) -> Question:
    return Question(chance.randrange(world.people), {"first": 20})


@cache
def _members(world: World) -> list[list[Any]]:
    found: list[list[Any]] = [[] for _ in range(world.teams)]
    for membership in world.memberships:
        found[membership.team].append(membership)
    return found


SHAPES = (
    Shape("entry", "Point read", "entry", _entry),
    Shape("page20", "Page of 20", "page", _page(20)),
    Shape("page100", "Page of 100", "page", _page(100)),
    Shape("nested", "Nested lists", "nested", _nested),
    Shape("sessions", "Sessions", "sessions", _sessions),
)


@cache
def token(person: int) -> str:
    """A person's token, signed as the server signs them."""
    return Tokens(JWT_SECRET, timedelta(days=7)).sign(uuid_of("person", person), 0)
