"""What the benchmark is about: people, teams, entries and sessions, the same for the same sizes.

Nothing here knows a database; `bench.seeding` stores it. Instants have six digits behind the
second, and no two of one kind are equal, so that every server has the same order to keep.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

FORM = 3
"""Counted up whenever the same sizes begin to mean other rows."""
SHARED = 0.7
"""The part of the entries that is shared with a team of its author."""
_BEGIN = datetime(2025, 1, 1, 0, 0, 0, 123_457, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_TYPES = ("decision", "solution", "error_fix", "pattern", "fact")
_TAGS = ("postgres", "asyncio", "docker", "typescript", "ci", "auth", "cache", "css", "release")
_SENTENCES = (
    "the build fails when a worker starts before its queue exists because retries are not bounded "
    "use one connection pool per process and close it on shutdown never share a transaction "
    "between tasks prefer keyset pages over offsets migrations run first then the server cache "
    "headers must vary by token pin the compiler version in the image rotate keys every quarter"
)
_WORDS = _SENTENCES.split()

_NAMES = tuple(f"{word}{n}" for word in ("module", "file", "case", "value") for n in range(500))


def _prose(chance: random.Random, count: int) -> list[str]:
    """Words, one in five of them a name that is seldom seen."""
    rare = count // 5
    words = chance.choices(_WORDS, k=count - rare) + chance.choices(_NAMES, k=rare)
    chance.shuffle(words)
    return words


def uuid_of(kind: str, number: int) -> UUID:
    """The id of a person, team, entry or session: a UUID that looks random."""
    digest = hashlib.blake2b(f"{kind} {number}".encode(), digest_size=16).digest()
    return UUID(bytes=digest, version=4)


@dataclass(frozen=True)
class Membership:
    """That a person belongs to a team."""

    team: int
    person: int
    role: str
    joined_at: datetime


@dataclass(frozen=True)
class World:
    """Its sizes, and everything that follows from them."""

    people: int = 200
    teams: int = 20
    entries: int = 200_000
    sessions: int = 2_000
    teams_each: int = 3

    @property
    def name(self) -> str:
        """Tells worlds apart, also as the name of a database."""
        sizes = (self.people, self.teams, self.entries, self.sessions, self.teams_each)
        return f"bench_v{FORM}_" + "_".join(map(str, sizes))

    @staticmethod
    def email(person: int) -> str:
        """A person's address."""
        return f"person{person}@bench.example"

    @staticmethod
    def team_name(team: int) -> str:
        """What a team is called."""
        return f"Team {team}"

    @cached_property
    def memberships(self) -> list[Membership]:
        """Everybody's teams, by team and then in the order of joining; the first one owns it."""
        found: list[list[int]] = [[] for _ in range(self.teams)]
        for person in range(self.people):
            for team in self.teams_of(person):
                found[team].append(person)
        return [
            Membership(
                team,
                person,
                "owner" if place == 0 else "member",
                _BEGIN + (team * self.people + place) * _SECOND,
            )
            for team, persons in enumerate(found)
            for place, person in enumerate(persons)
        ]

    def teams_of(self, person: int) -> list[int]:
        """The teams that a person belongs to, in the order of their foundation."""
        begin, stride = person % self.teams, 1 + person // self.teams % 5
        return sorted({(begin + turn * stride) % self.teams for turn in range(self.teams_each)})

    def author_of(self, entry: int) -> int:
        """Who wrote an entry."""
        return entry % self.people

    def team_of(self, entry: int) -> int | None:
        """The team that an entry is shared with; None for a private one."""
        turn = entry // self.people
        if turn % 10 >= SHARED * 10:
            return None
        teams = self.teams_of(self.author_of(entry))
        return teams[turn % len(teams)]

    def entry(self, number: int) -> dict[str, Any]:
        """What an entry says."""
        chance = random.Random(number)
        words = _prose(chance, 80)
        return {
            "id": uuid_of("entry", number),
            "type": _TYPES[number % len(_TYPES)],
            "timestamp": int((_BEGIN + number * _SECOND).timestamp() * 1000),
            "summary": f"{' '.join(words[:14])}, see number {number}",
            "project": f"project-{number // self.people % 12}",
            "details": " ".join(words[14:]) if number % 2 else None,
            "tags": chance.sample(_TAGS, 1 + number % 3),
            "related_files": [f"src/{words[0]}/{words[1]}.py"] if number % 3 else [],
        }

    @staticmethod
    def stored_at(entry: int) -> datetime:
        """When an entry came in: later than all that came before it."""
        return _BEGIN + timedelta(days=1) + entry * _SECOND

    def session(self, number: int) -> dict[str, Any]:
        """What is known of a session."""
        chance = random.Random(-number - 1)
        return {
            "id": uuid_of("session", number),
            "session_id": str(uuid_of("claude", number)),
            "name": " ".join(_prose(chance, 5)),
            "project_name": f"project-{number // self.people % 12}",
            "working_directory": f"/home/person/project-{number // self.people % 12}",
            "git_branch": "main",
        }

    @staticmethod
    def changed_at(session: int) -> datetime:
        """When a session was last changed; later than all others before it."""
        return _BEGIN + timedelta(days=400) + session * _MINUTE

    @staticmethod
    def founded_at(team: int) -> datetime:
        """When a team was founded."""
        return _BEGIN - timedelta(days=30) + team * _MINUTE

    def entries_by(self) -> Iterator[tuple[int, int, int | None]]:
        """Number, author and team of every entry."""
        for number in range(self.entries):
            yield number, self.author_of(number), self.team_of(number)


SMALL = World(people=20, teams=4, entries=2_000, sessions=100)
FULL = World()
