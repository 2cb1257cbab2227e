"""What an operator can set, read from the environment once and frozen.

Only `cli.py` and `app.py` call `Settings.from_env`; everything else is handed a value, and tests
construct their own. The documented names of the ClaudeHistory Cloud server keep their meaning:
`DATABASE_URL`, `JWT_SECRET`, `PORT`, `NODE_ENV`, `JWT_EXPIRES_IN`, `RATE_LIMIT_WINDOW_MS`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

VERSION = "0.1.0"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w|y)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31557600}


class SettingsError(ValueError):
    """A variable of the environment has a value that the server cannot start with."""


def parse_duration(text: str | float | timedelta) -> timedelta:
    """Read `7d`, `12h`, `15m`, `30s`, `500ms`, or a plain number of seconds.

    Raises ValueError for anything else and for zero. The notation is that of the `ms` package,
    which the documented server's `JWT_EXPIRES_IN` follows.
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(str(text).strip().lower())
    seconds = float(match[1]) * _UNIT_SECONDS[match[2] or "s"] if match else 0.0
    if not 0 < seconds <= 100 * _UNIT_SECONDS["y"]:
        raise ValueError("must be a duration such as 7d, 12h or 3600 (seconds)")
    return timedelta(seconds=seconds)


def _smtp_url(text: str) -> str:
    """Raises ValueError unless it is `smtp://` or `smtps://` with a host."""
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("must be smtp://[user:password@]host[:port] or smtps://…")
    if parts.port == 0:
        raise ValueError("must have a port from 1 to 65535")
    return text


def _prices(given: object) -> object:
    """The content of a file of prices; a table that is one already stays as it is."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(Path(given).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot be read as JSON: {error}") from None


class ModelPrice(BaseModel):
    """What a model's tokens cost, in US dollars for a million of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_write: float | None = Field(None, ge=0)
    """For five minutes; 1.25 times the input unless given."""
    cache_write_1h: float | None = Field(None, ge=0)
    """For an hour; twice the input unless given."""
    cache_read: float | None = Field(None, ge=0)
    """A tenth of the input unless given."""

    @property
    def of_cache_write(self) -> float:
        """What goes into the cache for five minutes."""
        return self.input * 1.25 if self.cache_write is None else self.cache_write

    @property
    def of_cache_write_1h(self) -> float:
        """What goes into the cache for an hour."""
        return self.input * 2 if self.cache_write_1h is None else self.cache_write_1h

    @property
    def of_cache_read(self) -> float:
        """What comes out of the cache."""
        return self.input / 10 if self.cache_read is None else self.cache_read


