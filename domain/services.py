"""The collaborators that operations are handed; built once by `app.create_app`."""

from __future__ import annotations

from dataclasses import dataclass

from db.engine import Database
from db.reads import Reads
from domain.conversations import Custody
from domain.feed import Hub
from domain.indexing import Indexer
from domain.login_attempts import LoginAttempts
from domain.mail import Outbox
from domain.passwords import Passwords
from domain.reading.reader import Reader
from domain.recent import RecentActors
from domain.throttle import Throttle
from domain.tokens import Tokens
from settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """What an operation may need besides the actor and its input."""

    settings: Settings
    db: Database
    reads: Reads
    """The connections of planned reads."""
    passwords: Passwords
    tokens: Tokens
    recent: RecentActors
    throttle: Throttle
    logins: LoginAttempts
    mails: LoginAttempts
    """Counts the mails that are asked for."""
    outbox: Outbox
    hub: Hub
    indexer: Indexer
    custody: Custody
    reader: Reader
