"""Many sessions in one request: their metadata and, where given, their conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from db.engine import Database
from domain import sessions
from domain.actor import Actor
from domain.conversations import Custody
from domain.errors import Conflict, Fault, Invalid, QuotaExceeded, TooLarge
from domain.inputs import parse
from domain.sessions import NewSession


@dataclass(frozen=True, slots=True)
class Failure:
    """A session that was not taken in, and why."""

    session_id: str
    error: str


@dataclass(frozen=True, slots=True)
class Synced:
    """What a bulk sync came to; sessions that failed are not counted elsewhere."""

    created: int
    updated: int
    """Sessions that were there already, changed or not."""
    conversations: int
    failed: tuple[Failure, ...]

    @property
    def synced(self) -> int:
        """Sessions that are on the server now as the request has them."""
        return self.created + self.updated


class Bulk:
    """One bulk sync. Conversations may come before or after what is said of their sessions."""

    def __init__(self, db: Database, custody: Custody, actor: Actor) -> None:
        self._db, self._custody, self._actor = db, custody, actor
        self._wanted: dict[str, NewSession] = {}
        self._told: set[str] = set()
        self._created: set[str] = set()
        self._kept: set[str] = set()
        self._failed: dict[str, str] = {}

    def announce(self, body: Any) -> None:
        """Take in `{"sessions": […]}`. Raises Invalid when it is no list; a bad item just fails."""
        items = body.get("sessions") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise Invalid.at("sessions", "must be a list")
        for index, item in enumerate(items):
            try:
                session = parse(NewSession, item, under=("sessions", index))
            except Invalid as error:
                self._fail(_id_of(item), error)
            else:
                self._wanted[session.session_id] = session

    async def keep(self, session_id: str, chunks: AsyncIterator[bytes]) -> None:
        """Take in a conversation. What is wrong with it alone is noted, and the others go on."""
        known = self._wanted.get(session_id)
        about = known or NewSession.model_construct(session_id=session_id)
        try:
            uploaded = await self._custody.upload(self._actor, session_id, chunks, about)
        except (Invalid, TooLarge, Conflict, QuotaExceeded) as error:
            self._fail(session_id, error)
            return
        self._failed.pop(session_id, None)
        self._kept.add(session_id)
        if uploaded.new_session:
            self._created.add(session_id)
        if known is not None:
            self._told.add(session_id)

    async def finish(self) -> Synced:
        """Register the sessions that have not been told of yet, and sum up."""
        rest = [
            item
            for session_id, item in self._wanted.items()
            if session_id not in self._told and session_id not in self._failed
        ]
        registered = await sessions.register(self._db, self._actor, rest)
        created = self._created | registered.created
        updated = (self._kept | registered.known) - created
        failed = tuple(Failure(session_id, why) for session_id, why in self._failed.items())
        return Synced(len(created), len(updated), len(self._kept), failed)

    def _fail(self, session_id: str, error: Fault) -> None:
        self._failed[session_id] = _sentence(error)


def _id_of(item: object) -> str:
    session_id = item.get("session_id") if isinstance(item, dict) else None
    return session_id[:255] if isinstance(session_id, str) else ""


def _sentence(error: Fault) -> str:
    if not isinstance(error, Invalid):
        return error.message
    return "; ".join(
        f"{'.'.join(str(step) for step in problem.path)}: {problem.message}"
        for problem in error.problems
    )