class Settings(BaseModel):
    """Everything that differs between two installations of this server."""

    model_config = ConfigDict(frozen=True)

    environment: Literal["development", "production", "test"] = "development"
    host: str = "127.0.0.1"
    port: int = Field(3100, ge=0, le=65535)
    public_url: str | None = None
    """The address that people reach this server under; used in invitation links."""

    data_dir: Path
    """Holds the embedded PostgreSQL, the secrets and, without a BLOB_URL, the blocks."""
    database_url: str | None = None
    """None means: run the embedded PostgreSQL in `data_dir`."""
    database_role: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] = "teamlore_server"
    """What the server's connections act as, so that row-level security binds them."""
    database_pool: int = Field(20, ge=2, le=400)
    blob_url: str | None = None
    """None means: the folder `blobs` in `data_dir`."""

    jwt_secret: str | None = Field(None, min_length=16)
    jwt_expires_in: Annotated[timedelta, BeforeValidator(parse_duration)] = timedelta(days=7)
    bcrypt_rounds: int = Field(12, ge=4, le=16)

    rate_limit_window_ms: int = Field(60_000, ge=100, le=86_400_000)
    rate_limit_max: int = Field(12_000, ge=1)
    """REST requests of one account in a window: a first sync of 2,000 sessions fits easily.

    Each is worth 10 points; a GraphQL operation takes its cost in points out of the same budget.
    """
    rate_limit_anonymous_max: int = Field(600, ge=1)
    """The same for one address without a credential."""
    login_attempts_max: int = Field(20, ge=1)
    """Failed log-ins per account and address in a window of fifteen minutes."""

    smtp_url: Annotated[str, AfterValidator(_smtp_url)] | None = None
    """Where mail is handed in; None means: this server sends none."""
    mail_from: str | None = None
    """The sender of mails; needed with `smtp_url`."""

    json_body_max: int = Field(32 * 1024 * 1024, ge=1024)
    conversation_max: int = Field(4 * 1024**3, ge=1024)
    """Bytes of one transcript."""
    reading_line_max: int = Field(4 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    """Bytes of a transcript's line that is read whole; longer ones are found by their head."""
    conversation_quota: int | None = Field(None, ge=0)
    """Bytes that all versions of all of an account's conversations may have together."""
    conversation_uploads: int = Field(32, ge=1)
    """Uploads of one account that one process takes in at the same time."""
    block_size: int = Field(128 * 1024, ge=1, le=4 * 1024 * 1024)
    """Bytes of a block. No variable sets it: tests choose small ones."""
    conversation_backup: bool = True
    allow_anonymous_contributions: bool = False
    pattern_min_account_age: Annotated[timedelta, BeforeValidator(parse_duration)] | None = None
    pattern_epsilon: Decimal = Field(Decimal(3), gt=0, le=100, decimal_places=6)
    """The privacy loss of one account by the numbers of one week (docs/community-privacy.md)."""
    pattern_epsilon_total: Decimal = Field(Decimal(156), ge=0, le=1_000_000, decimal_places=6)
    """The same by the numbers of all weeks; when it is spent, the last numbers stay."""
    allowed_origins: tuple[str, ...] = ()
    """Other origins whose pages may open a WebSocket here."""
    introspection: bool | None = None
    """Whether the graph answers `__schema` and `__type`; None means: not in production."""
    log_retention: Annotated[
        timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(hours=1))
    ] = timedelta(days=90)
    """How long the log and the tombstones of what was deleted are kept."""
    workers: int = Field(1, ge=1, le=256)
    """Server processes behind the one port."""
    query_plans: bool = True
    """Whether reads that can be are answered by one statement each; see `graph.plan`."""
    audit_retention: Annotated[
        timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(days=1))
    ] = timedelta(days=400)
    """How long the audit log is kept: a year, and time to look at it."""
    shutdown_grace_s: int = Field(10, ge=0, le=300)
    graphiql: bool | None = None
    """Whether /graphiql is served; None means: everywhere but in production."""

    model_prices: Annotated[Mapping[str, ModelPrice], BeforeValidator(_prices)] = {}
    """Prices by the beginning of models' names, which go before those of `domain.reading.prices`.

    The variable names a file with a JSON object of them.
    """

    @property
    def shows_graphiql(self) -> bool:
        """Whether /graphiql is served."""
        return self.environment != "production" if self.graphiql is None else self.graphiql

    @property
    def introspection_allowed(self) -> bool:
        """Whether anybody may ask the graph for its schema."""
        return (
            self.environment != "production" if self.introspection is None else self.introspection
        )

    @property
    def blob_place(self) -> str:
        """Where the blocks of conversations are: a folder's path or a URL."""
        return self.blob_url or str(self.data_dir / "blobs")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Build the settings that `environ` describes.

        Raises SettingsError naming the variable. In production a missing JWT_SECRET is an error,
        as documented; in development one is made and kept in the data folder.
        """
        given = {
            field: value
            for name, field in _VARIABLES.items()
            if (value := environ.get(name, "").strip())
        }
        given.setdefault("data_dir", str(default_data_dir(environ)))
        values: dict[str, object] = dict(given)
        flags = (
            "conversation_backup",
            "allow_anonymous_contributions",
            "graphiql",
            "introspection",
            "query_plans",
        )
        for flag in flags:
            if flag in given:
                values[flag] = given[flag].lower() not in {"off", "false", "0", "no"}
        if "allowed_origins" in given:
            values["allowed_origins"] = tuple(
                origin.strip() for origin in given["allowed_origins"].split(",") if origin.strip()
            )
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None
        if settings.environment == "production" and settings.jwt_secret is None:
            raise SettingsError(
                "JWT_SECRET is required when NODE_ENV=production (try: openssl rand -hex 32)"
            )
        if (settings.smtp_url is None) != (settings.mail_from is None):
            raise SettingsError("SMTP_URL and MAIL_FROM must be set together")
        return settings


_VARIABLES = {
    "NODE_ENV": "environment",
    "HOST": "host",
    "PORT": "port",
    "PUBLIC_URL": "public_url",
    "TEAMLORE_DATA": "data_dir",
    "DATABASE_URL": "database_url",
    "DATABASE_ROLE": "database_role",
    "DATABASE_POOL": "database_pool",
    "BLOB_URL": "blob_url",
    "JWT_SECRET": "jwt_secret",
    "JWT_EXPIRES_IN": "jwt_expires_in",
    "RATE_LIMIT_WINDOW_MS": "rate_limit_window_ms",
    "RATE_LIMIT_MAX": "rate_limit_max",
    "RATE_LIMIT_ANONYMOUS_MAX": "rate_limit_anonymous_max",
    "LOGIN_ATTEMPTS_MAX": "login_attempts_max",
    "SMTP_URL": "smtp_url",
    "MAIL_FROM": "mail_from",
    "CONVERSATION_MAX_BYTES": "conversation_max",
    "READING_LINE_MAX_BYTES": "reading_line_max",
    "CONVERSATION_QUOTA_BYTES": "conversation_quota",
    "CONVERSATION_UPLOADS_MAX": "conversation_uploads",
    "CONVERSATION_BACKUP": "conversation_backup",
    "ALLOW_ANONYMOUS_CONTRIBUTIONS": "allow_anonymous_contributions",
    "PATTERN_MIN_ACCOUNT_AGE": "pattern_min_account_age",
    "PATTERN_EPSILON": "pattern_epsilon",
    "PATTERN_EPSILON_TOTAL": "pattern_epsilon_total",
    "ALLOWED_ORIGINS": "allowed_origins",
    "GRAPHQL_INTROSPECTION": "introspection",
    "LOG_RETENTION": "log_retention",
    "AUDIT_RETENTION": "audit_retention",
    "SHUTDOWN_GRACE_S": "shutdown_grace_s",
    "GRAPHIQL": "graphiql",
    "QUERY_PLANS": "query_plans",
    "WORKERS": "workers",
    "MODEL_PRICES": "model_prices",
}


def _explain(error: ValidationError) -> str:
    names = {field: name for name, field in _VARIABLES.items()}
    return "; ".join(
        f"{names.get(str(problem['loc'][0]), str(problem['loc'][0]))}: {problem['msg']}"
        for problem in error.errors()
    )


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """The folder for a server that was not told one: the user's data home.

    Root's home is closed to the unprivileged user that PostgreSQL must run as, so root gets the
    system's place for service state.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/teamlore")
    home = environ.get("XDG_DATA_HOME") or str(
        Path(environ.get("HOME", "~")).expanduser() / ".local/share"
    )
    return Path(home) / "teamlore"
